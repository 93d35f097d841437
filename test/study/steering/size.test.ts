/** How large a causal test is, and how much of it a journal holds. */
import { expect, it } from 'vitest';
import type { StudyConfig } from '../../../src/study/config/schema.ts';
import { causalTestSize, completionsIn } from '../../../src/study/steering/size.ts';

type Steering = StudyConfig['steering'];

const steering = (given: Partial<Steering>) =>
  ({
    doses: [0.1, 0.2, 0.4],
    random: 50,
    gaussian: 8,
    candidates: 100,
    remeasured: 5,
    aside: 0.3,
    patch: false,
    full: false,
    held_tokens: 'all',
    ...given,
  }) as Steering;

it('counts what is removed, added at a dose that is looked for, and measured again, of those that the log-odds let pass', () => {
  const selectors: Steering['selectors'] = ['delta-attribution', 'delta-activation'];
  const given = { calibration_completions: 2, completions: 3, gate_share: 0.8, gate_pairs: 4, selectors };
  const prompts = { evaluation: 10, calibration: 6 };
  // three of ten prompts are kept aside; two doses of three are looked at
  const [evaluated, searched, aside] = [7 * 3, 2 * 6 * 2, 3 * 3];
  // nine directions to compare with, at a dose that is not looked for; the first two and three together
  const of = (sampled: number) =>
    (50 + sampled + 8 + 9 + 2) * evaluated +
    2 * ((50 + sampled + 8) * (evaluated + searched) + 9 * evaluated) +
    3 * 5 * aside;
  expect(causalTestSize(steering(given), prompts)).toEqual({
    completions: of(0.2 * 200),
    forced: 3 * (50 + 200 + 8 + 9) * 4,
  });
  expect(causalTestSize(steering({ ...given, full: true }), prompts).completions).toBe(of(200));
  const patched = causalTestSize(steering({ ...given, patch: true }), prompts).completions;
  expect(patched).toBe(of(40) + (50 + 5 + 8 + 9) * evaluated + 5 * aside);
  const fewer = causalTestSize(steering({ ...given, random_steered: 20 }), prompts).completions;
  expect(fewer).toBe(of(40) - 2 * 30 * (evaluated + searched));
  const none = causalTestSize(steering({ ...given, aside: 0 }), prompts).completions;
  expect(none).toBe((50 + 40 + 8 + 9 + 2) * 30 + 2 * ((50 + 40 + 8) * (30 + 24) + 9 * 30));
});

it('counts removal at further tokens, by the encoder, a system message and the halves by topic', () => {
  const selectors: Steering['selectors'] = ['delta-attribution'];
  const given = { calibration_completions: 2, completions: 3, gate_share: 0.5, gate_pairs: 4, selectors };
  const prompts = { evaluation: 10, calibration: 6 };
  const [evaluated, aside] = [7 * 3, 3 * 3];
  const more = (over: Partial<Steering>) =>
    causalTestSize(steering({ ...given, ...over }), prompts).completions -
    causalTestSize(steering(given), prompts).completions;
  // the same directions as removal has, and again the first five, with both groups
  expect(more({ held_tokens: ['all', 'prompt'] })).toBe((50 + 50 + 8 + 9 + 2) * evaluated + (5 + 2) * aside);
  expect(more({ held_tokens: ['prompt'] })).toBe(0);
  expect(more({ subtract: true })).toBe((50 + 50) * evaluated + 5 * aside);
  expect(more({ system: true })).toBe(evaluated + aside);
  expect(more({ system: false })).toBe(0);
  expect(more({ topic_half: true })).toBe(3 * evaluated);
  // 10 + 9 + 8 removals on the calibration prompts, groups of two and of three on the others
  expect(more({ greedy: 3 })).toBe(27 * 6 * 2 + 2 * (evaluated + aside));
  expect(more({ greedy: 2, greedy_from: 4 })).toBe(7 * 6 * 2 + evaluated + aside);
});

it('finds the completions of whole trials in a journal, and none in its other records', () => {
  const verdict = { score: 1, label: 'positive', coherence: 1, coherent: true, reason: '' };
  const one = { prompt_id: 'p', index: 0, text: 'x', tokens: 1, stop: 'end', ...verdict };
  const cost = { calls: 1, price: 0 };
  const about = { id: 'a', side: 'away', direction: 'latent 3', latent: 3, operation: 'add', dose: -0.1 };
  const trial = {
    kind: 'trial',
    ...about,
    part: 'evaluation',
    content: 'c',
    completions: [one, one],
    cost,
  };
  expect(completionsIn(trial)).toBe(2);
  const paid = { kind: 'verdict', id: 'v', trial: 'a', trial_content: 'c', content: 'd', ...verdict, cost };
  expect(completionsIn(paid)).toBe(0);
  expect(completionsIn('else')).toBeUndefined();
});
