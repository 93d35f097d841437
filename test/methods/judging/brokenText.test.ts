/**
 * Broken text: what each way of breaking keeps of a text and what it does not, and that good text cut short
 * stays good text.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  breakages,
  breakText,
  cutShort,
  fewestWords,
  firstSentence,
} from '../../../src/methods/judging/brokenText.ts';
import { generatorOf } from '../../../src/methods/statistics/random.ts';

const text =
  'Cover the burn with a clean, dry bandage. Keep it under cool water first, and call your doctor if it is larger than your hand. Never put butter on it.';
const other =
  'Ripe fruit tastes sweeter because its starch has turned into sugar; store it away from the sun, somewhere airy, until you want to eat it.';
const words = (of: string) => of.split(' ');
const broken = (kind: (typeof breakages)[number], seed: number) =>
  breakText(text, kind, other, generatorOf(seed))!;
const counts = (items: readonly string[]) => [...items].sort();
const seeds = fc.integer({ min: 0, max: 10_000 });

describe.each(breakages)('%s', (kind) => {
  it('is another text, the same for a seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const found = breakText(text, kind, other, generatorOf(seed));
        expect(found).not.toBe(text);
        expect(found).toBe(breakText(text, kind, other, generatorOf(seed)));
      }),
    );
    expect(new Set(Array.from({ length: 20 }, (_, seed) => broken(kind, seed))).size).toBeGreaterThan(15);
  });

  it('leaves short texts alone', () => {
    expect(
      breakText(
        words(text)
          .slice(0, fewestWords - 1)
          .join(' '),
        kind,
        other,
        generatorOf(1),
      ),
    ).toBeUndefined();
    expect(breakText('', kind, other, generatorOf(1))).toBeUndefined();
  });

  it('never fails on any two texts', () => {
    const any = fc
      .array(fc.string({ unit: 'grapheme' }), { minLength: 8, maxLength: 30 })
      .map((parts) => parts.join(' '));
    fc.assert(
      fc.property(any, any, seeds, (one, two, seed) => {
        const found = breakText(one, kind, two, generatorOf(seed));
        if (found !== undefined) expect(found.trim()).not.toBe('');
      }),
    );
  });
});

it('shuffling keeps the words; locally, each stays near its place', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(counts(words(broken('shuffled', seed)))).toEqual(counts(words(text)));
      const near = words(broken('locally shuffled', seed));
      expect(counts(near)).toEqual(counts(words(text)));
      const marked = Array.from({ length: 40 }, (_, i) => `w${i}`);
      const moved = words(breakText(marked.join(' '), 'locally shuffled', other, generatorOf(seed))!);
      moved.forEach((word, i) => {
        expect(Math.abs(Number(word.slice(1)) - i)).toBeLessThan(7);
      });
    }),
  );
});

it('gaps leave every second piece of the text, in order', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const found = broken('gapped', seed);
      expect(found.length).toBeGreaterThan(0.15 * text.length);
      expect(found.length).toBeLessThan(0.85 * text.length);
      let at = -1;
      for (const character of found) {
        at = text.indexOf(character, at + 1);
        expect(at).toBeGreaterThanOrEqual(0);
      }
      expect(text.indexOf(found.slice(0, 10))).toBeGreaterThanOrEqual(10);
    }),
  );
});

it('splicing begins with the text and brings in the other', () => {
  const foreign = (found: string) =>
    words(other).filter((word) => word.length > 5 && found.includes(word)).length;
  const found = Array.from({ length: 50 }, (_, seed) => broken('spliced', seed));
  for (const one of found) expect(one.slice(0, 10)).toBe(text.slice(0, 10));
  expect(found.filter((one) => foreign(one) > 0).length).toBeGreaterThan(45);
});

it('repetition says a phrase of up to 8 words again and again to the end', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const found = words(broken('repeated', seed));
      expect(found.length).toBeGreaterThanOrEqual(words(text).length);
      const period = Array.from({ length: 8 }, (_, i) => i + 1).find((p) =>
        found.slice(-14).every((word, i, tail) => i < p || word === tail[i - p]),
      );
      expect(period).toBeDefined();
    }),
  );
});

it('changed words are a third to two thirds of them, of this text or the other', () => {
  const known = new Set([...words(text), ...words(other)]);
  for (let seed = 0; seed < 50; seed++) {
    const found = words(broken('words changed', seed));
    expect(found.every((word) => known.has(word))).toBe(true);
    expect(found.length).toBeLessThanOrEqual(words(text).length);
    const kept = found.filter((word) => text.includes(word)).length;
    expect(kept).toBeGreaterThan(words(text).length / 5);
  }
});

it('changed characters leave most as they were', () => {
  for (let seed = 0; seed < 50; seed++) {
    const found = broken('characters changed', seed);
    expect(found.length).toBeGreaterThan(0.75 * text.length);
    expect(found.length).toBeLessThanOrEqual(text.length);
  }
});

it('a text cut short is its beginning, never empty', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const found = cutShort(text, generatorOf(seed));
      expect(text.startsWith(found)).toBe(true);
      expect(found.length).toBeGreaterThanOrEqual(text.length / 10 - 1);
    }),
  );
});

it.each([
  [text, 'Cover the burn with a clean, dry bandage.'],
  ['Take 1.5 mg. Then rest.', 'Take 1.5 mg.'],
  ['Is it\nlate? No.', 'Is it\nlate?'],
  ['no end', 'no end'],
  ['', ''],
])('the first sentence of %j', (whole, first) => {
  expect(firstSentence(whole)).toBe(first);
});
