/** A fix measured on made-up completions: effects by hand, and what is told where random sets leave none. */
import { describe, expect, it } from 'vitest';
import type { SteeredCompletion, TrialRecord } from '../../../src/results.ts';
import { type MeasuredSet, measureFix } from '../../../src/study/fix/fixMeasure.ts';
import { coherenceBy } from '../../../src/study/steering/coherence.ts';
import type { SteeringTrial } from '../../../src/study/steering/trial.ts';

/** Completions of four prompts, two each: so many positives in all, coherent or not. */
const said = (positives: number, coherent = true): SteeredCompletion[] =>
  Array.from(
    { length: 8 },
    (_, i) =>
      ({
        prompt_id: `p${i % 4}`,
        index: Math.floor(i / 4),
        tokens: 5,
        label: i < positives ? 'positive' : 'negative',
        coherent,
        judged: true,
      }) as SteeredCompletion,
  );

const setOf = (role: MeasuredSet['role'], name: string): MeasuredSet => ({
  role,
  name,
  operation: 'remove',
  latents: [1],
  arm: {
    direction: { name, role: 'group', latent: null, sign: 1, vectors: async () => [] },
    operation: 'remove',
    dose: 0,
  },
});

const random = Array.from({ length: 6 }, (_, n) => setOf('random', `random ${n}`));

/** `of`: what is said under an arm of this name; without one the subject has 6 of 8, the reference 1. */
const measured = (of: (name: string) => SteeredCompletion[]) => {
  const runner = (alone: number) => ({
    run: async (trials: readonly SteeringTrial[]) =>
      trials.map(({ arm }) => ({ completions: arm ? of(arm.direction.name) : said(alone) }) as TrialRecord),
  });
  return measureFix(
    {
      runner: runner(6),
      other: runner(1),
      coherence: coherenceBy('judge', []),
      parts: ['evaluation'],
      seed: 1,
    },
    setOf('fix', 'the fix'),
    random,
    [setOf('comparison', 'another')],
  );
};

describe('a measured fix', () => {
  it('has its effect against the subject as it is, and its share of the way to the reference', async () => {
    const found = await measured((name) => said(name === 'the fix' ? 2 : name === 'another' ? 5 : 6));
    expect(found.arms.map(({ role }) => role).slice(0, 3)).toEqual(['fix', 'comparison', 'reference']);
    const [own, other, reference] = found.arms;
    expect(own).toMatchObject({ completions: 8, coherent: 8, positives: 2, effect: -0.5, mean_tokens: 5 });
    expect(own!.way).toBeCloseTo(4 / 5, 10);
    expect(other!.effect).toBe(-0.125);
    expect(reference!.effect).toBe(-0.625);
    expect([found.prompts, found.random]).toEqual([4, { sets: 6, low: 0, high: 0 }]);
  });

  it('is sure only where random sets do not do as much', async () => {
    const alike = await measured((name) => said(name === 'the fix' ? 2 : 1 + Number(name.at(-1)) || 2));
    const apart = await measured((name) => said(name === 'the fix' ? 0 : 5 + (Number(name.at(-1)) % 3 || 0)));
    expect(alike.p).toBeGreaterThan(0.2);
    expect(apart.p).toBeLessThan(alike.p);
  });

  it('is refused in one line where random sets leave too few coherent texts', async () => {
    const broken = measured((name) =>
      said(2, name === 'the fix' || name === 'random 1' || name === 'random 4'),
    );
    await expect(broken).rejects.toThrow(
      'fix: expected coherent texts under at least 3 sets of random latents, found them under 2 of 6: raise fix.random, or lower fix.sizes',
    );
  });
});
