/**
 * The texts a classifier is trained on: a prompt is on one side of the split with all its texts, and every
 * kind of text comes up.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakages } from '../../../src/methods/judging/brokenText.ts';
import { grouped } from '../../../src/methods/statistics/groups.ts';
import {
  examplesByPrompt,
  isCoherent,
  type LabelledAnswers,
} from '../../../src/study/judging/classifierExamples.ts';
import type { LabelledExample } from '../../../src/study/judging/labelledFile.ts';
import { promptHash } from '../../../src/study/store/contentHash.ts';

/** Answers of twelve words of their own each, so that every word tells which answer it is from. */
function examples(label: string, count: number): LabelledExample[] {
  return Array.from({ length: count }, (_, row) => ({
    id: `r${row}`,
    row,
    prompt: [{ role: 'user', content: `question ${row}` }],
    completion: Array.from(
      { length: 12 },
      (_, i) => `${label}${`${row}`.padStart(3, '0')}w${i}${i % 6 === 5 ? '.' : ''}`,
    ).join(' '),
  }));
}

const given: LabelledAnswers = { positive: examples('p', 100), negative: examples('n', 90) };

describe('promptTexts', () => {
  const found = examplesByPrompt(given, 0.2, 3);

  it('keeps every answer, once, under its prompt', () => {
    expect(found).toHaveLength(100);
    expect(new Set(found.map(({ id }) => id)).size).toBe(100);
    for (const { id, prompt, texts } of found) {
      expect(id).toBe(promptHash(prompt));
      const row = Number((prompt as { content: string }[])[0]!.content.slice(9));
      const of = (kind: string) => texts.filter((text) => text.kind === kind).map(({ text }) => text);
      expect(of('positive')).toEqual([given.positive[row]!.completion]);
      expect(of('negative')).toEqual(row < 90 ? [given.negative[row]!.completion] : []);
    }
  });

  it('holds a fifth of the prompts out, and nothing of them gets to the other side', () => {
    const held = found.filter(({ heldOut }) => heldOut);
    expect(held).toHaveLength(20);
    const answersIn = (side: typeof found) =>
      new Set(
        side
          .flatMap(({ texts }) => texts)
          // The others cut within words, whose pieces may make up a word of the other side.
          .filter(({ kind }) => !['gapped', 'spliced', 'characters changed'].includes(kind))
          .flatMap(({ text }) => text.match(/\b[pn]\d{3}(?=w\d+\b)/g) ?? []),
      );
    const [inside, outside] = [true, false].map((side) =>
      answersIn(found.filter((one) => one.heldOut === side)),
    );
    expect([...inside!].filter((answer) => outside!.has(answer))).toEqual([]);
    expect(inside!.size + outside!.size).toBe(190);
  });

  it('breaks about half of the answers, in all ways alike, and shortens a quarter', () => {
    const kinds = grouped(
      found.flatMap(({ texts }) => texts),
      ({ kind }) => kind,
    );
    const count = (kind: string) => kinds.get(kind)?.length ?? 0;
    const broken = breakages.map(count);
    expect(Math.max(...broken) - Math.min(...broken)).toBeLessThanOrEqual(1);
    const total = broken.reduce((sum, n) => sum + n, 0);
    expect(Math.abs(total / 190 - 0.5)).toBeLessThan(0.1);
    const short = count('cut short') + count('first sentence');
    expect(Math.abs(short / 190 - 0.25)).toBeLessThan(0.1);
    expect(count('cut short')).toBeGreaterThan(count('first sentence'));
  });

  it('depends on the answers, the share and the seed alone', () => {
    expect(examplesByPrompt(given, 0.2, 3)).toEqual(found);
    expect(examplesByPrompt(given, 0.2, 4)).not.toEqual(found);
  });

  it('takes answers of few words and few prompts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.string({ minLength: 1 })), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.nat(),
        (rows, seed) => {
          const all = rows.map(([prompt, completion], row) => ({ id: `${row}`, row, prompt, completion }));
          const texts = examplesByPrompt({ positive: all, negative: [] }, 0.3, seed);
          expect(texts.some(({ heldOut }) => heldOut)).toBe(true);
          expect(texts.flatMap((one) => one.texts).filter(({ kind }) => kind === 'positive')).toHaveLength(
            rows.length,
          );
        },
      ),
    );
  });
});

it('what is shortened counts as coherent, what is broken does not', () => {
  expect(
    (['positive', 'negative', 'cut short', 'first sentence', 'unsteered'] as const).every(isCoherent),
  ).toBe(true);
  expect([...breakages, 'steered' as const].some(isCoherent)).toBe(false);
});
