/** Small made-up parts of a study, complete as its files have them. */
import type { LatentRow, RankedSteeringRow, SteeringSummary, StudyManifest } from '../../../src/results.ts';

export const latentRow = (latent: number, rank: number, delta = 1 / rank): LatentRow => ({
  latent,
  rank,
  delta,
  standard_error: 0.01,
  same_sign: 0.75,
  sign: 1,
  p: 0.001,
  q: 0.01,
  silent_share: 0.2,
  activation_delta: 0.1,
  deflated: 0.1,
  rank_low: 1,
  rank_high: 9,
});

/** Steered at 0.2, 100 completions of which half were positive when left alone. */
export function steeringRow(
  latent: number,
  side: 'away' | 'toward',
  effect: number | null,
  more: Partial<RankedSteeringRow> = {},
): RankedSteeringRow {
  const sampled = effect !== null;
  return {
    latent,
    side,
    role: 'candidate',
    stage: sampled ? 'many' : 'log-odds',
    estimate: 0,
    log_odds: 0,
    damage: 0,
    forced_dose: 0.2,
    dose: sampled ? (side === 'away' ? -0.2 : 0.2) : null,
    dose_limited_by: null,
    n: sampled ? 100 : 0,
    coherent: sampled ? 100 : 0,
    positives: sampled ? Math.round(100 * (0.5 + effect)) : 0,
    alone_coherent: 100,
    alone_positives: 50,
    effect,
    low: sampled ? effect - 0.05 : null,
    high: sampled ? effect + 0.05 : null,
    mean_tokens: 20,
    outside: sampled && Math.abs(effect) > 0.1,
    ranks: { 'delta-attribution': 1 },
    ...more,
  };
}

/** Both directions of a latent. */
export const steered = (
  latent: number,
  away: number | null,
  toward: number | null,
  more: Partial<RankedSteeringRow> = {},
): RankedSteeringRow[] => [
  steeringRow(latent, 'away', away, more),
  steeringRow(latent, 'toward', toward, more),
];

const edges = {
  low: -0.1,
  high: 0.1,
  lowInterval: { low: -0.15, high: -0.05 },
  highInterval: { low: 0.05, high: 0.15 },
  effects: 30,
};
const both = <T>(value: T) => ({ away: value, toward: value });

/** A gray zone of ±10 points in both directions. */
export const summary = (more: Partial<SteeringSummary> = {}): SteeringSummary => ({
  behaviour: 'flattery',
  site: 'resid_post 3',
  norm: both(50),
  zone: both(edges),
  gate: null,
  limit: both(0.1),
  alone: both({ completions: 100, coherent: 100, positives: 50 }),
  random: 30,
  log_odds_agreement: both(0.8),
  first: null,
  selectors: [
    {
      selector: 'delta-attribution',
      about: 'first-order effect',
      candidates: 2,
      outside: { away: 1, toward: 1, both: 1 },
      sampled: both(2),
      mean_effect: both(-0.1),
    },
  ],
  stages: both({ many: 2 }),
  prompts: [],
  ...more,
});

type Stage = StudyManifest['stages'][string];

export const stage = (counts: Record<string, number>, more: Partial<Stage> = {}): Stage => ({
  key: 'k',
  finished: '2026-01-01T00:00:00.000Z',
  versions: { culprit: '0.1.0' },
  inputs: {},
  options: {},
  counts,
  seconds: { work: 1 },
  outputs: {},
  edited: [],
  ...more,
});

export const manifest = (stages: StudyManifest['stages']): StudyManifest => ({
  command: 'study',
  created: '2026-01-01T00:00:00.000Z',
  versions: { culprit: '0.1.0' },
  stages,
  writing: [],
});
