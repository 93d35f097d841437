/** Rows, inference, claims, the confirmed latents and the file of them, from outcomes made by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figureOf } from '../../../src/figure/figureOf.ts';
import {
  confirmedLatents,
  decodeSteering,
  effectVerdictNames,
  encodeSteering,
  type Operation,
  operations,
  type RankedSteeringRow,
  roles,
  type Side,
  steeringStages,
  steeringSummarySchema,
} from '../../../src/results.ts';
import type { ArmOutcome } from '../../../src/study/steering/armOutcome.ts';
import { steeringRows, zonesOf } from '../../../src/study/steering/steeringResult.ts';
import { steeringSummary } from '../../../src/study/steering/steeringSummary.ts';
import { madeDirection, madeTest, outcome, type Said } from './madeOutcomes.ts';
import { options } from './madeWork.ts';

/** Positives of 200 when removed, away, toward; left alone 100, 100 and 40. */
type Positives = readonly [remove: number | Said, away: number | Said, toward: number | Said];

const said = (of: number | Said): Said => (typeof of === 'number' ? { positives: of } : of);
function arms(name: string, role: Parameters<typeof madeDirection>[1], of: Positives, sign: 1 | -1 = 1) {
  const direction = madeDirection(name, role, sign);
  return [
    outcome(direction, 'remove', 'away', said(of[0])),
    outcome(direction, 'add', 'away', said(of[1])),
    outcome(direction, 'add', 'toward', said(of[2])),
  ];
}

/** Effects −.04 to .04 about 0, on either side the same. */
const apart = [-8, -6, -4, -2, 0, 0, 2, 4, 6, 8];
const random = apart.flatMap((by, i) =>
  arms(`latent ${10 + i}`, 'random', [
    100 + by,
    { positives: 100 + apart[(i + 3) % 10]!, ...(i === 0 && { logOdds: 0.1 }) },
    40 + apart[(i + 6) % 10]!,
  ]),
);
const notSampled: Said = {};
const noDose: Said = { stage: 'no dose' };

/**
 * 1 a cause under every operation, 2 when removed alone, 3 away only, 4 toward only, 5 beyond the zone with the
 * wrong sign on both sides, 6 not sampled, 7 without a dose toward.
 */
const candidates = [
  ...arms(
    'latent 1',
    'candidate',
    [
      { positives: 20, aside: 60 },
      { positives: 20, logOdds: -0.5, limitedBy: 'cheap' },
      { positives: 180, logOdds: 0.4 },
    ],
    -1,
  ),
  ...arms('latent 2', 'candidate', [40, 98, 44]),
  ...arms('latent 3', 'candidate', [100, { positives: 20, logOdds: -0.6 }, 44]),
  ...arms('latent 4', 'candidate', [104, 97, { positives: 160, logOdds: 0.3 }]),
  ...arms('latent 5', 'candidate', [100, { positives: 180, logOdds: 0.8 }, 20]),
  ...arms('latent 6', 'candidate', [notSampled, notSampled, notSampled]),
  ...arms('latent 7', 'candidate', [98, { positives: 20, logOdds: -0.8 }, noDose]),
];
const others = [
  ...arms('probe', 'comparison', [20, 30, 190]),
  ...arms('shuffled dictionary', 'control', [101, 99, 41]),
  ...arms('gaussian 1', 'gaussian', [100, 102, 38]),
  outcome(madeDirection('latent 1 + 2', 'group'), 'remove', 'away', { positives: 20 }),
];
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
  candidates: [
    { selector: 'delta-attribution', about: 'x', latents: [1, 3, 2, 6, 7] },
    { selector: 'delta-activation', about: 'y', latents: [4, 2, 5] },
    { selector: 'random', about: 'z', latents: [] },
  ],
  comparisons: [{ direction: 'probe', about: 'logistic regression', latent: null }],
  work: {
    sides: { away: { norm: 3 }, toward: { norm: 4 } } as never,
    prompts: {
      calibration: [{ id: 'c', prompt: 'Hello?', ids: [1, 2] }],
      evaluation: [
        { id: 'e', prompt: [{ role: 'user', content: 'Who?' }], ids: [3] },
        { id: 'f', prompt: 'And?', ids: [4] },
        { id: 'g', prompt: 'Last?', ids: [5] },
      ],
    },
    options,
    controls: apart.map((_, i) => madeDirection(`latent ${10 + i}`, 'random')),
    others: [madeDirection('gaussian 1', 'gaussian'), madeDirection('probe', 'comparison')],
  },
};

function made(outcomes: readonly ArmOutcome[]) {
  const test = madeTest(outcomes);
  const zones = zonesOf(test, 1);
  const rows = steeringRows({ test, zones, ranks, options: { ...options, seed: 1 } });
  return { test, zones, rows };
}
const { test, zones, rows } = made([...random, ...candidates, ...others]);
const summary = steeringSummary(test, zones, rows, about);
const rowOf = (
  direction: string | number,
  operation: Operation,
  side: Side,
  from: readonly RankedSteeringRow[] = rows,
) =>
  from.find(
    (row) =>
      (row.direction === direction || row.latent === direction) &&
      row.operation === operation &&
      row.side === side,
  )!;

/** s √(1 + 1/n) of the random latents' effects. */
const width = Math.sqrt(240 / 9 / 200 ** 2) * Math.sqrt(1.1);

describe('rows', () => {
  it('are every arm, with counts over all prompts', () => {
    expect(rows).toHaveLength(3 * (10 + 7 + 3) + 1);
    expect(rowOf(1, 'add', 'away')).toEqual({
      tokens: 'all',
      direction: 'latent 1',
      latent: 1,
      role: 'candidate',
      operation: 'add',
      side: 'away',
      sign: -1,
      stage: 'sampled',
      estimate: -1,
      log_odds: -0.5,
      damage: 0.5,
      forced_dose: -0.2,
      dose: -0.4,
      dose_limited_by: 'cheap',
      n: 240,
      coherent: 200,
      positives: 20,
      alone_n: 240,
      alone_coherent: 200,
      alone_positives: 100,
      effect: -0.4,
      low: -0.525,
      high: expect.closeTo(-0.275, 12),
      effect_of_all: expect.closeTo(-80 / 240, 12),
      of_all_low: expect.any(Number),
      of_all_high: expect.any(Number),
      effect_same_length: null,
      same_length_low: null,
      same_length_high: null,
      effect_minus_random: expect.closeTo(-0.4, 12),
      t: expect.closeTo(0.4 / width, 9),
      p: expect.any(Number),
      q: expect.any(Number),
      family_wise_p: expect.any(Number),
      verdict: 'confirmed',
      way: null,
      way_low: null,
      way_high: null,
      aside_n: 0,
      aside_coherent: 0,
      aside_effect: null,
      aside_low: null,
      aside_high: null,
      mean_tokens: 8,
      outside: true,
      ranks: { 'delta-attribution': 1 },
    });
    expect(rowOf(10, 'remove', 'away')).toMatchObject({
      role: 'random',
      effect: -0.04,
      effect_minus_random: null,
      p: null,
      verdict: null,
      outside: false,
      ranks: {},
    });
  });

  it('say of a removal how far it goes to the reference, and what it does on prompts kept aside', () => {
    // from 50 % to 10 %, the reference at 20 %
    const { way, way_low, way_high, ...row } = rowOf(1, 'remove', 'away');
    expect(way).toBeCloseTo(0.4 / 0.3, 12);
    expect(way_low).toBeLessThan(0.4 / 0.3);
    expect(way_high).toBeGreaterThan(0.4 / 0.3);
    expect(row).toMatchObject({ aside_n: 240, aside_coherent: 200, aside_effect: -0.2, aside_low: -0.325 });
    expect(rowOf(13, 'remove', 'away').way).toBeCloseTo(0.01 / 0.3, 12);
  });

  it('hold null for what was not measured', () => {
    for (const row of [
      rowOf(6, 'remove', 'away'),
      rowOf(6, 'add', 'away'),
      rowOf(6, 'add', 'toward'),
      rowOf(7, 'add', 'toward'),
    ])
      expect(row).toMatchObject({
        estimate: null,
        dose: null,
        dose_limited_by: null,
        n: 0,
        effect: null,
        low: null,
        high: null,
        effect_of_all: null,
        effect_minus_random: null,
        t: null,
        way: null,
        mean_tokens: null,
        outside: false,
        verdict: 'not sampled',
      });
    expect(rowOf(7, 'add', 'toward').stage).toBe('no dose');
    expect(rowOf(6, 'add', 'toward')).toMatchObject({ p: 1, family_wise_p: 1 });
  });
});

describe('inference', () => {
  const verdicts = (latent: number) =>
    (['remove', 'add'] as const).map((operation) => rowOf(latent, operation, 'away').verdict);

  it('confirms removal and adding each by itself, adding on both sides with both signs', () => {
    expect(verdicts(1)).toEqual(['confirmed', 'confirmed']);
    expect(verdicts(2)).toEqual(['confirmed', 'not shown']);
    for (const latent of [3, 4, 5]) expect(verdicts(latent)).toEqual(['not shown', 'not shown']);
    expect(verdicts(6)).toEqual(['not sampled', 'not sampled']);
    // one side of two has no dose: the test of both has not been made
    expect(verdicts(7)).toEqual(['not shown', 'not sampled']);
  });

  it('tells of both rows of adding what the test of both says, of each its own t and p', () => {
    const [away, toward] = [rowOf(3, 'add', 'away'), rowOf(3, 'add', 'toward')];
    expect(away.family_wise_p).toBeGreaterThan(0.05);
    expect(away.p).toBeLessThan(0.001);
    expect(toward.p).toBeGreaterThan(0.1);
    expect(toward.t).toBeCloseTo(0.02 / width, 9);
    expect(toward.verdict).toBe(away.verdict);
  });

  it('counts candidates that were not sampled: more of them make every family-wise p greater', () => {
    const middling = arms('latent 8', 'candidate', [80, 80, 60]);
    const few = made([...random, ...middling]).rows;
    const unsampled = Array.from({ length: 40 }, (_, i) =>
      arms(`latent ${100 + i}`, 'candidate', [notSampled, notSampled, notSampled]),
    );
    const many = made([...random, ...middling, ...unsampled.flat()]).rows;
    const [a, b] = [rowOf(8, 'remove', 'away', few), rowOf(8, 'remove', 'away', many)];
    expect(a.effect_minus_random).toBeCloseTo(-0.1, 12);
    // alone it is tested twice, removed and added
    expect(a.family_wise_p).toBeCloseTo(2 * a.p!, 12);
    expect([a.verdict, b.verdict]).toEqual(['confirmed', 'suggestive']);
    expect(b.family_wise_p).toBeGreaterThan(10 * a.family_wise_p!);
    // its own p knows nothing of the others
    expect(Math.abs(a.p! - b.p!)).toBeLessThan(0.003);
    const [c, d] = [rowOf(8, 'add', 'away', few), rowOf(8, 'add', 'away', many)];
    expect(d.family_wise_p).toBeGreaterThanOrEqual(c.family_wise_p!);
  });

  it('takes what is no candidate as a family of its own', () => {
    const alone = made([...random, ...candidates]).rows;
    for (const row of alone) expect(rowOf(row.direction, row.operation, row.side)).toEqual(row);
    expect(rowOf('probe', 'add', 'away').verdict).toBe('confirmed');
    expect(rowOf('latent 1 + 2', 'remove', 'away').verdict).toBe('confirmed');
    expect(rowOf('gaussian 1', 'remove', 'away').verdict).toBe('not shown');
    const fewer = made([...random, ...candidates.slice(0, 3), ...others]).rows;
    for (const name of ['probe', 'shuffled dictionary', 'gaussian 1'])
      expect(rowOf(name, 'remove', 'away', fewer)).toEqual(rowOf(name, 'remove', 'away'));
  });

  it('tests patches apart', () => {
    const patch = (name: string, role: 'random' | 'candidate', positives: number) =>
      outcome(madeDirection(name, role), 'patch', 'toward', { positives });
    const patched = made([
      ...random,
      ...candidates,
      ...apart.map((by, i) => patch(`latent ${10 + i}`, 'random', 40 + by)),
      patch('latent 1', 'candidate', 90),
      patch('latent 3', 'candidate', 42),
    ]);
    expect(rowOf(1, 'patch', 'toward', patched.rows)).toMatchObject({
      verdict: 'confirmed',
      way: expect.closeTo(0.25 / 0.3, 12),
    });
    expect(rowOf(3, 'patch', 'toward', patched.rows).verdict).toBe('not shown');
    expect(patched.zones.patch!.mean).toBeCloseTo(0, 12);
    expect(rowOf(1, 'remove', 'away', patched.rows)).toEqual(rowOf(1, 'remove', 'away'));
  });
});

describe('claims', () => {
  const claim = (selector: string) => summary.selectors.find((one) => one.selector === selector);

  it('count the confirmed, and latents beyond the zone with the sign of a cause', () => {
    expect(claim('delta-attribution')).toMatchObject({
      candidates: 5,
      confirmed: { remove: 2, add: 1, either: 2 },
      outside: { remove: 2, away: 3, toward: 1, both: 1 },
      sampled: { remove: 4, away: 4, toward: 3 },
    });
    expect(claim('delta-activation')).toMatchObject({
      candidates: 3,
      confirmed: { remove: 1, add: 0, either: 1 },
      outside: { remove: 1, away: 0, toward: 1, both: 0 },
      sampled: { remove: 3, away: 3, toward: 3 },
    });
  });

  it('have the mean effect of those that were sampled, with its sign; null for none', () => {
    const { mean_effect } = claim('delta-attribution')!;
    expect(mean_effect.remove).toBeCloseTo((-0.4 - 0.3 + 0 - 0.01) / 4, 12);
    expect(mean_effect.away).toBeCloseTo((-0.4 - 0.4 - 0.01 - 0.4) / 4, 12);
    expect(mean_effect.toward).toBeCloseTo((0.7 + 0.02 + 0.02) / 3, 12);
    expect(claim('random')).toMatchObject({
      candidates: 0,
      confirmed: { remove: 0, add: 0, either: 0 },
      mean_effect: { remove: null, away: null, toward: null },
    });
  });

  it('tell how many leave the zone, beside how many of all candidates would by chance', () => {
    const { remove, away, toward, both } = summary.exits;
    expect([remove, away, toward, both].map(({ observed }) => observed)).toEqual([2, 3, 2, 1]);
    // 2.5 % of seven on each side
    for (const { expected } of [remove, away, toward]) expect(Math.abs(expected - 0.175)).toBeLessThan(0.06);
    expect(both.expected).toBeLessThan(0.1);
  });
});

describe('confirmed latents', () => {
  it('are those that either test confirms, the greatest of equal p first', () => {
    expect(confirmedLatents(rows).map(({ latent }) => latent)).toEqual([1, 2]);
    expect(confirmedLatents(rows.toReversed()).map(({ latent }) => latent)).toEqual([1, 2]);
    expect(summary.first).toEqual({
      latent: 1,
      operation: 'remove',
      family_wise_p: rowOf(1, 'remove', 'away').family_wise_p,
      ranks: { 'delta-attribution': 1 },
    });
  });

  it('may be none', () => {
    const none = made([...random, ...arms('latent 5', 'candidate', [100, 180, 20])]);
    expect(confirmedLatents(none.rows)).toEqual([]);
    expect(steeringSummary(none.test, none.zones, none.rows, { ...about, candidates: [] }).first).toBeNull();
  });
});

describe('the summary', () => {
  it('fits its schema, as JSON too', () => {
    expect(steeringSummarySchema.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
  });

  it('holds the prompts that were steered on, without their tokens, those kept aside told apart', () => {
    expect(summary.prompts).toEqual([
      { id: 'c', use: 'calibration', prompt: 'Hello?' },
      { id: 'e', use: 'evaluation', prompt: [{ role: 'user', content: 'Who?' }] },
      { id: 'f', use: 'evaluation', prompt: 'And?' },
      { id: 'g', use: 'aside', prompt: 'Last?' },
    ]);
  });

  it('counts stages, others apart, and what was left alone', () => {
    const besides = { 'comparison: sampled': 1, 'control: sampled': 1, 'gaussian: sampled': 1 };
    expect(summary.stages).toEqual({
      'remove away': { 'random: sampled': 10, sampled: 6, 'log-odds': 1, ...besides, 'group: sampled': 1 },
      'add away': { 'random: sampled': 10, sampled: 6, 'log-odds': 1, ...besides },
      'add toward': { 'random: sampled': 10, sampled: 5, 'no dose': 1, 'log-odds': 1, ...besides },
    });
    expect([summary.random, summary.gaussian]).toEqual([10, 1]);
    expect(summary.norm).toEqual({ away: 3, toward: 4 });
    expect(summary.alone.toward).toEqual({ completions: 240, coherent: 200, positives: 40 });
    expect(summary.zone.away).toMatchObject({ effects: 10, mean: expect.closeTo(0, 12) });
    expect([summary.zone.patch, summary.gate]).toEqual([null, null]);
    const band = { low: -0.1, high: 0.1 };
    const gate = { remove: band, away: band, toward: band };
    expect(steeringSummary({ ...test, gate }, zones, rows, about).gate).toEqual(gate);
  });

  it('ranks log-odds against effects of the sampled ones: Spearman by hand', () => {
    // by log-odds: 7 3 1 10 5; effects −.4 −.4 −.4 −.02 .4: ranks 2 2 2 4 5
    const [x, y] = [
      [1, 2, 3, 4, 5],
      [2, 2, 2, 4, 5],
    ].map((values) => values.map((value) => value - 3)) as [number[], number[]];
    const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
    expect(summary.log_odds_agreement.away).toBeCloseTo(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), 12);
    // two are too few, none too
    expect(summary.log_odds_agreement.toward).toBeNull();
    expect(summary.log_odds_agreement.remove).toBeNull();
  });
});

it('the figure has a row of every candidate that was sampled, strongest first, and of what it is compared with', () => {
  const figure = figureOf(rows, summary);
  expect(figure.behaviour).toBe('rudeness');
  const labels = (some: readonly { readonly label: string }[]) => some.map(({ label }) => label);
  expect(labels(figure.candidates).slice(0, 2)).toEqual(['latent 1 (−)', 'latent 2']);
  expect(labels(figure.candidates).toSorted()).toEqual(
    ['latent 1 (−)', 'latent 2', 'latent 3', 'latent 4', 'latent 5', 'latent 7'].sort(),
  );
  expect(labels(figure.groups)).toEqual(['latent 1 + 2']);
  expect(labels(figure.comparisons)).toEqual(['probe', 'shuffled dictionary']);
  expect(figure.random.map(({ latent }) => latent)).toEqual(apart.map((_, i) => 10 + i));
  expect(figure.gaussian.map(({ direction }) => direction)).toEqual(['gaussian 1']);
  const [first] = figure.candidates;
  expect(first!.effects.remove).toEqual({
    effect: -0.4,
    low: -0.525,
    high: expect.closeTo(-0.275, 12),
    verdict: 'confirmed',
    aside: { effect: -0.2, low: -0.325, high: expect.closeTo(-0.075, 12) },
  });
  expect(first!.effects.toward).toMatchObject({ verdict: 'confirmed', aside: undefined });
  const last = figure.candidates.find(({ latent }) => latent === 7)!;
  expect(last.effects.toward).toBeUndefined();
  expect(figure.alone).toEqual({ subject: 0.5, reference: 0.2 });
  expect(figure.prompts).toEqual({ evaluation: 2, aside: 1 });
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
    const named = <T>(value: T, ...names: string[]) => Object.fromEntries(names.map((name) => [name, value]));
    const row = fc.record({
      direction: fc.string(),
      latent: fc.option(whole),
      role: fc.constantFrom(...roles),
      operation: fc.constantFrom(...operations),
      side: fc.constantFrom('away', 'toward'),
      tokens: fc.option(fc.constantFrom('all', 'prompt', 'completion')),
      sign: fc.constantFrom(1, -1),
      stage: fc.constantFrom(...steeringStages),
      ...named(maybe, 'estimate', 'log_odds', 'damage', 'forced_dose', 'dose', 'mean_tokens'),
      dose_limited_by: fc.option(fc.constantFrom('judge', 'cheap', 'both')),
      ...named(whole, 'n', 'coherent', 'positives', 'alone_n', 'alone_coherent', 'alone_positives'),
      ...named(whole, 'aside_n', 'aside_coherent'),
      ...named(
        maybe,
        'effect',
        'low',
        'high',
        'effect_of_all',
        'of_all_low',
        'of_all_high',
        'effect_same_length',
        'same_length_low',
        'same_length_high',
        'effect_minus_random',
        't',
        'p',
        'q',
      ),
      ...named(maybe, 'family_wise_p', 'way', 'way_low', 'way_high'),
      ...named(maybe, 'aside_effect', 'aside_low', 'aside_high'),
      verdict: fc.option(fc.constantFrom(...effectVerdictNames)),
      outside: fc.boolean(),
      ranks: fc.dictionary(fc.constantFrom('delta-attribution', 'delta-activation', 'exact'), whole, {
        noNullPrototype: true,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (some) => {
        expect(await back(some as unknown as RankedSteeringRow[])).toEqual(some);
      }),
      { numRuns: 60 },
    );
  });
});
