/** How large a causal test is, and how much of it a journal holds. */
import { expect, it } from 'vitest';
import type { StudyConfig } from '../../../src/study/config/schema.ts';
import { causalTestSize, completionsIn } from '../../../src/study/steering/size.ts';

type Steering = StudyConfig['steering'];

const steering = (given: Partial<Steering>) =>
  ({ doses: [0.1, 0.2, 0.4], random: 50, candidates: 100, full: false, ...given }) as Steering;

it('counts completions of the dose search and of the evaluation, of random latents and of candidates that the log-odds let pass', () => {
  const given = { calibration_completions: 2, completions: 3, gate_share: 0.8, gate_pairs: 4 };
  const prompts = { evaluation: 10, calibration: 6 };
  // two doses of three are looked at: 2 × 6 × 2 + 10 × 3 = 54 of each latent and direction
  const two: Steering['selectors'] = ['delta-attribution', 'delta-activation'];
  expect(causalTestSize(steering({ ...given, selectors: two }), prompts)).toEqual({
    completions: 2 * (50 + 0.2 * 200) * 54,
    forced: 2 * 250 * 4,
  });
  expect(causalTestSize(steering({ ...given, selectors: two, full: true }), prompts).completions).toBe(
    2 * 250 * 54,
  );
});

it('finds the completions of whole trials in a journal, and none in its other records', () => {
  const verdict = { score: 1, label: 'positive', coherence: 1, coherent: true, reason: '' };
  const one = { prompt_id: 'p', index: 0, text: 'x', tokens: 1, stop: 'end', ...verdict };
  const cost = { calls: 1, price: 0 };
  const about = { id: 'a', direction: 'away', dose: -0.1, content: 'c' };
  const trial = { kind: 'trial', ...about, latent: 3, part: 'first', completions: [one, one], cost };
  expect(completionsIn(trial)).toBe(2);
  const paid = { kind: 'verdict', id: 'v', trial: 'a', trial_content: 'c', content: 'd', ...verdict, cost };
  expect(completionsIn(paid)).toBe(0);
  expect(completionsIn('else')).toBe(0);
});
