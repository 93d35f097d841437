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

export type Place = 'remove' | 'away' | 'toward';

/** Added at 0.2 or removed, 100 completions of which half were positive when left alone; no verdict says more. */
export function steeringRow(
  latent: number,
  place: Place,
  effect: number | null,
  more: Partial<RankedSteeringRow> = {},
): RankedSteeringRow {
  const sampled = effect !== null;
  const isAdded = place !== 'remove';
  return {
    direction: `latent ${latent}`,
    latent,
    role: 'candidate',
    operation: isAdded ? 'add' : 'remove',
    side: place === 'toward' ? 'toward' : 'away',
    tokens: 'all',
    sign: 1,
    stage: sampled ? 'sampled' : 'log-odds',
    estimate: 0,
    log_odds: 0,
    damage: 0,
    forced_dose: isAdded ? 0.2 : 0,
    dose: sampled && isAdded ? (place === 'away' ? -0.2 : 0.2) : null,
    dose_limited_by: null,
    n: sampled ? 100 : 0,
    coherent: sampled ? 100 : 0,
    positives: sampled ? Math.round(100 * (0.5 + effect)) : 0,
    alone_n: sampled ? 100 : 0,
    alone_coherent: sampled ? 100 : 0,
    alone_positives: sampled ? 50 : 0,
    effect,
    low: sampled ? effect - 0.05 : null,
    high: sampled ? effect + 0.05 : null,
    effect_of_all: effect,
    of_all_low: sampled ? effect - 0.05 : null,
    of_all_high: sampled ? effect + 0.05 : null,
    effect_same_length: effect,
    same_length_low: sampled ? effect - 0.05 : null,
    same_length_high: sampled ? effect + 0.05 : null,
    effect_minus_random: effect,
    t: sampled ? 1 : null,
    p: sampled ? 0.5 : 1,
    q: sampled ? 0.5 : 1,
    family_wise_p: 1,
    verdict: sampled ? 'not shown' : 'not sampled',
    way: sampled && !isAdded ? -2 * effect : null,
    way_low: sampled && !isAdded ? -2 * effect - 0.1 : null,
    way_high: sampled && !isAdded ? -2 * effect + 0.1 : null,
    aside_n: 0,
    aside_coherent: 0,
    aside_effect: null,
    aside_low: null,
    aside_high: null,
    mean_tokens: 20,
    outside: sampled && Math.abs(effect) > 0.1,
    ranks: { 'delta-attribution': 1 },
    ...more,
  };
}

/** Both sides of a latent that was added. */
export const steered = (
  latent: number,
  away: number | null,
  toward: number | null,
  more: Partial<RankedSteeringRow> = {},
): RankedSteeringRow[] => [
  steeringRow(latent, 'away', away, more),
  steeringRow(latent, 'toward', toward, more),
];

/** A latent that was removed. */
export const removed = (
  latent: number,
  effect: number | null,
  more: Partial<RankedSteeringRow> = {},
): RankedSteeringRow[] => [steeringRow(latent, 'remove', effect, more)];

export const confirmed = { verdict: 'confirmed', family_wise_p: 0.012, q: 0.01 } as const;
export const suggestive = { verdict: 'suggestive', family_wise_p: 0.2, q: 0.1 } as const;

/** A direction that is no latent. */
export const other = (
  direction: string,
  role: 'comparison' | 'control' | 'group' | 'gaussian',
  rows: readonly RankedSteeringRow[],
): RankedSteeringRow[] => rows.map((row) => ({ ...row, direction, latent: null, role, ranks: {} }));

const zone: SteeringSummary['zone']['away'] = {
  low: -0.1,
  high: 0.1,
  lowInterval: { low: -0.15, high: -0.05 },
  highInterval: { low: 0.05, high: 0.15 },
  effects: 30,
  mean: 0,
  deviation: 0.05,
};
export const bySide = <T>(value: T) => ({ away: value, toward: value });
export const byPlace = <T>(value: T) => ({ remove: value, away: value, toward: value });

/** Gray zones of ±10 points. */
export const summary = (more: Partial<SteeringSummary> = {}): SteeringSummary => ({
  behaviour: 'flattery',
  site: 'resid_post 3',
  norm: bySide(50),
  zone: { ...byPlace(zone), patch: null },
  exits: { ...byPlace({ expected: 0.1, observed: 1 }), both: { expected: 0.05, observed: 0 } },
  gate: null,
  limit: bySide(0.1),
  alone: bySide({ completions: 100, coherent: 100, positives: 50 }),
  random: 30,
  gaussian: 0,
  log_odds_agreement: byPlace(0.8),
  first: null,
  selectors: [
    {
      selector: 'delta-attribution',
      about: 'first-order effect',
      candidates: 2,
      confirmed: { remove: 1, add: 0, either: 1 },
      outside: { remove: 1, away: 1, toward: 1, both: 1 },
      sampled: byPlace(2),
      mean_effect: byPlace(-0.1),
    },
  ],
  comparisons: [],
  stages: { 'add away': { sampled: 2 }, 'add toward': { sampled: 2 } },
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
