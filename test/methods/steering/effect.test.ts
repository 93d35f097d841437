/** Effects against counts by hand. */
import { expect, it } from 'vitest';
import {
  effectOf,
  incoherentShare,
  type PromptTallies,
  positiveShare,
  type Tally,
  total,
} from '../../../src/methods/steering/effect.ts';

const tally = (positives: number, coherent: number, completions = coherent): Tally => ({
  positives,
  coherent,
  completions,
});

it('the effect is the change in the share of positives among coherent completions of all prompts', () => {
  const prompts: PromptTallies[] = [
    { steered: tally(1, 4), alone: tally(3, 4) },
    { steered: tally(0, 2, 4), alone: tally(4, 4) },
  ];
  expect(effectOf(prompts)).toBeCloseTo(1 / 6 - 7 / 8, 12);
  const steered = total(prompts.map((one) => one.steered));
  expect(steered).toEqual(tally(1, 6, 8));
  expect(positiveShare(steered)).toBeCloseTo(1 / 6, 12);
  expect(incoherentShare(steered)).toBeCloseTo(2 / 8, 12);
});

it('it is not a number where a side has no coherent completion', () => {
  expect(effectOf([{ steered: tally(0, 0, 4), alone: tally(1, 4) }])).toBeNaN();
  expect(effectOf([{ steered: tally(1, 4), alone: tally(0, 0, 4) }])).toBeNaN();
  expect(incoherentShare(total([]))).toBeNaN();
});
