/**
 * Sampling completions, many at once, over a cache of keys and values: a prompt is read once for all its
 * completions, and a finished row's place is taken by the next. A completion depends on its prompt, its
 * seed and the options only, never on what else is in the batch.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Node } from '../../graph/node.ts';
import type { Model } from '../../models/decoder.ts';
import {
  type DecodingOptions,
  decodingGraph,
  type LogitReading,
  logitReadings,
} from '../../models/decoding.ts';
import { assertFinite } from '../../models/finite.ts';
import { checkSite } from '../../models/passes.ts';
import type { CachedSession, Runtime } from '../../runtime/runtime.ts';
import { contributionsOf } from '../../saes/graph.ts';
import type { Sae } from '../../saes/sae.ts';
import { f32, i64, type Tensor, tensor, toFloat32 } from '../../tensor.ts';
import { argmax } from '../statistics/argmax.ts';
import { generatorOf } from '../statistics/random.ts';
import type { Steering } from '../steering/steer.ts';
import { drawFrom, greatest, type Truncation } from './draw.ts';
import { type SharedPrompts, sharedPrompts } from './sharedPrompts.ts';

export interface SampleOptions extends Truncation {
  /** 0: greedy, the likeliest token; default 1 */
  readonly temperature?: number | undefined;
  /** the most tokens of a completion */
  readonly maxTokens: number;
  /** ids that end a completion; kept as its last token */
  readonly endIds: readonly number[];
  /** whether a completion that holds these tokens is to stop, for stop strings; default never */
  readonly stops?: ((ids: readonly number[]) => boolean) | undefined;
  /** told of each token as it is drawn, in the order of a completion's tokens; default nobody */
  readonly onToken?: ((job: number, completion: number, token: SampledToken) => void) | undefined;
  /** how many of the likeliest tokens `onToken` is told of; default 0 */
  readonly alternatives?: number | undefined;
  /** ends the call before the next token, by throwing its reason */
  readonly signal?: AbortSignal | undefined;
}

/** A token with its ln p under the model, at temperature 1 and before any truncation. */
export interface LikelyToken {
  readonly id: number;
  readonly logProbability: number;
}

export interface SampledToken extends LikelyToken {
  /** the likeliest tokens in its place, likeliest first */
  readonly top: readonly LikelyToken[];
}

/** A prompt and the seeds of its completions. */
export interface SampleJob {
  readonly prompt: readonly number[];
  /** 32-bit integers */
  readonly seeds: readonly number[];
  /** what is done to the residual at the sampler's site; default nothing */
  readonly steer?: Steering | undefined;
}

export interface Completion {
  readonly ids: number[];
  /** ln p of each token under the model, at temperature 1 and before any truncation */
  readonly logProbabilities: number[];
  /** end: an end id came; stop: `stops` held; length: the limit came first */
  readonly stop: 'end' | 'stop' | 'length';
}

export interface SamplerOptions {
  /** completions that grow side by side; default 64 */
  readonly rows?: number | undefined;
  /** the longest prompt with its completion, in tokens */
  readonly capacity: number;
  /** layer L: jobs may steer at resid_post L */
  readonly steerAt?: number | undefined;
  /** how many projections a job may hold there; default 0 */
  readonly projections?: number | undefined;
  /**
   * whether many jobs have the same prompts: then each is read once below that site, for which the model is loaded
   * a second time, in two parts; default false
   */
  readonly samePrompts?: boolean | undefined;
  /** whose latents a job may subtract there, and which ones; default none */
  readonly subtractable?: { readonly sae: Sae; readonly latents: readonly number[] } | undefined;
}

export interface Sampler {
  /**
   * All completions of all jobs; `onDone` is told of each as it ends, in any order, and waited for. Throws
   * RangeError for a prompt without tokens or one that does not fit the sampler's capacity with
   * `maxTokens`.
   */
  sample(
    jobs: Iterable<SampleJob>,
    options: SampleOptions,
    onDone: (job: number, completion: number, sampled: Completion) => void | Promise<void>,
  ): Promise<void>;
  release(): Promise<void>;
}

/** A prompt that has been read: what its completions start from. */
interface Read {
  readonly job: SampleJob;
  readonly number: number;
  /** the session's outputs after the prompt, one row */
  readonly outputs: Row;
  next: number;
}

interface Growing {
  readonly read: Read;
  readonly completion: number;
  readonly random: RandomGenerator;
  readonly ids: number[];
  readonly logProbabilities: number[];
}

/** What the model says of one row's next token. */
interface Row {
  readonly probabilities?: Float32Array;
  readonly logits?: Float32Array;
  readonly logSumExp?: number;
}

/** Row 0 holds the prompt that is being handed out; completions grow in the rows behind it. */
const promptRow = 0;
const firstRow = 1;
/** Places of the cache are a multiple of this. */
const placesBlock = 16;

/** At temperature 1 the probabilities tell ln p themselves. */
function readingAt(temperature: number): LogitReading {
  if (temperature === 0) return 'greedy';
  return temperature === 1 ? 'plain' : 'tempered';
}

function rowOf(results: Readonly<Record<string, Tensor>>, row: number): Row {
  const part = (name: string) => {
    const found = results[name];
    const width = found?.shape[1];
    return found && toFloat32(found).subarray(row * width!, (row + 1) * width!);
  };
  const [probabilities, logits, logSumExp] = [part('probabilities'), part('logits'), part('logSumExp')];
  return {
    ...(probabilities && { probabilities }),
    ...(logits && { logits }),
    ...(logSumExp && { logSumExp: logSumExp[0]! }),
  };
}

/** A row that outlives the next run. */
const copied = ({ probabilities, logits, ...row }: Row): Row => ({
  ...row,
  ...(probabilities && { probabilities: probabilities.slice() }),
  ...(logits && { logits: logits.slice() }),
});

/** ln p of a token, at temperature 1. */
const logProbabilityIn = ({ probabilities, logits, logSumExp }: Row, id: number): number =>
  logits ? logits[id]! - logSumExp! : Math.log(probabilities![id]!);

const likeliest = (row: Row, count: number): LikelyToken[] =>
  (count > 0 ? greatest((row.logits ?? row.probabilities)!, count) : []).map((id) => ({
    id,
    logProbability: logProbabilityIn(row, id),
  }));

/** Draws the next token of a row and adds it. */
function grow(growing: Growing, row: Row, options: SampleOptions): void {
  const { read, completion, random, ids, logProbabilities } = growing;
  const { probabilities, logits } = row;
  const id = probabilities ? drawFrom(probabilities, uniformFloat64(random), options) : argmax(logits!);
  const logProbability = logProbabilityIn(row, id);
  assertFinite([logProbability], 'the model gives probabilities');
  ids.push(id);
  logProbabilities.push(logProbability);
  const { onToken, alternatives = 0 } = options;
  onToken?.(read.number, completion, { id, logProbability, top: likeliest(row, alternatives) });
}

/** 0 at the places that each row has filled, −∞ behind them [R, C]. */
function pastMask(filled: readonly number[], places: number): Tensor {
  const data = new Float32Array(filled.length * places).fill(Number.NEGATIVE_INFINITY);
  filled.forEach((count, row) => {
    data.fill(0, row * places, row * places + count);
  });
  return tensor('f32', [filled.length, places], data);
}

/** 0 where new token i may see new token j, −∞ for later ones [S, S]. */
function causalMask(added: number): Tensor {
  const data = new Float32Array(added * added);
  for (let i = 0; i < added; i++) data.fill(Number.NEGATIVE_INFINITY, i * added + i + 1, (i + 1) * added);
  return tensor('f32', [added, added], data);
}

/** What is done at the tokens of this part. */
const steeringIn = (part: 'prompt' | 'completion', { steer }: SampleJob) =>
  steer && (steer.tokens === 'all' || steer.tokens === part) ? steer : undefined;

/**
 * Each row's change; a row without one, and slots that a row does not use, change nothing. Throws
 * RangeError where a row holds more projections than K.
 */
function steeringFeeds(
  steerings: readonly (Steering | undefined)[],
  added: number,
  { width, projections, subtractable }: BatchShape,
): Record<string, Tensor> {
  const rows = steerings.length;
  const steer = new Float32Array(rows * width);
  const [directions, duals] = [0, 1].map(() => new Float32Array(rows * projections * width)) as [
    Float32Array,
    Float32Array,
  ];
  const low = new Float32Array(rows * projections).fill(Number.NEGATIVE_INFINITY);
  const high = new Float32Array(rows * projections).fill(Number.POSITIVE_INFINITY);
  const sinkSquare = new Float32Array(rows).fill(Number.POSITIVE_INFINITY);
  const [subtracted, subtractedDirection] = [
    Array<number>(rows * added).fill(0),
    new Float32Array(rows * width),
  ];
  for (const [row, steering] of steerings.entries()) {
    if (!steering) continue;
    if (steering.subtracted) {
      const { latent, direction } = steering.subtracted;
      const place = subtractable.indexOf(latent);
      if (place < 0)
        throw new RangeError(`steering subtracts latent ${latent}, which the sampler was not made for`);
      subtracted.fill(place, row * added, (row + 1) * added);
      subtractedDirection.set(direction, row * width);
    }
    if (steering.held.length > projections)
      throw new RangeError(
        `steering holds ${steering.held.length} projections, the sampler was made for ${projections}`,
      );
    steer.set(steering.add, row * width);
    if (steering.sinkNorm !== undefined) sinkSquare[row] = steering.sinkNorm ** 2;
    for (const [k, held] of steering.held.entries()) {
      const slot = row * projections + k;
      directions.set(held.direction, slot * width);
      duals.set(held.dual, slot * width);
      low[slot] = held.low;
      high[slot] = held.high;
    }
  }
  const wide = [rows, projections, width];
  return {
    steer: tensor('f32', [rows, width], steer),
    ...(projections > 0 && {
      directions: tensor('f32', wide, directions),
      duals: tensor('f32', wide, duals),
      low: tensor('f32', [rows, 1, projections], low),
      high: tensor('f32', [rows, 1, projections], high),
    }),
    ...(subtractable.length > 0 && {
      subtracted: i64([rows * added, 1], subtracted),
      subtractedDirection: tensor('f32', [rows, 1, width], subtractedDirection),
    }),
    ...(projections + subtractable.length > 0 && {
      sinkSquare: tensor('f32', [rows, 1, 1], sinkSquare),
    }),
  };
}

function reasonToStop(ids: readonly number[], options: SampleOptions): Completion['stop'] | undefined {
  if (options.endIds.includes(ids.at(-1)!)) return 'end';
  if (options.stops?.(ids)) return 'stop';
  return ids.length >= options.maxTokens ? 'length' : undefined;
}

/**
 * Generation from a model, which is loaded when it is first asked for completions. Throws InputError where
 * it has no such site.
 */
export async function sampler(
  runtime: Runtime,
  model: Model,
  { rows = 64, capacity, steerAt, projections = 0, samePrompts = false, subtractable }: SamplerOptions,
): Promise<Sampler> {
  if (steerAt !== undefined) checkSite(model, steerAt);
  const width = steerAt === undefined ? 0 : model.decoder.width;
  // a sum over a cache rounds by its length: of whole blocks, what is added is zeros, and a completion does
  // not depend on the longest prompt beside it
  const places = placesBlock * Math.ceil(capacity / placesBlock);
  const shape = { rows, capacity, places, width, projections, subtractable: subtractable?.latents ?? [] };
  let loaded: Loaded | undefined;

  async function load(reading: LogitReading): Promise<Loaded> {
    const on = subtractable && (await contributionsOf(subtractable.sae, subtractable.latents));
    const weights = new Map(model.weights);
    function contributions(x: Node): Node {
      const { contribution, weights: own } = on!(x);
      for (const [name, values] of own) weights.set(name, values);
      return contribution;
    }
    const decoding: DecodingOptions = {
      places,
      reading,
      ...(steerAt !== undefined && { steerAt, projections }),
      ...(on && { contributions }),
    };
    const { graph, caches } = decodingGraph(model, decoding);
    const buffers = caches.map(({ input, output, heads, width }) => ({
      input,
      output,
      row: [heads, places, width] as const,
    }));
    // a lone row is run with an idle one beside it: products of one row round differently
    const session = await runtime.loadCached(graph, weights, buffers, firstRow + Math.max(rows, 2));
    const blocksAbove = steerAt === undefined ? 0 : model.decoder.blocks - 1 - steerAt;
    const shared =
      samePrompts && blocksAbove > 0
        ? await sharedPrompts(runtime, model, weights, session, decoding).catch(async (error: unknown) => {
            await session.release();
            throw error;
          })
        : undefined;
    return { reading, session, shared };
  }

  async function release(): Promise<void> {
    await loaded?.shared?.release();
    await loaded?.session.release();
  }

  return {
    async sample(jobs, options, onDone) {
      const reading = readingAt(options.temperature ?? 1);
      if (loaded?.reading !== reading) {
        await release();
        loaded = undefined;
        loaded = await load(reading);
      }
      await new Batch(loaded, shape, options, onDone).run(jobs);
    },
    release,
  };
}

/** The model as it is loaded for one reading of its logits. */
interface Loaded {
  readonly reading: LogitReading;
  readonly session: CachedSession;
  /** undefined: a prompt is read whole */
  readonly shared: SharedPrompts | undefined;
}

interface BatchShape {
  readonly rows: number;
  readonly capacity: number;
  /** C: places of a row of the cache */
  readonly places: number;
  /** of what is steered; 0 without */
  readonly width: number;
  /** K: projections of a row */
  readonly projections: number;
  /** latents that a row may subtract */
  readonly subtractable: readonly number[];
}

/** One call of `sample`. */
class Batch {
  private growing: Growing[] = [];
  private read: Read | undefined;
  private readonly wanted: readonly string[];
  private readonly temperature: number;
  private readonly session: CachedSession;

  constructor(
    private readonly loaded: Loaded,
    private readonly shape: BatchShape,
    private readonly options: SampleOptions,
    private readonly onDone: (job: number, completion: number, sampled: Completion) => void | Promise<void>,
  ) {
    this.session = loaded.session;
    this.temperature = options.temperature ?? 1;
    this.wanted = logitReadings[readingAt(this.temperature)];
  }

  async run(jobs: Iterable<SampleJob>): Promise<void> {
    const waiting = jobs[Symbol.iterator]();
    let number = 0;
    for (;;) {
      this.options.signal?.throwIfAborted();
      while (this.growing.length < this.shape.rows) {
        if (!this.read || this.read.next === this.read.job.seeds.length) {
          const { value: job, done } = waiting.next();
          if (done) break;
          if (job.seeds.length > 0) await this.readPrompt(job, number);
          number++;
        } else await this.begin(this.read);
      }
      if (this.growing.length === 0) return;
      await this.step();
    }
  }

  private async readPrompt(job: SampleJob, number: number): Promise<void> {
    const { length } = job.prompt;
    if (length === 0) throw new RangeError(`job ${number}: the prompt has no tokens`);
    if (length + this.options.maxTokens > this.shape.capacity)
      throw new RangeError(
        `job ${number}: ${length} tokens of prompt and ${this.options.maxTokens} of completion exceed the sampler's ${this.shape.capacity}`,
      );
    const places = [...job.prompt.keys()];
    const feeds = this.feeds([job.prompt], [places], [steeringIn('prompt', job)]);
    const { shared } = this.loaded;
    const results = shared
      ? await shared.read(job.prompt, feeds, { row: promptRow })
      : await this.session.run(feeds, { first: promptRow, count: 1, starts: [0] }, this.wanted);
    this.read = { job, number, outputs: copied(rowOf(results, 0)), next: 0 };
  }

  /** Starts as many completions of the prompt as there are rows. */
  private async begin(read: Read): Promise<void> {
    const from = this.growing.length;
    const { seeds, prompt } = read.job;
    const free: number[] = [];
    while (this.growing.length < this.shape.rows && read.next < seeds.length) {
      free.push(firstRow + this.growing.length);
      this.growing.push({
        read,
        completion: read.next,
        random: generatorOf(seeds[read.next]!),
        ids: [],
        logProbabilities: [],
      });
      read.next++;
    }
    await this.session.copyRow(promptRow, free, prompt.length);
    for (const one of this.growing.slice(from)) grow(one, read.outputs, this.options);
    await this.retire();
  }

  /** One token more for every row. */
  private async step(): Promise<void> {
    const { growing } = this;
    const padded = growing.length === 1 ? [growing[0]!, growing[0]!] : growing;
    const starts = padded.map(({ ids, read }) => read.job.prompt.length + ids.length - 1);
    const feeds = this.feeds(
      padded.map(({ ids }) => [ids.at(-1)!]),
      starts.map((place) => [place]),
      padded.map(({ read }) => steeringIn('completion', read.job)),
    );
    const window = { first: firstRow, count: padded.length, starts };
    const results = await this.session.run(feeds, window, this.wanted);
    growing.forEach((one, i) => {
      grow(one, rowOf(results, i), this.options);
    });
    await this.retire();
  }

  /** Tells of what has ended and closes the gaps with the last rows. */
  private async retire(): Promise<void> {
    for (let i = this.growing.length - 1; i >= 0; i--) {
      const one = this.growing[i]!;
      const stop = reasonToStop(one.ids, this.options);
      if (stop === undefined) continue;
      const last = this.growing.pop()!;
      if (i < this.growing.length) {
        this.growing[i] = last;
        const places = last.read.job.prompt.length + last.ids.length;
        await this.session.copyRow(firstRow + this.growing.length, [firstRow + i], places);
      }
      const { ids, logProbabilities, read, completion } = one;
      await this.onDone(read.number, completion, { ids, logProbabilities, stop });
    }
  }

  private feeds(
    ids: readonly (readonly number[])[],
    places: readonly (readonly number[])[],
    steerings: readonly (Steering | undefined)[],
  ): Record<string, Tensor> {
    const [rows, added] = [ids.length, ids[0]!.length];
    const inverse = this.temperature === 0 ? 1 : 1 / this.temperature;
    return {
      ids: i64([rows, added], ids.flat()),
      positions: f32([rows * added, 1], places.flat()),
      past: pastMask(
        places.map(([first]) => first!),
        this.shape.places,
      ),
      fresh: causalMask(added),
      ends: i64(
        [rows],
        ids.map((_, r) => (r + 1) * added - 1),
      ),
      inverseTemperature: f32([rows, 1], Array<number>(rows).fill(inverse)),
      ...(this.shape.width > 0 && steeringFeeds(steerings, added, this.shape)),
    };
  }
}
