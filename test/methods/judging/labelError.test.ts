/** A probe's sensitivity and specificity, and what a manifest's counts make of them. */
import { expect, it } from 'vitest';
import { labelErrorOf, testProbe } from '../../../src/methods/judging/probe.ts';
import { judgeQuality } from '../../../src/results.ts';

/** A probe that says yes from 0 on, and examples of which it gets 49 of 50 and 5 of 10 right. */
const probe = { weights: Float64Array.of(1), bias: 0, C: 1, temperature: 1 };
const examples = [
  ...Array.from({ length: 50 }, (_, i) => ({ features: [i === 0 ? -1 : 1 + i / 50], label: true })),
  ...Array.from({ length: 10 }, (_, i) => ({ features: [i < 5 ? 0 : -0.1 * i], label: false })),
].map((example, i) => ({ ...example, group: `${i}` }));

it('counts right answers of each label', () => {
  const report = testProbe(probe, examples);
  const { sensitivity, specificity } = labelErrorOf(report);
  expect(sensitivity).toBeCloseTo(0.98, 12);
  expect(specificity).toBeCloseTo(0.5, 12);
  expect(report.accuracy).toBeCloseTo(54 / 60, 12);
});

it('says how much of a change shows: sensitivity + specificity − 1, not 2 A − 1', () => {
  const counts = { judge_accuracy: 0.89, judge_sensitivity: 0.98, judge_specificity: 0.5 };
  const known = judgeQuality({ ...counts, judge_prompts_held_out: 9 })!;
  expect(known.shows).toBeCloseTo(0.48, 12);
  expect(known.weak).toBe(true);
  // counts of an earlier version: accuracy alone does not tell
  expect(judgeQuality({ judge_accuracy: 0.89 })).toMatchObject({ shows: null, weak: false });
  expect(judgeQuality({ judge_accuracy: 0.7 })).toMatchObject({ shows: null, weak: true });
  expect(judgeQuality({})).toBeUndefined();
});
