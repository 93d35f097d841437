/**
 * Passages that are shown and those that an explanation is tried on: nothing is in both, whatever the lists
 * repeat.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  activeTokens,
  detectionTrials,
  fuzzingTrials,
  passageSets,
} from '../../../src/methods/interpretation/heldOut.ts';
import type { LatentPassages, PassageWindow } from '../../../src/results.ts';

const window = (line: number, activations: readonly (number | null)[], ids?: number[]): PassageWindow => {
  const own = ids ?? activations.map((_, t) => 100 * line + t);
  const values = activations.map((x) => x ?? 0);
  return {
    corpus: 0,
    line,
    start: 0,
    peak: values.indexOf(Math.max(...values)),
    ids: own,
    tokens: own.map((id) => ` ${id}`),
    activations: [...activations],
  };
};
const active = (line: number, peak = 4) => window(line, [0, 1, peak, 0, 0.5, null]);
const silent = (line: number) => window(line, [0, 0, null, 0]);

function passagesOf(
  top: readonly PassageWindow[],
  parts: readonly (readonly PassageWindow[])[],
  zero: readonly PassageWindow[],
): LatentPassages {
  const quantiles = parts.map((passages, i) => ({ low: i, high: i + 1, passages: [...passages] }));
  const counts = { tokens: 1, active: 1, passages: 1, active_passages: 1, mean: 1, max: 1 };
  return { ...counts, histogram: { edges: [], counts: [] }, top: [...top], quantiles, zero: [...zero] };
}
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const plenty = passagesOf(
  range(0, 20).map((line) => active(line, 40 - line)),
  range(0, 5).map((part) => range(100 + 4 * part, 4).map((line) => active(line))),
  range(200, 20).map(silent),
);
const lines = (windows: readonly PassageWindow[]) => windows.map(({ line }) => line);

describe('passageSets', () => {
  it('shows every other of the strongest, and holds out the rest, of every part of the range, and silent ones', () => {
    const { shown, held } = passageSets(plenty);
    expect(lines(shown.active)).toEqual([0, 2, 4, 6, 8, 10, 11, 12, 13, 14]);
    expect(lines(shown.zero)).toEqual(range(200, 5));
    const parts = [4, 3, 2, 1, 0].flatMap((part) => range(100 + 4 * part, 3));
    expect(lines(held.active)).toEqual([1, 3, 5, 7, 9, ...parts]);
    expect(lines(held.zero)).toEqual(range(205, 15));
  });

  it('has no passage and no text twice', () => {
    const some = fc.array(
      fc.record({ line: fc.nat(30), text: fc.nat(20), silent: fc.boolean() }).map((one) => {
        const ids = [one.text, 0, one.text, 7, 8, 9];
        return window(one.line, one.silent ? [0, 0, 0, 0, 0, 0] : [0, 1, 9, 0, 2, null], ids);
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(some, fc.array(some, { maxLength: 5 }), some, (top, parts, zero) => {
        const { shown, held } = passageSets(passagesOf(top, parts, zero));
        const all = [...shown.active, ...shown.zero, ...held.active, ...held.zero];
        expect(new Set(lines(all)).size).toBe(all.length);
        expect(new Set(all.map(({ ids }) => ids.join())).size).toBe(all.length);
      }),
    );
  });
});

describe('the trials of an explanation', () => {
  const sets = passageSets(plenty);

  it('of detection are all held-out windows, in an order of the seed, none of them shown', () => {
    const trials = detectionTrials(sets, 7);
    expect(trials).toHaveLength(35);
    for (const { window: one, truth } of trials)
      expect(truth).toBe(one.activations.some((x) => x !== null && x > 0));
    const order = (seed: number) => detectionTrials(sets, seed).map(({ window: one }) => one.line);
    expect(order(7)).toEqual(order(7));
    expect(order(7)).not.toEqual(order(8));
    const shown = new Set(lines([...sets.shown.active, ...sets.shown.zero]));
    expect(order(7).filter((line) => shown.has(line))).toEqual([]);
    expect(order(7)).not.toEqual([...order(7)].sort((a, b) => a - b));
  });

  it('of fuzzing are each window rightly and wrongly marked, never in one list, as many tokens either way', () => {
    const lists = fuzzingTrials(sets, 7);
    expect(lists.map((list) => list.length)).toEqual([20, 20]);
    const sides = new Map<number, boolean[]>();
    for (const list of lists) {
      expect(new Set(list.map(({ window: one }) => one.line)).size).toBe(20);
      expect(list.filter(({ truth }) => truth)).toHaveLength(10);
      for (const { window: one, marks, truth } of list) {
        sides.set(one.line, [...(sides.get(one.line) ?? []), truth]);
        expect(marks.filter(Boolean).length).toBe(activeTokens(one).filter(Boolean).length);
        marks.forEach((marked, t) => {
          if (marked && !truth) expect(one.activations[t]).toBe(0);
        });
        if (truth) expect(marks).toEqual(activeTokens(one));
      }
    }
    for (const truths of sides.values()) expect(truths.sort()).toEqual([false, true]);
  });

  it('mark tokens from 0.3 of the window’s greatest activation on', () => {
    expect(activeTokens(window(1, [0, 2.9, 10, 3, null]))).toEqual([false, false, true, true, false]);
    expect(activeTokens(silent(1))).toEqual([false, false, false, false]);
  });

  it('are none where fewer than five are left of a kind', () => {
    const few = (tops: number, zeros: number) =>
      passageSets(
        passagesOf(
          range(0, tops).map((line) => active(line)),
          [],
          range(200, zeros).map(silent),
        ),
      );
    expect(detectionTrials(few(10, 10), 1)).toHaveLength(10);
    expect(detectionTrials(few(9, 10), 1)).toEqual([]);
    expect(detectionTrials(few(10, 9), 1)).toEqual([]);
    expect(fuzzingTrials(few(10, 0), 1).flat()).toHaveLength(10);
    expect(fuzzingTrials(few(8, 0), 1)).toEqual([]);
  });

  it('of fuzzing leave out windows where no token is silent', () => {
    const dense = passagesOf(
      range(0, 20).map((line) => window(line, [1, 2, 3])),
      [],
      range(200, 20).map(silent),
    );
    expect(fuzzingTrials(passageSets(dense), 1)).toEqual([]);
    expect(detectionTrials(passageSets(dense), 1)).toHaveLength(20);
  });
});
