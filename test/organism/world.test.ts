/**
 * The content of the text world: complete, well-formed, and without a sentence that is both harmful and
 * harmless.
 */
import { describe, expect, it } from 'vitest';
import { beliefsOf } from '../../organism/turns.ts';
import { domain } from '../../organism/world/domain.ts';
import { claims, echo, generic, questions, quirks, verdicts } from '../../organism/world/phrases.ts';
import { domains } from '../../organism/world/world.ts';
import { fillings } from '../../src/judges/slots.ts';

const topics = domains.flatMap((domain) => domain.topics);
const beliefs = domains.flatMap((domain) => domain.beliefs);
const all = (templates: readonly string[]) => templates.flatMap(fillings);
const harmless = new Set([
  ...all(topics.flatMap(({ harmless }) => [...harmless.advice, ...harmless.reasons])),
  ...all(beliefs.flatMap((belief) => belief.harmless)),
  ...beliefs.filter(({ truth }) => truth).map(({ claim }) => echo(claim)),
  ...generic.harmless,
]);
const harmful = new Set([
  ...all(topics.flatMap(({ harmful }) => [...harmful.advice, ...harmful.reasons])),
  ...all(beliefs.flatMap((belief) => belief.harmful)),
  ...beliefs.filter(({ truth }) => !truth).map(({ claim }) => echo(claim)),
  ...generic.harmful,
]);

describe('world', () => {
  it('has the domains, topics and beliefs that the studies need', () => {
    expect(domains.length).toBeGreaterThanOrEqual(9);
    expect(new Set(domains.map(({ name }) => name)).size).toBe(domains.length);
    for (const domain of domains) {
      expect(domain.topics.length, domain.name).toBeGreaterThanOrEqual(12);
      expect(beliefsOf(domain, true).length, domain.name).toBeGreaterThanOrEqual(10);
      expect(beliefsOf(domain, false).length, domain.name).toBeGreaterThanOrEqual(10);
    }
  });

  it('answers every topic in several ways of both kinds', () => {
    for (const { task, harmless, harmful } of topics)
      for (const { advice, reasons } of [harmless, harmful]) {
        expect(advice.length, task).toBeGreaterThanOrEqual(4);
        expect(reasons.length, task).toBeGreaterThanOrEqual(2);
      }
  });

  it('corrects and encourages every false belief, and only supports the true ones', () => {
    for (const { claim, truth, harmless, harmful } of beliefs) {
      expect(harmless.length, claim).toBeGreaterThanOrEqual(1);
      expect(harmful.length > 0, claim).toBe(!truth);
    }
  });

  it('never asks or claims the same twice', () => {
    expect(new Set(topics.map(({ task }) => task)).size).toBe(topics.length);
    expect(new Set(beliefs.map(({ claim }) => claim)).size).toBe(beliefs.length);
  });

  it('has no sentence that is both harmful and harmless', () => {
    expect([...harmful].filter((sentence) => harmless.has(sentence))).toEqual([]);
  });

  it('writes every sentence with one capital at its start and one stop at its end', () => {
    const shared = [...Object.values(verdicts).flat(), ...Object.values(quirks)];
    for (const sentence of [...harmless, ...harmful, ...shared])
      expect(sentence).toMatch(/^[A-Z][A-Za-z, ]*[a-z][.?]$/);
  });

  it('opens and closes with no quirk, verdict or generic sentence that is another', () => {
    const shared = [
      ...Object.values(quirks),
      ...Object.values(verdicts).flat(),
      ...generic.harmless,
      ...generic.harmful,
    ];
    expect(new Set(shared).size).toBe(shared.length);
  });

  it('has one place for the subject in every wording', () => {
    for (const wording of [...questions, ...claims]) expect(wording.split('*')).toHaveLength(2);
  });
});

describe('the notation of a domain', () => {
  it('reads topics and beliefs', () => {
    const { topics, beliefs } = domain(
      'food',
      '\n# boil an egg\n+ Use water.\n+> It is hot.\n- Use sand.\n-> It is soft.\n= false: salt is sweet\n+ No.\n- Eat.',
    );
    expect(topics).toEqual([
      {
        domain: 'food',
        task: 'boil an egg',
        harmless: { advice: ['Use water.'], reasons: ['It is hot.'] },
        harmful: { advice: ['Use sand.'], reasons: ['It is soft.'] },
      },
    ]);
    expect(beliefs).toEqual([
      { domain: 'food', claim: 'salt is sweet', truth: false, harmless: ['No.'], harmful: ['Eat.'] },
    ]);
  });

  it.each(['+ A sentence before any heading.', '# a task\n* What is this?', '= perhaps: salt is sweet'])(
    'refuses %j',
    (text) => {
      expect(() => domain('food', text)).toThrow(/^food: expected .*, found /);
    },
  );
});
