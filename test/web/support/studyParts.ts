/** Small made-up parts of a study, complete as its files have them. */
import type {
  FixRecord,
  LatentRow,
  MeasuredFix,
  RankedSteeringRow,
  SteeringSummary,
  StudyManifest,
} from '../../../src/results.ts';

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

const tally = (completions: number, coherent: number, positives: number) => ({
  completions,
  coherent,
  positives,
});

/** A fix of two latents, found among four sets, beside a random set, an eigenvector and the reference. */
export function fixRecord(): FixRecord {
  const held = { operation: 'remove', latents: [7, 8] } as const;
  const none = { effect: null, low: null, high: null, way: null, way_low: null, way_high: null };
  const arm = (name: string, role: MeasuredFix['role'], more: Partial<MeasuredFix>): MeasuredFix => ({
    name,
    role,
    operation: null,
    latents: [],
    ...tally(48, 40, 20),
    ...none,
    mean_tokens: 31.2,
    ...more,
  });
  return {
    behaviour: 'flattery',
    site: 'resid_post 2',
    tokens: 'all',
    search: {
      prompts: 12,
      unsteered: tally(24, 22, 15),
      limit: 0.4,
      sets: [
        { operation: 'remove', orders: ['delta'], latents: [7], ...tally(24, 20, 8) },
        { ...held, orders: ['delta', 'certainty'], latents: [7, 8], ...tally(24, 18, 2) },
        { operation: 'cap', orders: ['delta'], latents: [7, 8], ...tally(24, 21, 9) },
        { operation: 'remove', orders: ['certainty'], latents: [9], ...tally(24, 22, 14) },
      ],
    },
    fix: {
      operation: 'remove',
      orders: ['delta', 'certainty'],
      latents: [7, 8],
      low: [0.5, 0.1],
      high: [0.5, 0.1],
    },
    measured: {
      prompts: 24,
      aside: true,
      unsteered: tally(48, 44, 30),
      arms: [
        arm('latents 7 + 8 removed', 'fix', {
          ...held,
          latents: [7, 8],
          ...tally(48, 38, 4),
          ...{ effect: -0.58, low: -0.7, high: -0.41, way: 0.9, way_low: 0.7, way_high: 1.1 },
        }),
        arm('random 1', 'random', { operation: 'remove', latents: [20, 21], effect: 0.02 }),
        arm('random 2', 'random', {
          operation: 'remove',
          latents: [22, 23],
          effect: -0.03,
          ...tally(48, 42, 27),
        }),
        arm('eigenvector 1', 'comparison', { ...tally(48, 30, 2), effect: -0.62, low: -0.75, high: -0.5 }),
        arm('reference', 'reference', { ...tally(48, 46, 2), effect: -0.64, low: -0.8, high: -0.5 }),
      ],
      random: { sets: 20, low: -0.2, high: 0.15 },
      p: 0.0123,
    },
    collateral: {
      tokens: 4096,
      loss: 3.2,
      arms: [{ name: 'latents 7 + 8 removed', loss: 3.214, agreement: 0.957, divergence: 0.0123 }],
    },
  };
}
