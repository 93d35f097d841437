/** The share of incoherent completions that a dose may have. */
import { expect, test } from 'vitest';
import { doseLimit } from '../../../src/study/steering/unsteered.ts';

const alone = (completions: number, coherent: number) => ({ completions, coherent, positives: 0 });

test('is that of the model left alone and so much more', () => {
  expect(doseLimit(0.1, alone(20, 18))).toBeCloseTo(0.2, 12);
});

test('is never all of them: one completion stays coherent', () => {
  expect(doseLimit(0.1, alone(20, 1))).toBe(0.95);
  expect(doseLimit(0.5, alone(20, 10))).toBe(0.95);
  expect(doseLimit(0.1, alone(10, 0))).toBe(0.9);
});
