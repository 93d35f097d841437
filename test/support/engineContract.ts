/**
 * What holds for every engine of the same model. An engine that cannot hold a case says why, and the case is shown
 * as skipped for that reason. Numbers are held against the model's own logits, which no sampler has a part in.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { lossPass, residualsPass } from '../../src/methods/check/textPass.ts';
import type { Engine } from '../../src/methods/completions/engine.ts';
import type { Completion, SampleJob, SampleOptions } from '../../src/methods/completions/sample.ts';
import { addedVector, projectionsHeldAt } from '../../src/methods/steering/steer.ts';
import type { Model } from '../../src/models/decoder.ts';
import { logitsSession } from '../../src/models/sessions.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { i64, toFloat32 } from '../../src/tensor.ts';
import { draw } from './opCases.ts';

const names = [
  'tells every completion of every job once',
  'gives a completion alike in any order and company, and another for another seed',
  'takes the likeliest token at temperature 0, with its log-probability',
  'tells log-probabilities at temperature 1 whatever it draws at',
  'ends at an end id, at a stop, and at the limit',
  'tells of tokens in their order, with the likeliest in their place',
  'is not changed by an added vector of zeros',
  'adds a vector at all tokens, at the prompt, at the completion',
  'captures residuals, with what is added to them',
  'says which changes it makes',
  'stops when told to, with the reason given',
  'stops with the error of whoever is told',
  'has nothing to say of nothing',
  'refuses what does not fit its capacity',
] as const;
type Name = (typeof names)[number];

export interface EngineContractOptions {
  /** greatest difference of a log-probability, nats; default 1e-4 */
  readonly tolerance?: number;
  readonly deviations?: Readonly<Partial<Record<Name, string>>>;
}

/** The same model as files hold it. */
export interface ContractModel {
  readonly runtime: Runtime;
  readonly model: Model;
  /** L of resid_post L to steer at */
  readonly layer: number;
  readonly prompts: readonly (readonly number[])[];
}

type Told = ReadonlyMap<string, Completion>;

const places = 64;

/** Checks an engine, which is opened before the cases. */
export function engineContract(
  open: () => Promise<{ readonly engine: Engine; readonly of: ContractModel }>,
  { tolerance = 1e-4, deviations = {} }: EngineContractOptions = {},
): void {
  let engine: Engine;
  let of: ContractModel;
  beforeAll(async () => {
    ({ engine, of } = await open());
  });
  const rows = 4;
  const options: SampleOptions = { temperature: 1, maxTokens: 6, endIds: [] };

  async function sampled(jobs: readonly SampleJob[], over: Partial<SampleOptions> = {}): Promise<Told> {
    const told = new Map<string, Completion>();
    const made = await engine.sampler({ rows, capacity: places, steerAt: of.layer });
    await made.sample(jobs, { ...options, ...over }, (job, index, one) => {
      expect(told.has(`${job}/${index}`)).toBe(false);
      told.set(`${job}/${index}`, one);
    });
    await made.release();
    return told;
  }

  /** ln p of every token of the vocabulary behind each token of a text [T, V], by the model alone. */
  async function logProbabilities(ids: readonly number[]): Promise<Float32Array[]> {
    const session = await logitsSession(of.runtime, of.model);
    const results = await session.run({
      ...treeFeeds(sequence(ids)),
      rows: i64([ids.length], [...ids.keys()]),
    });
    await session.release();
    const logits = toFloat32(results.logits!);
    const width = logits.length / ids.length;
    return ids.map((_, t) => {
      const row = logits.slice(t * width, (t + 1) * width);
      const greatest = Math.max(...row);
      const lse = greatest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - greatest), 0));
      return row.map((x) => x - lse);
    });
  }

  /** ln p of each completion's token where `added` is added to the residual at some tokens, by the model alone. */
  async function steeredLogProbabilities(
    prompt: readonly number[],
    { ids }: Completion,
    added: Float32Array,
    covers: (place: number) => boolean,
  ): Promise<number[]> {
    const text = [...prompt, ...ids];
    const below = await residualsPass(of.runtime, of.model, [of.layer]);
    const above = await lossPass(of.runtime, of.model, of.layer);
    const residual = (await below.run(text)).get(of.layer)!;
    const d = added.length;
    const losses = await above.run(
      text,
      residual.map((x, i) => (covers(Math.floor(i / d)) ? x + added[i % d]! : x)),
    );
    await Promise.all([below.release(), above.release()]);
    return [...losses.slice(prompt.length - 1)].map((loss) => -loss);
  }

  function expectNear(found: readonly number[], expected: readonly number[]): void {
    expect(found).toHaveLength(expected.length);
    for (const [i, x] of found.entries()) expect(Math.abs(x - expected[i]!)).toBeLessThan(tolerance);
  }

  const vector = (scale: number): Float32Array => {
    const random = draw(5);
    return Float32Array.from({ length: of.model.decoder.width }, () => scale * random.normal());
  };

  const cases: Readonly<Record<Name, () => Promise<void>>> = {
    async 'tells every completion of every job once'() {
      const jobs = of.prompts.map((prompt, i) => ({ prompt, seeds: [7, 8, 9, 10, 11].slice(i) }));
      const told = await sampled(jobs);
      expect([...told.keys()].sort()).toEqual(
        jobs.flatMap(({ seeds }, job) => seeds.map((_, index) => `${job}/${index}`)).sort(),
      );
      for (const { ids, logProbabilities } of told.values()) {
        expect(ids.length).toBe(6);
        expect(logProbabilities).toHaveLength(ids.length);
        for (const one of logProbabilities) expect(one).toBeLessThanOrEqual(0);
      }
    },

    async 'gives a completion alike in any order and company, and another for another seed'() {
      const jobs = of.prompts.map((prompt) => ({ prompt, seeds: [-1, 2 ** 31 - 1, 3] }));
      const told = await sampled(jobs);
      const back = await sampled(
        [...jobs].reverse().map(({ prompt, seeds }) => ({ prompt, seeds: [...seeds].reverse() })),
      );
      const alone = await sampled([{ prompt: of.prompts[0]!, seeds: [-1] }]);
      for (const [key, { ids }] of told) {
        const [job, index] = key.split('/').map(Number) as [number, number];
        expect(back.get(`${jobs.length - 1 - job}/${2 - index}`)!.ids).toEqual(ids);
      }
      expect(alone.get('0/0')!.ids).toEqual(told.get('0/0')!.ids);
      const texts = ['0/0', '0/1', '0/2'].map((key) => told.get(key)!.ids.join());
      expect(new Set(texts).size).toBe(3);
    },

    async 'takes the likeliest token at temperature 0, with its log-probability'() {
      for (const prompt of of.prompts) {
        const { ids, logProbabilities: told } = (
          await sampled([{ prompt, seeds: [1] }], { temperature: 0 })
        ).get('0/0')!;
        const rows = await logProbabilities([...prompt, ...ids]);
        const own = ids.map((id, t) => {
          const row = rows[prompt.length - 1 + t]!;
          expect(row[id]).toBeGreaterThan(Math.max(...row) - tolerance);
          return row[id]!;
        });
        expectNear(told, own);
      }
    },

    async 'tells log-probabilities at temperature 1 whatever it draws at'() {
      const [prompt] = of.prompts;
      const { ids, logProbabilities: told } = (
        await sampled([{ prompt: prompt!, seeds: [4] }], { temperature: 2, topP: 0.9, topK: 40, minP: 0.01 })
      ).get('0/0')!;
      const rows = await logProbabilities([...prompt!, ...ids]);
      expectNear(
        told,
        ids.map((id, t) => rows[prompt!.length - 1 + t]![id]!),
      );
    },

    async 'ends at an end id, at a stop, and at the limit'() {
      const job = { prompt: of.prompts[0]!, seeds: [12] };
      const whole = (await sampled([job])).get('0/0')!;
      expect(whole).toMatchObject({ stop: 'length' });
      const end = whole.ids[2]!;
      const first = whole.ids.indexOf(end);
      const ended = (await sampled([job], { endIds: [end] })).get('0/0')!;
      expect(ended).toMatchObject({ stop: 'end', ids: whole.ids.slice(0, first + 1) });
      expect(ended.logProbabilities).toHaveLength(first + 1);
      const stopped = (await sampled([job], { stops: (ids) => ids.length === 4 })).get('0/0')!;
      expect(stopped).toMatchObject({ stop: 'stop', ids: whole.ids.slice(0, 4) });
      expect(stopped.logProbabilities).toHaveLength(4);
    },

    async 'tells of tokens in their order, with the likeliest in their place'() {
      const seen: { id: number; top: number[] }[] = [];
      const told = await sampled([{ prompt: of.prompts[0]!, seeds: [21] }], {
        alternatives: 3,
        onToken: (job, index, { id, logProbability, top }) => {
          expect([job, index]).toEqual([0, 0]);
          expect(logProbability).toBeLessThanOrEqual(top[0]!.logProbability + tolerance);
          seen.push({ id, top: top.map((one) => one.id) });
        },
      });
      const { ids } = told.get('0/0')!;
      expect(seen.map(({ id }) => id)).toEqual(ids);
      const rows = await logProbabilities([...of.prompts[0]!, ...ids]);
      for (const [t, { top }] of seen.entries()) {
        const row = rows[of.prompts[0]!.length - 1 + t]!;
        const expected = [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, 3);
        expect(top).toEqual(expected);
      }
    },

    async 'is not changed by an added vector of zeros'() {
      const seeds = [31, 32];
      const jobs = of.prompts.map((prompt) => ({ prompt, seeds }));
      const alone = await sampled(jobs);
      const zeros = new Float32Array(of.model.decoder.width);
      const steered = await sampled(jobs.map((job) => ({ ...job, steer: addedVector(zeros) })));
      for (const [key, { ids, logProbabilities: own }] of alone) {
        expect(steered.get(key)!.ids).toEqual(ids);
        expectNear(steered.get(key)!.logProbabilities, own);
      }
    },

    async 'adds a vector at all tokens, at the prompt, at the completion'() {
      const prompt = of.prompts[1]!;
      const added = vector(2);
      const alone = (await sampled([{ prompt, seeds: [41] }])).get('0/0')!;
      const covered = {
        all: () => true,
        prompt: (place: number) => place < prompt.length,
        completion: (place: number) => place >= prompt.length,
      };
      const said = new Set([alone.ids.join()]);
      for (const tokens of ['all', 'prompt', 'completion'] as const) {
        const job = { prompt, seeds: [41], steer: addedVector(added, tokens) };
        const one = (await sampled([job])).get('0/0')!;
        expectNear(one.logProbabilities, await steeredLogProbabilities(prompt, one, added, covered[tokens]));
        said.add(one.ids.join());
      }
      expect(said.size).toBeGreaterThan(1);
    },

    async 'captures residuals, with what is added to them'() {
      const capture = await engine.residuals(of.layer);
      const below = await residualsPass(of.runtime, of.model, [of.layer]);
      for (const ids of of.prompts) {
        const expected = (await below.run(ids)).get(of.layer)!;
        expectNear([...(await capture.run(ids))], [...expected]);
        const added = vector(1);
        const moved = expected.map((x, i) => x + added[i % added.length]!);
        expectNear([...(await capture.run(ids, added))], [...moved]);
      }
      await Promise.all([capture.release(), below.release()]);
    },

    async 'says which changes it makes'() {
      const unit = vector(1);
      await engine.ready(of.layer);
      await engine.ready(of.layer);
      expect(engine.makes(undefined)).toBe(true);
      expect(engine.makes(addedVector(unit, 'prompt'))).toBe(true);
      const held = projectionsHeldAt([unit.map((x) => x / Math.hypot(...unit))], unit);
      expect(typeof engine.makes(held)).toBe('boolean');
      expect(engine.name).toMatch(/^\S.*\S$/);
    },

    async 'stops when told to, with the reason given'() {
      const stop = new AbortController();
      const reason = new Error('enough');
      const jobs = of.prompts.map((prompt) => ({ prompt, seeds: [1, 2, 3, 4, 5] }));
      const made = await engine.sampler({ rows: 1, capacity: places, steerAt: of.layer });
      let told = 0;
      const ended = made.sample(jobs, { ...options, signal: stop.signal }, () => {
        told++;
        stop.abort(reason);
      });
      await expect(ended).rejects.toBe(reason);
      expect(told).toBeGreaterThan(0);
      await made.release();
    },

    async 'stops with the error of whoever is told'() {
      const failed = new Error('no room');
      const made = await engine.sampler({ rows, capacity: places, steerAt: of.layer });
      let told = 0;
      const ended = made.sample([{ prompt: of.prompts[0]!, seeds: [1, 2, 3] }], options, () => {
        told++;
        throw failed;
      });
      await expect(ended).rejects.toBe(failed);
      expect(told).toBe(1);
      await made.release();
    },

    async 'has nothing to say of nothing'() {
      expect((await sampled([])).size).toBe(0);
      expect((await sampled([{ prompt: of.prompts[0]!, seeds: [] }])).size).toBe(0);
    },

    async 'refuses what does not fit its capacity'() {
      const long = Array.from({ length: places - 5 }, () => of.prompts[0]![0]!);
      await expect(sampled([{ prompt: long, seeds: [1] }])).rejects.toThrow(/59 tokens of prompt and 6 of/);
      await expect(sampled([{ prompt: [], seeds: [1] }])).rejects.toThrow(RangeError);
    },
  };

  describe('contract of engines', () => {
    for (const name of names) {
      const why = deviations[name];
      if (why === undefined) it(name, cases[name]);
      else it.skip(`${name}: ${why}`, cases[name]);
    }
  });
}
