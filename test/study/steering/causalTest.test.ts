/**
 * The whole causal test on the tiny subject, against what each number is said to be: by another forward
 * pass, by the records, by hand.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import type { JudgeItem } from '../../../src/judges/judge.ts';
import type { Contrast } from '../../../src/methods/site/contrast.ts';
import { bothSides, type Side, type TrialRecord } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { type CausalTest, testCausally } from '../../../src/study/steering/causalTest.ts';
import type { LatentOutcome } from '../../../src/study/steering/latentOutcome.ts';
import type { SideOutcome } from '../../../src/study/steering/side.ts';
import { steeringRows } from '../../../src/study/steering/steeringResult.ts';
import type { SteeringRecord, SteeringWork } from '../../../src/study/steering/work.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { layer, putAll, tiny as tinyModel } from '../../support/tinyFolder.ts';
import { countingGrader, madeWork, memoryJournal, norm, openTiny, options, verdictOn } from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-causal-test-'));
let runtime: Runtime;
let opened: Awaited<ReturnType<typeof openTiny>>;
const candidates = [1, 5, 8, 13, 20, 21, 22, 30];
const controls = [2, 3, 11, 17, 33, 39];

beforeAll(async () => {
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(await putAll(folder));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const signs: Record<Side, number> = { away: -1, toward: 1 };
const work = (over: Partial<SteeringWork> = {}) =>
  madeWork(runtime, opened, { candidates, controls, ...over });
const funnelled = { ...options, full: false };

/** Tests; the records too. */
async function tested(over: Partial<SteeringWork> = {}) {
  const journal = memoryJournal();
  const causalTest = await testCausally(work({ journal, ...over }));
  return { causalTest, records: [...journal.records.values()] };
}

const outcomeOf = ({ latents }: SideOutcome, latent: number): LatentOutcome =>
  latents.find((one) => one.latent === latent)!;

const trialsOf = (records: readonly SteeringRecord[]) =>
  records.filter((record): record is TrialRecord => record.kind === 'trial');

/** Share of a record's completions that are incoherent. */
const incoherentIn = ({ completions }: TrialRecord) =>
  completions.filter(({ coherent }) => !coherent).length / completions.length;

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** numpy's default quantile. */
function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
}

let full: Awaited<ReturnType<typeof tested>>;
let funnel: Awaited<ReturnType<typeof tested>>;
beforeAll(async () => {
  full = await tested();
  funnel = await tested({ options: funnelled });
});

describe('a full run', () => {
  it('takes every latent through every stage, in both directions, and has no gate', () => {
    expect(full.causalTest.gate).toBeUndefined();
    for (const side of bothSides) {
      const { latents } = full.causalTest.sides[side];
      expect(latents.map(({ latent }) => latent).sort((a, b) => a - b)).toEqual(
        [...candidates, ...controls].sort((a, b) => a - b),
      );
      for (const { latent, role, stage, dose, prompts } of latents) {
        expect(role).toBe(candidates.includes(latent) ? 'candidate' : 'random');
        expect(stage).toBe(dose === undefined ? 'no dose' : 'many');
        if (dose === undefined) continue;
        expect(Math.sign(dose)).toBe(signs[side]);
        expect(prompts).toHaveLength(5);
        for (const { steered, alone } of prompts)
          expect([steered.completions, alone.completions]).toEqual([4, 4]);
      }
      expect(latents.filter(({ stage }) => stage === 'many').length).toBeGreaterThan(10);
    }
  });

  it('has effects as its records tell them', () => {
    const trials = trialsOf(full.records);
    const share = (some: readonly TrialRecord[]) => {
      const coherent = some.flatMap(({ completions }) => completions).filter(({ text }) => text.length >= 2);
      return coherent.filter(({ text }) => /[A-Za-z]/.test(text)).length / coherent.length;
    };
    for (const side of bothSides)
      for (const { latent, dose, effect, interval, place, meanTokens } of full.causalTest.sides[side]
        .latents) {
        if (dose === undefined) continue;
        const evaluated = trials.filter((one) => one.side === side && one.part !== 'calibration');
        const own = evaluated.filter((one) => one.latent === latent && one.dose === dose);
        const alone = evaluated.filter((one) => one.latent === null);
        expect(own).toHaveLength(2);
        expect(effect).toBeCloseTo(share(own) - share(alone), 12);
        expect(interval.low).toBeLessThanOrEqual(effect);
        expect(interval.high).toBeGreaterThanOrEqual(effect);
        expect(meanTokens).toBeCloseTo(
          mean(own.flatMap(({ completions }) => completions.map(({ tokens }) => tokens))),
          12,
        );
        const { low, high } = full.causalTest.sides[side].zone;
        expect(place).toBe(effect < low || effect > high ? 'outside' : 'inside');
      }
  });

  it('has the gray zone of its random latents', () => {
    for (const side of bothSides) {
      const { zone, latents } = full.causalTest.sides[side];
      const effects = latents.filter(({ role }) => role === 'random').map(({ effect }) => effect);
      const known = effects.filter((effect) => !Number.isNaN(effect));
      expect(zone.low).toBeCloseTo(quantileOf(known, 0.025), 12);
      expect(zone.high).toBeCloseTo(quantileOf(known, 0.975), 12);
    }
  });

  it('takes the strongest dose within the limit, by the records of its own trials', () => {
    for (const side of bothSides) {
      const { limit, latents } = full.causalTest.sides[side];
      const trials = trialsOf(full.records).filter((one) => one.side === side && one.part === 'calibration');
      const alone = trials.find(({ latent }) => latent === null)!;
      expect(limit).toBeCloseTo(options.incoherent + incoherentIn(alone), 12);
      for (const { latent, dose, tried } of latents) {
        const own = new Map(
          trials.filter((one) => one.latent === latent).map((one) => [Math.abs(one.dose), incoherentIn(one)]),
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
    const item = /^(away|toward)\/(\d+|alone)\/[^/]+\/calibration\/cal(\d)\/(\d)$/;
    for (const [alone, steered, incoherent] of [
      [0, 1, 1 / 6],
      [1, 2, 1 / 6],
      [2, 3, 1 / 6],
      [1, 4, 0.5],
      [2, 5, 0.5],
    ] as const) {
      const { grade } = countingGrader(({ id }: JudgeItem) => {
        const [, , latent, prompt, index] = item.exec(id) ?? [];
        const nth = 3 * Number(prompt) + Number(index);
        const broken = latent === 'alone' ? alone : steered;
        return { label: 'positive', coherent: latent === undefined || nth >= broken };
      });
      const { causalTest } = await tested({
        candidates: [1],
        controls: [2, 3, 11],
        grade,
        options: { ...options, incoherent },
      });
      for (const side of bothSides)
        for (const { dose } of causalTest.sides[side].latents) expect(dose).toBe(signs[side] * 0.6);
    }
  });
});

describe('the funnel', () => {
  const forcedOf = (records: readonly SteeringRecord[], side: Side) =>
    new Map(
      records.flatMap((record) =>
        record.kind === 'forced' && record.side === side ? [[record.latent, record] as const] : [],
      ),
    );

  it.each([0.5, 0.2, 0])(
    'leaves out just those whose log-odds lie within the central share %d of the random ones’, in either direction',
    async (gateShare) => {
      const { causalTest, records } = await tested({ options: { ...funnelled, gateShare } });
      const out = new Set<number>();
      for (const side of bothSides) {
        const forced = forcedOf(records, side);
        const random = controls.map((latent) => forced.get(latent)!.log_odds);
        const low = quantileOf(random, (1 - gateShare) / 2);
        const high = quantileOf(random, (1 + gateShare) / 2);
        expect(causalTest.gate![side].low).toBeCloseTo(low, 12);
        expect(causalTest.gate![side].high).toBeCloseTo(high, 12);
        for (const latent of candidates) {
          const { log_odds } = forced.get(latent)!;
          if (low <= log_odds && log_odds <= high) out.add(latent);
        }
      }
      if (gateShare === 0.5) expect(out.size).toBeGreaterThan(0);
      expect(out.size).toBeLessThan(candidates.length);
      for (const side of bothSides) {
        const { latents } = causalTest.sides[side];
        for (const { latent, role, stage, effect, dose, place, prompts } of latents) {
          expect(stage === 'log-odds').toBe(role === 'candidate' && out.has(latent));
          if (stage !== 'log-odds') continue;
          expect({ effect, dose, place, prompts }).toEqual({
            effect: Number.NaN,
            dose: undefined,
            place: 'inside',
            prompts: [],
          });
        }
        const sampled = trialsOf(records).filter((one) => one.side === side);
        for (const { latent } of sampled) expect(out.has(latent!)).toBe(false);
      }
    },
  );

  it('comes to what a full run does where it samples a latent fully', () => {
    let compared = 0;
    for (const side of bothSides) {
      const [few, all] = [funnel.causalTest, full.causalTest].map(({ sides }) => sides[side]) as [
        SideOutcome,
        SideOutcome,
      ];
      expect(few.zone).toEqual(all.zone);
      expect(few.limit).toBe(all.limit);
      expect(few.alone).toEqual(all.alone);
      for (const outcome of few.latents) {
        const whole = outcomeOf(all, outcome.latent);
        expect(outcome.forced).toEqual(whole.forced);
        if (outcome.role === 'random') expect(outcome).toEqual(whole);
        if (outcome.stage === 'log-odds') continue;
        expect(outcome.dose).toBe(whole.dose);
        if (outcome.stage !== 'many') continue;
        expect(outcome).toEqual(whole);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(controls.length);
  });

  it('decides a clear case after the first prompts, with the outcome that those have', async () => {
    // candidate 5 is as bad as can be, every other text as it stands
    const { grade } = countingGrader(({ id, completion }: JudgeItem) =>
      /^\w+\/5\//.test(id)
        ? { label: 'positive', coherent: true }
        : { ...verdictOn(completion), label: 'negative', coherent: true },
    );
    const about = { grade, candidates: [5, 8], options: { ...funnelled, gateShare: 0, completions: 24 } };
    const { causalTest, records } = await tested(about);
    for (const side of bothSides) {
      const outcome = outcomeOf(causalTest.sides[side], 5);
      expect(outcome).toMatchObject({ stage: 'few', effect: 1, place: 'outside' });
      expect(outcome.prompts).toHaveLength(2);
      const own = trialsOf(records).filter((one) => one.latent === 5 && one.side === side);
      expect(own.map(({ part }) => part)).not.toContain('rest');
    }
  });
});

describe('the log-odds', () => {
  /** Of the reference, whose weights are those of the tiny model: by the formulas' own forward pass. */
  function slowLogOdds(contrast: Contrast, vector: ArrayLike<number>): number {
    const loss = (completion: readonly number[], size: number) => {
      const ids = [...contrast.prompt, ...completion];
      const moved = slowResiduals(tinyModel, ids)[layer]!.map((a) => a.map((x, i) => x + size * vector[i]!));
      return mean(slowLosses(slowHead(tinyModel, layer, moved), ids, contrast.prompt.length));
    };
    const gap = (size: number) =>
      mean(contrast.positives.map((one) => loss(one, size))) -
      mean(contrast.negatives.map((one) => loss(one, size)));
    return gap(0) - gap(1);
  }

  const forced = ({ sides }: CausalTest, side: Side, latent: number) => outcomeOf(sides[side], latent).forced;

  it('are what the reference’s own forward pass says, with every token steered', async () => {
    for (const latent of [1, 8, 33]) {
      const unit = await opened.dictionary.decoderRows(latent, latent + 1);
      expect(Math.hypot(...unit)).toBeCloseTo(1, 5);
      const vector = unit.map((x) => options.gateDose * norm.toward * x);
      const expected = mean(opened.contrasts.map((contrast) => slowLogOdds(contrast, vector)));
      const { log_odds, dose } = forced(full.causalTest, 'toward', latent);
      expect(dose).toBe(options.gateDose);
      expect(Math.abs(log_odds - expected)).toBeLessThan(1e-5);
      expect(Math.abs(expected)).toBeGreaterThan(1e-3);
    }
  });

  it('and the subject’s are of the opposite dose, on another model', () => {
    for (const latent of candidates) {
      const [away, toward] = bothSides.map((side) => forced(full.causalTest, side, latent));
      expect(away!.dose).toBe(-options.gateDose);
      expect(away!.log_odds).not.toBeCloseTo(toward!.log_odds, 6);
    }
  });

  it('tend to the estimate as the dose does to 0; the estimate is in proportion to it', async () => {
    const gated = (gateDose: number) =>
      tested({ options: { ...funnelled, gateDose, gateShare: 0.99 }, candidates: [1, 8], controls });
    const [small, smaller] = [await gated(0.02), await gated(0.005)];
    for (const side of bothSides) {
      const errors = { small: 0, smaller: 0, great: 0 };
      for (const latent of [...controls, 1, 8]) {
        const [a, b] = [small, smaller].map(({ causalTest }) => forced(causalTest, side, latent));
        const great = forced(full.causalTest, side, latent);
        expect(a!.estimate).toBeCloseTo(4 * b!.estimate, 6);
        expect(great.estimate).toBeCloseTo(10 * a!.estimate, 5);
        errors.small += Math.abs(a!.log_odds - a!.estimate) / Math.abs(a!.dose);
        errors.smaller += Math.abs(b!.log_odds - b!.estimate) / Math.abs(b!.dose);
        errors.great += Math.abs(great.log_odds - great.estimate) / Math.abs(great.dose);
        if (Math.abs(b!.estimate) > 1e-3) expect(b!.log_odds / b!.estimate).toBeCloseTo(1, 1);
      }
      // of second order: the error of a dose's worth falls with the dose, to float32's own
      expect(errors.small).toBeLessThan(0.25 * errors.great);
      expect(errors.smaller).toBeLessThan(0.4 * errors.small);
    }
  });
});

describe('a latent without a dose', () => {
  /** Breaks every text under these latents. */
  const breaking = (broken: readonly number[]) =>
    countingGrader(({ id, completion }: JudgeItem) => ({
      ...verdictOn(completion),
      ...(broken.includes(Number(id.split('/')[1])) ? { coherent: false } : { coherent: true }),
    })).grade;

  it('stands in the rows without an effect, within the zone, and was not evaluated', async () => {
    const broken = [5, 33];
    const { causalTest, records } = await tested({ grade: breaking(broken) });
    const rows = steeringRows(causalTest.sides, new Map([[5, { a: 1 }]]));
    for (const side of bothSides)
      for (const latent of broken) {
        expect(outcomeOf(causalTest.sides[side], latent)).toMatchObject({
          stage: 'no dose',
          place: 'inside',
          dose: undefined,
          effect: Number.NaN,
          tried: [
            { dose: 0.3, incoherent: 1 },
            { dose: 0.1, incoherent: 1 },
          ],
        });
        expect(rows.find((row) => row.latent === latent && row.side === side)).toMatchObject({
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
        const own = trialsOf(records).filter((one) => one.latent === latent && one.side === side);
        expect(own.map(({ part }) => part)).toEqual(['calibration', 'calibration']);
      }
    // the zone is of the others
    const { zone, latents } = causalTest.sides.away;
    const others = latents.filter(({ role, latent }) => role === 'random' && latent !== 33);
    expect(zone.high).toBeCloseTo(
      quantileOf(
        others.map(({ effect }) => effect),
        0.975,
      ),
      12,
    );
  });

  it('and all random ones without: an error of one line says so', async () => {
    const attempt = tested({ grade: breaking(controls) });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(
      /^steering away: no gray zone: 0 of the 6 random latents \(steering\.random\) have an effect, expected at least 3: even the weakest dose, 0\.1 \(steering\.doses\), leaves more than 10 % of the completions incoherent for 6 of them$/,
    );
  });

  it.each([
    [/calibration/, 'all 20 unsteered completions of the evaluation prompts are incoherent'],
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

describe('what calls text incoherent', () => {
  it('cheap signs: the judge is asked of no calibration text', async () => {
    const { asked, grade } = countingGrader();
    const likelihood: SteeringWork['likelihood'] = async (_prompt, some) => some.map(() => -1);
    const { causalTest, records } = await tested({
      grade,
      likelihood,
      options: { ...options, incoherence: 'cheap' },
    });
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.flat().filter((id) => id.includes('/calibration/'))).toEqual([]);
    for (const { part, completions } of trialsOf(records))
      for (const { judged, log_probability, repetition } of completions) {
        expect([judged, log_probability]).toEqual([part !== 'calibration', -1]);
        // six tokens have three runs of four
        expect([0, 1, 2].map((n) => n / 3)).toContainEqual(expect.closeTo(repetition!, 12));
      }
    for (const side of bothSides)
      for (const { limitedBy } of causalTest.sides[side].latents)
        expect([undefined, 'cheap']).toContain(limitedBy);
  });

  it.each([
    ['cheap', 'cheap', 'no dose'],
    ['both', 'cheap', 'no dose'],
    ['judge', undefined, 'many'],
  ] as const)(
    '%s: texts of candidates that are unlikely refuse every dose of theirs: by %s',
    async (incoherence, by, stage) => {
      let label = '';
      const { causalTest } = await tested({
        options: { ...options, incoherence },
        grade: countingGrader(() => ({ label: 'positive', coherent: true })).grade,
        likelihood: async (_prompt, some) => some.map(() => (label.startsWith('Candidates') ? -50 : -1)),
        progress: {
          stage(now) {
            label = now;
            return { advance() {}, end() {} };
          },
          note() {},
        },
      });
      for (const side of bothSides)
        for (const { role, limitedBy, stage: reached } of causalTest.sides[side].latents)
          if (role === 'candidate') expect([limitedBy, reached]).toEqual([by, stage]);
          else expect(reached).toBe('many');
    },
  );

  it('the judge: a dose that it refuses is not taken, and it is named for that', async () => {
    const { grade } = countingGrader(({ id }: JudgeItem) => ({
      label: 'positive',
      coherent: !/\/-?0\.6\//.test(id),
    }));
    const { causalTest } = await tested({ candidates: [5], grade });
    for (const side of bothSides)
      for (const outcome of causalTest.sides[side].latents)
        expect(outcome).toMatchObject({ dose: signs[side] * 0.3, limitedBy: 'judge' });
  });
});

it('what is told as sampled is what the outcome rests on, whatever else the journal holds', async () => {
  const journal = memoryJournal();
  await testCausally(work({ journal, options: { ...options, doses: [0.05, 0.2, 0.3, 0.5] } }));
  const before = journal.records.size;
  const { sides } = await testCausally(work({ journal, options: funnelled }));
  expect(journal.records.size).toBeGreaterThan(before);
  for (const side of bothSides) {
    const ids = (side: SideOutcome) => side.trials.map(({ id }) => id).sort();
    expect(ids(sides[side])).toEqual(ids(funnel.causalTest.sides[side]));
    expect(sides[side].latents).toEqual(funnel.causalTest.sides[side].latents);
    const own = trialsOf(funnel.records).filter((one) => one.side === side);
    expect(ids(sides[side])).toEqual(own.map(({ id }) => id).sort());
  }
});
