/** Incoherence by the judge, by cheap signs, or by either; and which of the two stopped a search. */

import { describe, expect, it } from 'vitest';
import type { SteeredCompletion } from '../../../src/results.ts';
import { coherenceBy, stoppedBy } from '../../../src/study/steering/coherence.ts';

const said = (over: Partial<SteeredCompletion>): SteeredCompletion => ({
  prompt_id: 'p',
  index: 0,
  text: 'text',
  tokens: 4,
  stop: 'end',
  score: 1,
  label: 'positive',
  coherence: 1,
  coherent: true,
  reason: '',
  judged: true,
  log_probability: -2,
  repetition: 0,
  ...over,
});

/** ln p of −2 ± 0.1: broken from −2.59 on. */
const alone = [-2.2, -2.1, -2, -1.9, -1.8].map((log_probability) => said({ log_probability }));
const fine = said({});
const refused = said({ coherent: false, coherence: 0 });
const unlikely = said({ log_probability: -3 });
const both = said({ log_probability: -3, coherent: false });
const all = [fine, refused, unlikely, both];

describe('coherence', () => {
  it.each([
    ['judge', 2, 2],
    ['cheap', 2, 2],
    ['both', 1, 1],
  ] as const)('by %s', (measure, calibrated, evaluated) => {
    const coherence = coherenceBy(measure, alone);
    expect(coherence.calibration(all)).toEqual({
      completions: 4,
      coherent: calibrated,
      positives: calibrated,
      byJudge: 0.5,
      byCheap: measure === 'judge' ? 0 : 0.5,
    });
    expect(coherence.evaluation(all)).toEqual({ completions: 4, coherent: evaluated, positives: evaluated });
  });

  it('by the judge needs no measures, and a completion that was not judged is not broken by it', () => {
    const bare = said({ log_probability: null, repetition: null });
    expect(coherenceBy('judge', [bare]).calibration([bare])).toMatchObject({ coherent: 1 });
    const notJudged = said({ judged: false, coherent: false });
    expect(coherenceBy('cheap', alone).calibration([notJudged])).toMatchObject({ coherent: 1, byJudge: 0 });
  });
});

describe('stoppedBy', () => {
  const tried = (dose: number, incoherent: number, byJudge: number, byCheap: number) => ({
    dose,
    incoherent,
    byJudge,
    byCheap,
  });
  it.each([
    [[], undefined],
    [[tried(0.1, 0.1, 0.1, 0.1)], undefined],
    [[tried(0.8, 1, 1, 1), tried(0.3, 0.2, 0.2, 0.1), tried(0.1, 0, 0, 0)], 'judge'],
    [[tried(0.3, 0.2, 0, 0.2)], 'cheap'],
    [[tried(0.3, 0.4, 0.3, 0.3)], 'both'],
    [[tried(0.3, 0.2, 0.1, 0.1)], 'both'],
  ] as const)('%j: %s', (doses, expected) => {
    expect(stoppedBy(doses, 0.1)).toBe(expected);
  });
});
