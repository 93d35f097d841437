/**
 * The whole causal test on the tiny subject, against what each number is said to be: by the records, by hand.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import type { JudgeItem } from '../../../src/judges/judge.ts';
import {
  bothSides,
  type Operation,
  placeOfRow,
  type Side,
  signOf,
  type TrialRecord,
} from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import type { ArmOutcome } from '../../../src/study/steering/armOutcome.ts';
import { testCausally } from '../../../src/study/steering/causalTest.ts';
import { steeringRows, zonesOf } from '../../../src/study/steering/steeringResult.ts';
import type { SteeringRecord, SteeringWork } from '../../../src/study/steering/work.ts';
import { putAll } from '../../support/tinyFolder.ts';
import {
  countingGrader,
  latentsAs,
  madeWork,
  memoryJournal,
  openTiny,
  options,
  unitDirection,
  verdictOn,
} from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-causal-test-'));
let runtime: Runtime;
let opened: Awaited<ReturnType<typeof openTiny>>;
const candidates = [1, 5, 8, 13, 21, 30];
const controls = [2, 3, 11, 17, 33, 39];
const others = [unitDirection('gaussian 1', 'gaussian', 1), unitDirection('probe', 'comparison', 2)];

beforeAll(async () => {
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(await putAll(folder));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const named = (latents: readonly number[]) => latents.map((latent) => `latent ${latent}`);
const asCandidates = (latents: readonly number[]) => latentsAs('candidate', latents, opened.dictionary);
const asControls = (latents: readonly number[]) => latentsAs('random', latents, opened.dictionary);

const work = (over: Partial<SteeringWork> = {}) =>
  madeWork(runtime, opened, {
    candidates: asCandidates(candidates),
    controls: asControls(controls),
    ...over,
  });
const funnelled = { ...options, full: false, gateShare: 0.8 };

/** Tests; the records too. */
async function tested(over: Partial<SteeringWork> = {}) {
  const journal = memoryJournal();
  const causalTest = await testCausally(work({ journal, ...over }));
  return { causalTest, records: [...journal.records.values()] };
}
type Tested = Awaited<ReturnType<typeof tested>>;

const armsOf = ({ causalTest }: Tested, operation: Operation, side: Side) =>
  causalTest.outcomes.filter((one) => one.operation === operation && one.side === side);
const namesOf = (outcomes: readonly ArmOutcome[]) => outcomes.map(({ direction }) => direction.name);
const outcomeOf = (outcomes: readonly ArmOutcome[], name: string): ArmOutcome =>
  outcomes.find(({ direction }) => direction.name === name)!;
/** How far an arm moves the share of positives as a cause does. */
const movedBy = ({ side, measured }: ArmOutcome) => signOf[side] * measured!.effect;

const trialsOf = (records: readonly SteeringRecord[]) =>
  records.filter((record): record is TrialRecord => record.kind === 'trial');
const isOf = ({ direction, operation, side, dose = 0 }: ArmOutcome, record: TrialRecord) =>
  record.side === side &&
  record.direction === direction.name &&
  record.operation === operation &&
  record.dose === dose;

/** Share of a record's completions that are incoherent. */
const incoherentIn = ({ completions }: TrialRecord) =>
  completions.filter(({ coherent }) => !coherent).length / completions.length;

const shareIn = (records: readonly TrialRecord[]) => {
  const coherent = records.flatMap(({ completions }) => completions).filter(({ text }) => text.length >= 2);
  return coherent.filter(({ text }) => /[A-Za-z]/.test(text)).length / coherent.length;
};

/** numpy's default quantile. */
function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
}

let full: Tested;
let funnel: Tested;
beforeAll(async () => {
  full = await tested({ others, options: { ...options, patch: true } });
  funnel = await tested({ options: funnelled });
});

describe('a full run', () => {
  it('takes every direction through every operation, and has no gate', () => {
    expect(full.causalTest.gate).toBeUndefined();
    const all = [...named(controls), ...named(candidates), 'gaussian 1', 'probe'].sort();
    expect(namesOf(armsOf(full, 'remove', 'away')).sort()).toEqual([...all, 'latent 1 + 5'].sort());
    for (const side of bothSides) expect(namesOf(armsOf(full, 'add', side)).sort()).toEqual(all);
    expect(armsOf(full, 'remove', 'toward')).toEqual([]);
    expect(armsOf(full, 'patch', 'away')).toEqual([]);
    for (const { side, operation, stage, dose, measured } of full.causalTest.outcomes) {
      if (operation === 'add' && dose === undefined) {
        expect([stage, measured]).toEqual(['no dose', undefined]);
        continue;
      }
      expect(stage).toBe('sampled');
      expect(dose === undefined ? undefined : Math.sign(dose)).toBe(
        operation === 'add' ? signOf[side] : undefined,
      );
      expect(measured!.prompts).toHaveLength(3);
      for (const { steered, alone } of measured!.prompts)
        expect([steered.completions, alone.completions]).toEqual([4, 4]);
    }
    expect(full.causalTest.outcomes.filter(({ stage }) => stage === 'sampled').length).toBeGreaterThan(40);
  });

  it('patches random latents, other directions, and the candidates that removal moved most', () => {
    const removed = armsOf(full, 'remove', 'away').filter(({ direction }) => direction.role === 'candidate');
    const first = removed.toSorted((a, b) => movedBy(b) - movedBy(a)).slice(0, 2);
    expect(namesOf(armsOf(full, 'patch', 'toward'))).toEqual([
      ...named(controls),
      ...namesOf(first),
      'gaussian 1',
      'probe',
    ]);
  });

  it('adds what needs no dictionary at the dose of the first candidate that has one', () => {
    for (const side of bothSides) {
      const arms = armsOf(full, 'add', side);
      const [first] = candidates.flatMap((one) => outcomeOf(arms, `latent ${one}`).dose ?? []);
      const probe = outcomeOf(arms, 'probe');
      expect(probe.dose).toBe(first);
      expect(probe.tried).toEqual([]);
      expect(outcomeOf(arms, 'gaussian 1').tried.length).toBeGreaterThan(0);
    }
  });

  it('has effects as its records tell them', () => {
    const trials = trialsOf(full.records);
    for (const outcome of full.causalTest.outcomes) {
      if (outcome.measured === undefined) continue;
      const { effect, interval } = outcome.measured;
      const evaluated = trials.filter((one) => one.side === outcome.side && one.part === 'evaluation');
      const own = evaluated.filter((one) => isOf(outcome, one));
      const alone = evaluated.filter((one) => one.direction === null);
      expect([own.length, alone.length]).toEqual([1, 1]);
      expect(effect).toBeCloseTo(shareIn(own) - shareIn(alone), 12);
      expect(interval.low).toBeLessThanOrEqual(effect);
      expect(interval.high).toBeGreaterThanOrEqual(effect);
    }
  });

  it('has the gray zone of its random latents: m ± t s √(1 + 1/n)', () => {
    const zones = zonesOf(full.causalTest, 1);
    for (const place of ['remove', 'away', 'toward', 'patch'] as const) {
      const effects = full.causalTest.outcomes
        .filter((one) => one.direction.role === 'random' && placeOfRow(one) === place)
        .flatMap(({ measured }) => measured?.effect ?? []);
      const n = effects.length;
      const mean = effects.reduce((sum, x) => sum + x, 0) / n;
      const deviation = Math.sqrt(effects.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1));
      // Student's t of 97.5 % by degrees of freedom
      const t = { 5: 2.570582, 4: 2.776445, 3: 3.182446 }[n - 1]!;
      const { low, high, ...rest } = zones[place]!;
      expect(low).toBeCloseTo(mean - t * deviation * Math.sqrt(1 + 1 / n), 6);
      expect(high).toBeCloseTo(mean + t * deviation * Math.sqrt(1 + 1 / n), 6);
      expect(rest.mean).toBeCloseTo(mean, 12);
      expect(rest.deviation).toBeCloseTo(deviation, 12);
    }
    expect(zonesOf(funnel.causalTest, 1).patch).toBeUndefined();
  });

  it('takes the strongest dose within the limit, by the records of its own trials', () => {
    for (const side of bothSides) {
      const { limit } = full.causalTest.unsteered[side];
      const trials = trialsOf(full.records).filter((one) => one.side === side && one.part === 'calibration');
      const alone = trials.find(({ direction }) => direction === null)!;
      expect(limit).toBeCloseTo(options.incoherent + incoherentIn(alone), 12);
      for (const { direction, dose, tried } of armsOf(full, 'add', side)) {
        if (direction.name === 'probe') continue;
        const own = new Map(
          trials
            .filter((one) => one.direction === direction.name)
            .map((one) => [Math.abs(one.dose), incoherentIn(one)]),
        );
        expect(new Map(tried.map((one) => [one.dose, one.incoherent]))).toEqual(
          new Map([...own].map(([at, share]) => [at, expect.closeTo(share, 12)])),
        );
        const found = Math.abs(dose ?? 0);
        if (dose !== undefined) expect(own.get(found)).toBeLessThanOrEqual(limit + 1e-9);
        const next = options.doses.find((one) => one > found);
        if (next !== undefined) expect(own.get(next)).toBeGreaterThan(limit);
      }
    }
  });

  it('allows as many incoherent completions as the limit says, whatever sums of fractions round to', async () => {
    // 6 completions: 2 incoherent left alone, 1/6 more allowed; 2/6 + 1/6 and 1 − 3/6 differ in floating
    // point
    const item = /^(?:away|toward)\/(add|alone)\/(?:[^/]+\/[^/]+\/)?calibration\/cal(\d)\/(\d)$/;
    for (const [alone, steered, incoherent] of [
      [0, 1, 1 / 6],
      [1, 2, 1 / 6],
      [2, 3, 1 / 6],
      [1, 4, 0.5],
      [2, 5, 0.5],
    ] as const) {
      let calibrated = 0;
      const { grade } = countingGrader(({ id }: JudgeItem) => {
        const [, operation, prompt, index] = item.exec(id) ?? [];
        if (operation !== undefined) calibrated++;
        const nth = 3 * Number(prompt) + Number(index);
        const broken = operation === 'alone' ? alone : steered;
        return { label: 'positive', coherent: operation === undefined || nth >= broken };
      });
      const found = await tested({
        candidates: asCandidates([1]),
        controls: asControls([2, 3, 11]),
        grade,
        options: { ...options, incoherent, aside: 0 },
      });
      expect(calibrated).toBeGreaterThan(6 * 2 * 4);
      for (const side of bothSides)
        for (const { dose } of armsOf(found, 'add', side)) expect(dose).toBe(signOf[side] * 0.6);
    }
  });
});

describe('prompts kept aside', () => {
  const idsIn = (records: readonly TrialRecord[]) =>
    new Set(records.flatMap(({ completions }) => completions.map(({ prompt_id }) => prompt_id)));

  it('are the last ones, and no effect or dose is of them', () => {
    const trials = trialsOf(full.records);
    expect([...idsIn(trials.filter(({ part }) => part === 'aside'))].sort()).toEqual(['eva3', 'eva4']);
    expect([...idsIn(trials.filter(({ part }) => part === 'evaluation'))].sort()).toEqual([
      'eva0',
      'eva1',
      'eva2',
    ]);
    expect([...idsIn(trials.filter(({ part }) => part === 'calibration'))].sort()).toEqual(['cal0', 'cal1']);
  });

  it('measure the first two candidates of each operation again, and the group, and nothing else', () => {
    const candidateArms = (operation: Operation) =>
      full.causalTest.outcomes.filter(
        (one) => one.operation === operation && one.direction.role === 'candidate',
      );
    const firstOf = (operation: 'remove' | 'add') => {
      const by = new Map<string, number>();
      for (const one of candidateArms(operation)) {
        const before = by.get(one.direction.name) ?? Number.POSITIVE_INFINITY;
        by.set(one.direction.name, Math.min(before, one.measured ? movedBy(one) : Number.NaN));
      }
      const known = [...by].filter(([, moved]) => !Number.isNaN(moved));
      return known
        .sort((a, b) => b[1] - a[1])
        .slice(0, 2)
        .map(([name]) => name);
    };
    const again = (operation: Operation, side: Side) =>
      namesOf(armsOf(full, operation, side).filter(({ aside }) => aside !== undefined)).sort();
    expect(again('remove', 'away')).toEqual([...firstOf('remove'), 'latent 1 + 5'].sort());
    for (const side of bothSides) expect(again('add', side)).toEqual(firstOf('add').sort());
    expect(again('patch', 'toward')).toEqual(firstOf('remove').sort());
  });

  it('have effects as the records tell them', () => {
    const trials = trialsOf(full.records).filter(({ part }) => part === 'aside');
    let compared = 0;
    for (const outcome of full.causalTest.outcomes) {
      if (outcome.aside === undefined) continue;
      const own = trials.filter((one) => isOf(outcome, one));
      const alone = trials.filter((one) => one.side === outcome.side && one.direction === null);
      expect(outcome.aside.prompts).toHaveLength(2);
      expect(outcome.aside.effect).toBeCloseTo(shareIn(own) - shareIn(alone), 12);
      compared++;
    }
    expect(compared).toBe(3 + 4 + 2);
  });

  it('are none where none are to be: all five have effects, and nothing is measured again', async () => {
    const { causalTest, records } = await tested({
      candidates: asCandidates([1]),
      controls: asControls([2, 3, 11]),
      options: { ...options, aside: 0 },
    });
    expect(idsIn(trialsOf(records).filter(({ part }) => part === 'evaluation')).size).toBe(5);
    expect(trialsOf(records).filter(({ part }) => part === 'aside')).toEqual([]);
    for (const { aside } of causalTest.outcomes) expect(aside).toBeUndefined();
  });
});

it('fewer random latents are steered than removed, where that is asked: the first ones', async () => {
  const found = await tested({
    candidates: asCandidates([1]),
    options: { ...options, randomSteered: 3, aside: 0 },
  });
  const randomIn = (operation: Operation, side: Side) =>
    namesOf(armsOf(found, operation, side).filter(({ direction }) => direction.role === 'random'));
  expect(randomIn('remove', 'away')).toEqual(named(controls));
  for (const side of bothSides) expect(randomIn('add', side)).toEqual(named(controls.slice(0, 3)));
  const zones = zonesOf(found.causalTest, 1);
  const rows = steeringRows({
    test: found.causalTest,
    zones,
    ranks: new Map(),
    options: { ...options, seed: 1 },
  });
  const one = rows.find(({ latent, operation }) => latent === 1 && operation === 'add')!;
  const effects = armsOf(found, 'add', one.side)
    .filter(({ direction }) => direction.role === 'random')
    .map(({ measured }) => measured!.effect);
  expect(one.effect_minus_random).toBeCloseTo(one.effect! - effects.reduce((sum, x) => sum + x, 0) / 3, 12);
});

describe('the funnel', () => {
  it('samples candidates for removal and for adding by their log-odds, random latents always', () => {
    const { gate } = funnel.causalTest;
    const forced = (name: string, operation: string, side: Side) =>
      funnel.causalTest.forced.find(
        (one) => one.direction === name && one.operation === operation && one.side === side,
      )!.log_odds;
    const inside = (name: string, operation: 'remove' | 'add', side: Side) => {
      const random = named(controls).map((one) => forced(one, operation, side));
      const { low, high } = gate![operation === 'remove' ? 'remove' : side];
      expect(low).toBeCloseTo(quantileOf(random, 0.1), 12);
      expect(high).toBeCloseTo(quantileOf(random, 0.9), 12);
      const found = forced(name, operation, side);
      return low <= found && found <= high;
    };
    const out = { remove: 0, add: 0 };
    for (const name of named(candidates)) {
      const left = {
        remove: inside(name, 'remove', 'away'),
        add: bothSides.some((side) => inside(name, 'add', side)),
      };
      for (const [operation, side] of [
        ['remove', 'away'],
        ['add', 'away'],
        ['add', 'toward'],
      ] as const) {
        const { stage, forced: record, ...rest } = outcomeOf(armsOf(funnel, operation, side), name);
        expect(stage === 'log-odds', `${name} ${operation}`).toBe(left[operation]);
        expect(record!.log_odds).toBe(forced(name, operation, side));
        if (!left[operation]) continue;
        out[operation]++;
        expect(rest).toMatchObject({ dose: undefined, measured: undefined, aside: undefined, tried: [] });
        const sampled = trialsOf(funnel.records).filter(
          (one) => one.direction === name && one.operation === operation,
        );
        expect(sampled).toEqual([]);
      }
    }
    for (const count of Object.values(out)) expect(count).toBeGreaterThan(0);
    expect(out.remove).toBeLessThan(candidates.length);
    for (const name of named(controls))
      expect(outcomeOf(armsOf(funnel, 'remove', 'away'), name).stage).toBe('sampled');
  });

  it('comes to what a full run does where it samples a direction', () => {
    let compared = 0;
    for (const side of bothSides) {
      const [few, all] = [funnel, full].map(({ causalTest }) => causalTest.unsteered[side]);
      expect([few!.limit, few!.byPrompt]).toEqual([all!.limit, all!.byPrompt]);
    }
    for (const outcome of funnel.causalTest.outcomes) {
      const whole = outcomeOf(armsOf(full, outcome.operation, outcome.side), outcome.direction.name);
      expect(outcome.forced).toEqual(whole.forced);
      if (outcome.stage === 'log-odds') continue;
      const { dose, stage, tried, measured } = whole;
      expect(outcome).toMatchObject({ dose, stage, tried });
      expect(outcome.measured).toEqual(measured);
      compared++;
    }
    expect(compared).toBeGreaterThan(3 * controls.length);
  });
});

describe('a latent without a dose', () => {
  /** Breaks every text that these are added to. */
  const breaking = (broken: readonly number[]) =>
    countingGrader(({ id, completion }: JudgeItem) => {
      const [, operation, name] = id.split('/');
      const breaks = operation === 'add' && named(broken).includes(name!);
      return { ...verdictOn(completion), coherent: !breaks };
    }).grade;

  it('stands in the rows without an effect, and was not evaluated; its removal was', async () => {
    const broken = [5, 33];
    const found = await tested({ grade: breaking(broken) });
    const { causalTest, records } = found;
    const ranks = new Map([[5, { a: 1 }]]);
    const rows = steeringRows({
      test: causalTest,
      zones: zonesOf(causalTest, 1),
      ranks,
      options: { ...options, seed: 1 },
    });
    for (const name of named(broken)) {
      for (const side of bothSides) {
        expect(outcomeOf(armsOf(found, 'add', side), name)).toMatchObject({
          stage: 'no dose',
          dose: undefined,
          measured: undefined,
          tried: [
            { dose: 0.3, incoherent: 1 },
            { dose: 0.1, incoherent: 1 },
          ],
        });
        const row = rows.find(
          (one) => one.direction === name && one.operation === 'add' && one.side === side,
        );
        expect(row).toMatchObject({
          stage: 'no dose',
          dose: null,
          n: 0,
          coherent: 0,
          effect: null,
          low: null,
          high: null,
          mean_tokens: null,
          outside: false,
        });
        const own = trialsOf(records).filter(
          (one) => one.direction === name && one.side === side && one.operation === 'add',
        );
        expect(own.map(({ part }) => part)).toEqual(['calibration', 'calibration']);
      }
      expect(outcomeOf(armsOf(found, 'remove', 'away'), name).stage).toBe('sampled');
    }
    // the zone is of the others
    const effects = armsOf(found, 'add', 'away').filter(
      ({ direction: { role, latent } }) => role === 'random' && latent !== 33,
    );
    const mean = effects.reduce((sum, { measured }) => sum + measured!.effect, 0) / effects.length;
    expect(zonesOf(causalTest, 1).away!.mean).toBeCloseTo(mean, 12);
  });

  it('and all random ones without: an error of one line says so', async () => {
    const attempt = tested({ grade: breaking(controls) });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(
      /^steering away: no gray zone: 0 of the 6 random latents \(steering\.random\) have an effect, expected at least 3: even the weakest dose, 0\.1 \(steering\.doses\), leaves more than 10 % of the completions incoherent for 6 of them$/,
    );
  });

  it.each([
    [/calibration/, 'all 12 unsteered completions of the evaluation prompts are incoherent'],
    [
      /calibration|alone/,
      '0 of the 6 random latents (steering.random) have an effect, expected at least 3: all completions of the evaluation prompts are incoherent for 6 of them',
    ],
  ])('and coherent text at %s alone: so too', async (coherent, reason) => {
    const { grade } = countingGrader(({ id }: JudgeItem) => ({
      label: 'positive',
      coherent: coherent.test(id),
    }));
    await expect(tested({ grade })).rejects.toThrow(new InputError(`steering away: no gray zone: ${reason}`));
  });
});

it('what is told as sampled is what the outcome rests on, whatever else the journal holds', async () => {
  const journal = memoryJournal();
  await testCausally(work({ journal, options: { ...options, doses: [0.05, 0.2, 0.3, 0.5] } }));
  const before = journal.records.size;
  const { outcomes, trials } = await testCausally(work({ journal, options: funnelled }));
  expect(journal.records.size).toBeGreaterThan(before);
  const ids = (some: readonly TrialRecord[]) => some.map(({ id }) => id).sort();
  expect(ids(trials)).toEqual(ids(funnel.causalTest.trials));
  expect(ids(trials)).toEqual(ids(trialsOf(funnel.records)));
  // directions hold functions, which are other ones in each test
  const told = (some: readonly ArmOutcome[]) =>
    some.map(({ direction, ...rest }) => ({ ...rest, name: direction.name }));
  expect(told(outcomes)).toEqual(told(funnel.causalTest.outcomes));
});
