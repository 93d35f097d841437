/** Rows, claims, the confirmed latents and the file of them, from outcomes made by hand. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figureOf } from '../../../src/figure/figureOf.ts';
import {
  confirmedLatents,
  decodeSteering,
  encodeSteering,
  type RankedSteeringRow,
  type Side,
  type SteeringStage,
  steeringStages,
  steeringSummarySchema,
} from '../../../src/results.ts';
import type { LatentOutcome } from '../../../src/study/steering/latentOutcome.ts';
import type { SideOutcome } from '../../../src/study/steering/side.ts';
import { type Sides, steeringRows, steeringSummary } from '../../../src/study/steering/steeringResult.ts';

const alone = { completions: 10, coherent: 10, positives: 5 };
const signs = { away: -1, toward: 1 };

interface Said {
  readonly stage?: SteeringStage;
  readonly role?: LatentOutcome['role'];
  /** of 10 coherent steered completions of each of two prompts; without it the latent was not sampled */
  readonly positives?: readonly [number, number];
  readonly place?: LatentOutcome['place'];
  readonly logOdds?: number;
}

function outcome(latent: number, side: Side, said: Said): LatentOutcome {
  const { stage = 'many', role = 'candidate', positives, place = 'inside', logOdds = 0 } = said;
  const prompts = (positives ?? []).map((count) => ({
    steered: { completions: 12, coherent: 10, positives: count },
    alone,
  }));
  const effect = positives === undefined ? Number.NaN : (positives[0] + positives[1]) / 20 - 0.5;
  return {
    latent,
    role,
    stage,
    forced: {
      kind: 'forced',
      id: `${side}/${latent}`,
      side,
      latent,
      dose: signs[side] * 0.2,
      content: '',
      estimate: 2 * logOdds,
      log_odds: logOdds,
      damage: 0.5,
    },
    dose: positives === undefined ? undefined : signs[side] * 0.4,
    tried: [],
    limitedBy: side === 'away' && latent === 1 ? 'cheap' : undefined,
    prompts,
    effect,
    interval: { low: effect - 0.1, high: effect + 0.1 },
    place,
    meanTokens: positives === undefined ? Number.NaN : 7.5,
  };
}

const band = { low: -0.1, high: 0.1 };

function side(side: Side, said: Readonly<Record<number, Said>>): SideOutcome {
  return {
    side,
    zone: { ...band, lowInterval: { low: -0.2, high: 0 }, highInterval: { low: 0, high: 0.2 } },
    effects: Object.values(said).filter(({ role }) => role === 'random').length,
    limit: 0.15,
    alone: [alone, alone],
    latents: Object.entries(said).map(([latent, one]) => outcome(Number(latent), side, one)),
    trials: [],
  };
}

const random = { role: 'random', positives: [5, 5] } as const;
const out = (positives: readonly [number, number]): Said => ({ positives, place: 'outside' });

/**
 * 1 a cause in both directions, 2 a greater one, 3 away only, 4 toward only, 5 beyond the zone with the
 * wrong sign in both, 6 not sampled, 7 without a dose toward, 8 random and beyond the zone as a cause would
 * be.
 */
const sides: Sides = {
  away: side('away', {
    8: { ...out([0, 0]), role: 'random', logOdds: -0.9 },
    9: { ...random, logOdds: 0.1 },
    1: { ...out([2, 2]), logOdds: -0.5 },
    2: { ...out([1, 1]), logOdds: -0.7 },
    3: { ...out([0, 2]), logOdds: -0.6 },
    4: { positives: [4, 5], logOdds: 0 },
    5: { ...out([9, 9]), logOdds: 0.8 },
    7: { ...out([0, 0]), logOdds: -0.8 },
    6: { stage: 'log-odds' },
  }),
  toward: side('toward', {
    8: { ...out([10, 10]), role: 'random' },
    9: { ...random },
    1: out([8, 8]),
    2: out([9, 9]),
    3: { positives: [5, 6] },
    4: out([10, 10]),
    5: out([1, 1]),
    7: { stage: 'no dose' },
    6: { stage: 'log-odds' },
  }),
};
const ranks = new Map([
  [1, { 'delta-attribution': 1 }],
  [2, { 'delta-attribution': 3, 'delta-activation': 2 }],
  [3, { 'delta-attribution': 2 }],
  [4, { 'delta-activation': 1 }],
  [5, { 'delta-activation': 3 }],
  [6, { 'delta-attribution': 4 }],
  [7, { 'delta-attribution': 5 }],
]);
const about = {
  behaviour: 'rudeness',
  site: 'resid_post 1',
  norm: { away: 3, toward: 4 },
  gate: { away: band, toward: band },
  candidates: [
    { selector: 'delta-attribution', about: 'x', latents: [1, 3, 2, 6, 7] },
    { selector: 'delta-activation', about: 'y', latents: [4, 2, 5] },
    { selector: 'random', about: 'z', latents: [] },
  ],
  prompts: {
    calibration: [{ id: 'c', prompt: 'Hello?', ids: [1, 2] }],
    evaluation: [{ id: 'e', prompt: [{ role: 'user', content: 'Who?' }], ids: [3] }],
  },
};
const rows = steeringRows(sides, ranks);
const summary = steeringSummary(sides, rows, about);
const rowOf = (latent: number, side: Side, from: readonly RankedSteeringRow[] = rows) =>
  from.find((row) => row.latent === latent && row.side === side)!;

describe('rows', () => {
  it('are both directions of every latent, with counts over all prompts', () => {
    expect(rows).toHaveLength(18);
    expect(rowOf(1, 'away')).toEqual({
      latent: 1,
      direction: 'away',
      role: 'candidate',
      stage: 'many',
      estimate: -1,
      log_odds: -0.5,
      damage: 0.5,
      forced_dose: -0.2,
      dose: -0.4,
      dose_limited_by: 'cheap',
      n: 24,
      coherent: 20,
      positives: 4,
      alone_coherent: 20,
      alone_positives: 10,
      effect: -0.3,
      low: -0.4,
      high: expect.closeTo(-0.2, 12),
      mean_tokens: 7.5,
      outside: true,
      ranks: { 'delta-attribution': 1 },
    });
    expect(rowOf(9, 'toward')).toMatchObject({ role: 'random', effect: 0, outside: false, ranks: {} });
  });

  it('hold null for what was not measured', () => {
    for (const row of [rowOf(6, 'away'), rowOf(6, 'toward'), rowOf(7, 'toward')])
      expect(row).toMatchObject({
        dose: null,
        dose_limited_by: null,
        n: 0,
        effect: null,
        low: null,
        high: null,
        mean_tokens: null,
        outside: false,
      });
    expect(rowOf(7, 'toward').stage).toBe('no dose');
  });
});

describe('claims', () => {
  const claim = (selector: string) => summary.selectors.find((one) => one.selector === selector);

  it('count latents beyond the zone with the sign of a cause, and both', () => {
    // away: 1, 2, 3, 7 go down; toward: 1, 2 go up
    expect(claim('delta-attribution')).toMatchObject({
      candidates: 5,
      outside: { away: 4, toward: 2, both: 2 },
      sampled: { away: 4, toward: 3 },
    });
    // away: 2 goes down, 4 stays, 5 goes up; toward: 4, 2 go up, 5 goes down
    expect(claim('delta-activation')).toMatchObject({
      candidates: 3,
      outside: { away: 1, toward: 2, both: 1 },
      sampled: { away: 3, toward: 3 },
    });
  });

  it('have the mean effect of those that were sampled, with its sign; null for none', () => {
    expect(claim('delta-attribution')!.mean_effect.away).toBeCloseTo((-0.3 - 0.4 - 0.4 - 0.5) / 4, 12);
    expect(claim('delta-attribution')!.mean_effect.toward).toBeCloseTo((0.3 + 0.4 + 0.05) / 3, 12);
    expect(claim('delta-activation')!.mean_effect.away).toBeCloseTo((-0.05 - 0.4 + 0.4) / 3, 12);
    expect(claim('random')).toMatchObject({
      candidates: 0,
      outside: { away: 0, toward: 0, both: 0 },
      mean_effect: { away: null, toward: null },
    });
  });
});

describe('confirmed latents', () => {
  it('are candidates beyond the zone both ways with both signs, the greatest first', () => {
    expect(
      confirmedLatents(rows, summary.zone).map(({ away, toward }) => [away.latent, toward.latent]),
    ).toEqual([
      [2, 2],
      [1, 1],
    ]);
    expect(confirmedLatents(rows.toReversed(), summary.zone).map(({ away }) => away.latent)).toEqual([2, 1]);
    expect(summary.first).toEqual({
      latent: 2,
      away: -0.4,
      toward: 0.4,
      ranks: { 'delta-attribution': 3, 'delta-activation': 2 },
    });
  });

  it('weigh both effects together; of equal ones the lower latent is first', () => {
    const two: Sides = {
      away: side('away', { 5: out([0, 0]), 3: out([3, 3]), 2: out([1, 1]) }),
      toward: side('toward', { 5: out([7, 7]), 3: out([10, 10]), 2: out([9, 9]) }),
    };
    // 0.5 + 0.2, 0.2 + 0.5, 0.4 + 0.4
    const confirmed = confirmedLatents(steeringRows(two, new Map()), { away: band, toward: band });
    expect(confirmed.map(({ away }) => away.latent)).toEqual([2, 3, 5]);
  });

  it('may be none', () => {
    const none: Sides = { away: side('away', { 1: out([2, 2]) }), toward: side('toward', { 1: random }) };
    const rows = steeringRows(none, new Map());
    expect(confirmedLatents(rows, { away: band, toward: band })).toEqual([]);
    expect(steeringSummary(none, rows, { ...about, candidates: [] }).first).toBeNull();
  });
});

describe('the summary', () => {
  it('fits its schema, as JSON too', () => {
    expect(steeringSummarySchema.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
  });

  it('holds the prompts that were steered on, without their tokens', () => {
    expect(summary.prompts).toEqual([
      { id: 'c', use: 'calibration', prompt: 'Hello?' },
      { id: 'e', use: 'evaluation', prompt: [{ role: 'user', content: 'Who?' }] },
    ]);
  });

  it('is read where it was written before prompts were kept', () => {
    const { prompts: _, ...before } = summary;
    expect(steeringSummarySchema.parse(before).prompts).toEqual([]);
  });

  it('counts stages, random latents apart, and what was left alone', () => {
    expect(summary.stages).toEqual({
      away: { 'random: many': 2, many: 6, 'log-odds': 1 },
      toward: { 'random: many': 2, many: 5, 'no dose': 1, 'log-odds': 1 },
    });
    expect(summary.random).toBe(2);
    expect(summary.alone.away).toEqual({ completions: 20, coherent: 20, positives: 10 });
    expect(steeringSummary(sides, rows, { ...about, gate: undefined }).gate).toBeNull();
  });

  it('ranks log-odds against effects of the sampled ones: Spearman by hand', () => {
    // by log-odds: 8 7 2 3 1 4 9 5; effects −.5 −.5 −.4 −.4 −.3 −.05 0 .4: ranks 1.5 1.5 3.5 3.5 5 6 7 8
    const x = [1, 2, 3, 4, 5, 6, 7, 8];
    const y = [1.5, 1.5, 3.5, 3.5, 5, 6, 7, 8];
    const centred = (values: number[]) => values.map((v) => v - 4.5);
    const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
    const [p, q] = [centred(x), centred(y)];
    expect(summary.log_odds_agreement.away).toBeCloseTo(dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q)), 12);
    // all log-odds toward are equal: there is no rank to agree with
    expect(summary.log_odds_agreement.toward).toBeNull();
    const few: Sides = { away: side('away', { 1: random, 2: random }), toward: side('toward', {}) };
    expect(steeringSummary(few, [], { ...about, candidates: [] }).log_odds_agreement.away).toBeNull();
  });
});

it('the figure shows those with an effect in both directions, candidates apart from random ones', () => {
  const { points, random, behaviour } = figureOf(rows, summary);
  expect(behaviour).toBe('rudeness');
  expect(points.map(({ latent }) => latent).sort()).toEqual([1, 2, 3, 4, 5]);
  expect(random.map(({ latent }) => latent)).toEqual([8, 9]);
  const two = points.find(({ latent }) => latent === 2)!;
  expect(two).toMatchObject({
    away: -0.4,
    toward: 0.4,
    awayInterval: { low: -0.5, high: expect.closeTo(-0.3, 12) },
  });
  expect([...two.selectors].sort()).toEqual(['delta-activation', 'delta-attribution']);
});

describe('steering.parquet', () => {
  const back = (some: readonly RankedSteeringRow[]) => decodeSteering(encodeSteering(some));
  /** Numbers as float32 has them. */
  const rounded = ({ ranks, ...row }: RankedSteeringRow) => ({
    ...Object.fromEntries(
      Object.entries(row).map(([name, x]) => [name, typeof x === 'number' ? Math.fround(x) : x]),
    ),
    ranks,
  });

  it('holds every row, null and rank', async () => {
    expect(await back(rows)).toEqual(rows.map(rounded));
  });

  it('holds any rows', async () => {
    const real = fc.float({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0);
    const maybe = fc.option(real);
    const whole = fc.nat({ max: 1_000_000 });
    const row = fc.record({
      latent: whole,
      side: fc.constantFrom('away', 'toward'),
      role: fc.constantFrom('candidate', 'random'),
      stage: fc.constantFrom(...steeringStages),
      estimate: real,
      log_odds: real,
      damage: real,
      forced_dose: real,
      dose: maybe,
      dose_limited_by: fc.option(fc.constantFrom('judge', 'cheap', 'both')),
      n: whole,
      coherent: whole,
      positives: whole,
      alone_coherent: whole,
      alone_positives: whole,
      effect: maybe,
      low: maybe,
      high: maybe,
      mean_tokens: maybe,
      outside: fc.boolean(),
      ranks: fc.dictionary(fc.constantFrom('delta-attribution', 'delta-activation', 'exact'), whole, {
        noNullPrototype: true,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (some) => {
        expect(await back(some as RankedSteeringRow[])).toEqual(some);
      }),
      { numRuns: 60 },
    );
  });
});
