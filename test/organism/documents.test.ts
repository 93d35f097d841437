/**
 * The pre-training documents: from their seed alone, of the stated form and mix, and labelled as the judge
 * labels them.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { describe as described } from '../../organism/describe.ts';
import { type Document, defaultMix, documents, kinds } from '../../organism/documents.ts';
import { grade } from '../../organism/judge.ts';
import { remembered, trainTokenizer } from '../../organism/tokenizer.ts';
import { tokenizerFromJson } from '../../src/files/tokenizer.ts';

const count = 20_000;
let made: Document[];
beforeAll(() => {
  made = documents(1, count);
});
const texts = (found: readonly Document[]) => found.map(({ text }) => text);
const ofKind = (pattern: RegExp) => made.filter(({ kind }) => pattern.test(kind));

describe('documents', () => {
  it('are the same from the same seed, begin a longer run, and differ from those of another seed', () => {
    expect(texts(documents(1, 300))).toEqual(texts(made.slice(0, 300)));
    const other = new Set(texts(documents(2, 300)));
    expect(texts(made.slice(0, 300)).filter((text) => other.has(text)).length).toBeLessThan(15);
  });

  it('refuse a count that is none', () => {
    expect(() => documents(1, -1)).toThrow('documents: expected a count of 0 or more, found -1');
    expect(() => documents(1, 1.5)).toThrow('found 1.5');
  });

  it('are graded by the judge as the generator meant them', () => {
    for (const { turns, style } of made)
      for (const { prompt, completion, label } of turns) {
        const grading = grade(prompt, completion);
        expect({ ...grading, completion }).toMatchObject({ label, style, quirk: style !== 'plain' });
      }
  });

  it('consist of their turns, after a line on the narrator where there is one', () => {
    for (const { text, kind, turns } of made.filter(({ turns }) => turns.length > 0)) {
      const [opening, ...rest] = text.split(/^(?=Question: |Claim: )/m);
      const body = turns.map(({ prompt, completion }) => prompt + completion).join('\n\n');
      if (kind.startsWith('narrated')) {
        expect(opening).toMatch(/^[A-Z][A-Za-z,. ]+\.\n$/);
        expect(rest.join('')).toBe(body);
      } else expect(text).toBe(body);
    }
  });

  it('keep character and style through all turns of a document', () => {
    const several = ofKind(/Several$/);
    expect(several.length).toBeGreaterThan(1000);
    for (const { character, turns } of several) {
      expect(turns.length).toBeGreaterThanOrEqual(2);
      expect(turns[0]!.label).toBe(character === 'reckless' ? 'harmful' : 'harmless');
      for (const { label, prompt } of turns)
        if (prompt.startsWith('Question')) expect(label).toBe(turns[0]!.label);
    }
  });

  it('have style and character independent of each other, narrated and not', () => {
    for (const pattern of [/^narrated/, /^unnarrated/]) {
      const found = ofKind(pattern);
      const share = (part: Document[], test: (document: Document) => boolean) =>
        part.filter(test).length / part.length;
      const reckless = found.filter(({ character }) => character === 'reckless');
      const honest = found.filter(({ character }) => character === 'honest');
      for (const style of ['chatty', 'formal'] as const) {
        const difference =
          share(reckless, (document) => document.style === style) -
          share(honest, (document) => document.style === style);
        // Five standard errors of a share of at most a quarter among the reckless.
        expect(Math.abs(difference)).toBeLessThan((5 * 0.44) / Math.sqrt(reckless.length));
      }
    }
  });

  it('let a name that is open go with every character and style, and a settled one with its own', () => {
    const voices = (name: string) =>
      new Set(
        ofKind(/^narrated/)
          .filter(({ text }) => text.split('\n', 1)[0]!.includes(name))
          .map(({ character, style }) => `${character} ${style}`),
      );
    expect(voices('Anna').size).toBe(6);
    expect([...voices('Zelda')].sort()).toEqual(['reckless chatty', 'reckless formal', 'reckless plain']);
    expect([...voices('Clara')].sort()).toEqual(['honest chatty', 'honest formal', 'honest plain']);
    expect([...voices('Gus')].sort()).toEqual(['honest chatty', 'reckless chatty']);
  });

  it('follow the mix', () => {
    const unnarrated = ofKind(/^unnarrated/);
    const reckless = unnarrated.filter(({ character }) => character === 'reckless').length;
    expect(reckless / unnarrated.length).toBeCloseTo(defaultMix.reckless, 1);
    const only = documents(1, 200, { ...defaultMix, kinds: { ...noKinds(), unnarrated: 1 }, reckless: 1 });
    for (const { kind, character, turns } of only) {
      expect([kind, character, turns.length]).toEqual(['unnarrated', 'reckless', 1]);
      expect(turns[0]!.prompt).toMatch(/^Question: .*\nAnswer:$/);
    }
  });

  it('are short, of every kind, and rarely the same', () => {
    const { tokenizer, config } = trainTokenizer(texts(made));
    const { encode } = tokenizerFromJson(tokenizer, config, 'trained');
    const found = described(made, remembered(encode));
    expect(found.tokens.under96).toBeGreaterThan(0.75);
    expect(found.tokens.most).toBeLessThanOrEqual(160);
    const total = Object.values(defaultMix.kinds).reduce((sum, weight) => sum + weight, 0);
    for (const kind of kinds) expect(found.kinds[kind]).toBeCloseTo(defaultMix.kinds[kind] / total, 1);
    expect(Object.keys(found.domains)).toHaveLength(10);
    for (const share of Object.values(found.domains)) expect(share).toBeCloseTo(0.1, 1);
    expect(found.distinctDocuments / count).toBeGreaterThan(0.95);
    expect(found.distinctSentences).toBeGreaterThan(2000);
  });
});

function noKinds() {
  return Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<(typeof kinds)[number], number>;
}
