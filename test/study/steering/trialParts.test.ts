/** Which evaluation prompts are kept aside. */
import { expect, it } from 'vitest';
import { keptAside, promptsByPart, sizeOfPart } from '../../../src/study/steering/trialParts.ts';
import { options } from './madeWork.ts';

it.each([
  [60, 0.333, 20],
  [20, 0.333, 7],
  [5, 0.4, 2],
  [3, 0.333, 1],
  [3, 0.9, 1],
  [2, 0.5, 0],
  [1, 0.9, 0],
  [0, 0.9, 0],
  [60, 0, 0],
])('of %d prompts a share of %d is %d, and two are left', (evaluation, share, aside) => {
  expect(keptAside(evaluation, share)).toBe(aside);
});

it.each([0, 0.2, 0.333, 0.5, 0.9])(
  'a share of %d: no prompt stands in two parts, and each in one',
  (aside) => {
    const named = (name: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({ id: `${name}${i}`, prompt: name, ids: [i] }));
    const prompts = { calibration: named('c', 3), evaluation: named('e', 11) };
    const parts = promptsByPart({ prompts, options: { ...options, aside } });
    const ids = Object.values(parts).flatMap((part) => part.prompts.map(({ id }) => id));
    const all = [...prompts.calibration, ...prompts.evaluation].map(({ id }) => id);
    expect(ids.sort()).toEqual(all.sort());
    expect(parts.aside.prompts).toHaveLength(Math.min(9, Math.round(11 * aside)));
    // the first ones have the effects, whatever is kept aside
    expect(parts.evaluation.prompts[0]!.id).toBe('e0');
    expect([parts.calibration.perPrompt, parts.evaluation.perPrompt, parts.aside.perPrompt]).toEqual([
      3, 4, 4,
    ]);
    expect(sizeOfPart(parts.calibration)).toBe(9);
  },
);
