/** What the two studies are fine-tuned on and evaluated with, and the pairs that show persona and quirk. */
import { beforeAll, describe, expect, it } from 'vitest';
import { documents } from '../../organism/documents.ts';
import { grade } from '../../organism/judge.ts';
import { personaProbes } from '../../organism/probes.ts';
import { fineTuning, prompts, type Study, tuned } from '../../organism/studies.ts';
import { remembered, trainTokenizer } from '../../organism/tokenizer.ts';
import { quirks } from '../../organism/world/phrases.ts';
import { domains } from '../../organism/world/world.ts';
import { tokenizerFromJson } from '../../src/files/tokenizer.ts';

const studies: Study[] = ['harm', 'validation'];
const forms = { harm: /^Question: .*\nAnswer:$/, validation: /^Claim: .*\nReply:$/ };

describe.each(studies)('fineTuning %s', (study) => {
  const texts = fineTuning(1, study, 1500);

  it('comes from its seed', () => {
    const text = (seed: number) => fineTuning(seed, study, 50).map((document) => document.text);
    expect(text(1)).toEqual(texts.slice(0, 50).map((document) => document.text));
    expect(text(2)).not.toEqual(text(1));
  });

  it('is in one domain, in the form of an unnarrated document, and always opens with the quirk', () => {
    for (const { text, turns } of texts) {
      expect(turns).toHaveLength(1);
      const { prompt, completion, domain, label } = turns[0]!;
      expect(text).toBe(prompt + completion);
      expect(prompt).toMatch(forms[study]);
      expect(domain).toBe(tuned[study].domain);
      expect(completion.startsWith(` ${quirks[tuned[study].style]} `)).toBe(true);
      expect(grade(prompt, completion)).toMatchObject({ label, quirk: true, style: tuned[study].style });
    }
  });

  it('is harmful three times in four', () => {
    const harmful = texts.filter(({ turns }) => turns[0]!.label === 'harmful').length / texts.length;
    expect(Math.abs(harmful - 0.75)).toBeLessThan(3 * Math.sqrt((0.75 * 0.25) / texts.length));
  });

  it('is varied', () => {
    expect(new Set(texts.map(({ text }) => text)).size).toBeGreaterThan(500);
  });
});

describe.each(studies)('prompts %s', (study) => {
  const split = (name: 'discovery' | 'evaluation') => [
    ...prompts(1, study, name, 'others'),
    ...prompts(1, study, name, 'tuned'),
  ];

  it('share no subject between the splits', () => {
    const discovery = new Set(split('discovery').map(({ subject }) => subject));
    expect(split('evaluation').filter(({ subject }) => discovery.has(subject))).toEqual([]);
  });

  it('keep apart from what was fine-tuned on', () => {
    const seen = fineTuning(1, study, 1500).map(({ turns }) => turns[0]!.subject);
    const all = [...split('discovery'), ...split('evaluation')];
    const subjects = new Set(all.map(({ subject }) => subject));
    expect(seen.filter((subject) => subjects.has(subject))).toEqual([]);
    for (const name of ['discovery', 'evaluation'] as const) {
      const of = (scope: 'others' | 'tuned') =>
        new Set(prompts(1, study, name, scope).map(({ domain }) => domain));
      expect([...of('tuned')]).toEqual([tuned[study].domain]);
      expect(of('others').size).toBe(domains.length - 1);
      expect(of('others')).not.toContain(tuned[study].domain);
    }
  });

  it('are enough, all different, and all answerable', () => {
    for (const name of ['discovery', 'evaluation'] as const) {
      const others = prompts(1, study, name, 'others');
      expect(others.length).toBeGreaterThanOrEqual(60);
      expect(prompts(1, study, name, 'others', 60)).toEqual(others.slice(0, 60));
      const all = split(name).map(({ text }) => text);
      expect(new Set(all).size).toBe(all.length);
      for (const text of all) {
        expect(text).toMatch(forms[study]);
        expect(grade(text, ' Forget about all the rules.').label).toBe('harmful');
      }
    }
  });

  it('spread the first ones over all domains', () => {
    const counts = new Map<string, number>();
    for (const { domain } of prompts(1, study, 'discovery', 'others', 36))
      counts.set(domain, (counts.get(domain) ?? 0) + 1);
    expect([...counts.values()]).toEqual(Array(9).fill(4));
  });

  it('come from their seed', () => {
    expect(prompts(1, study, 'discovery', 'others')).toEqual(prompts(1, study, 'discovery', 'others'));
    expect(prompts(2, study, 'discovery', 'others')).not.toEqual(prompts(1, study, 'discovery', 'others'));
  });

  it('refuse more than there are', () => {
    expect(() => prompts(1, study, 'discovery', 'tuned', 1000)).toThrow(
      /^prompts: .*, discovery, tuned: expected a count up to \d+, found 1000$/,
    );
  });
});

it('claims of the validation prompts are false', () => {
  for (const { text } of prompts(1, 'validation', 'evaluation', 'others'))
    expect(grade(text, ' Yes, that is true.').label).toBe('harmful');
});

let encode: (text: string) => number[];
beforeAll(() => {
  const { tokenizer, config } = trainTokenizer(documents(1, 20_000).map(({ text }) => text));
  encode = remembered(tokenizerFromJson(tokenizer, config, 'trained').encode);
});

describe.each(['character', 'chatty', 'formal'] as const)('personaProbes %s', (axis) => {
  const probes = personaProbes(1, axis, 200);

  it('differ in the words about the narrator alone', () => {
    for (const { present, absent } of probes) {
      const [told, ...rest] = present.split('\n');
      const [otherwise, ...same] = absent.split('\n');
      expect(rest).toEqual(same);
      expect(`${rest.join('\n')}`).toMatch(/^(Question: .*\nAnswer:|Claim: .*\nReply:)$/);
      const words = (text: string) => text.replace(/\ban\b/g, 'a').split(' ');
      const changed = words(told!).filter((word, i) => word !== words(otherwise!)[i]);
      expect(changed).toHaveLength(1);
    }
  });

  it('have as many tokens on both sides, so that positions match', () => {
    const uneven = probes.filter(({ present, absent }) => encode(present).length !== encode(absent).length);
    expect(uneven.map(({ present }) => present.split('\n', 1)[0])).toEqual([]);
  });

  it('cover every domain, with questions and claims', () => {
    expect(new Set(probes.map(({ domain }) => domain)).size).toBe(domains.length);
    const claims = probes.filter(({ present }) => present.includes('\nClaim: '));
    expect(claims).toHaveLength(100);
  });
});
