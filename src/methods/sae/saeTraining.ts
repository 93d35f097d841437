/**
 * Training a sparse autoencoder on rows of activations: order, schedule, dead latents, and a state that can
 * be saved at a step and gone on from with the same result. Knows neither files nor clocks.
 */
import { adamFeeds, initialState } from '../../graph/adam.ts';
import type { Runtime, StatefulSession } from '../../runtime/runtime.ts';
import { f32, i64, type Tensor, tensor, toFloat32 } from '../../tensor.ts';
import { learningRate } from '../training/train.ts';
import { type RowShard, RowStream } from './rowStream.ts';
import {
  parameterShapes,
  type SaeGraphOptions,
  saeAdamOptions,
  saeTrainingGraph,
  type TrainedKind,
} from './saeGraph.ts';
import { firstParameters, foldedWeights, rowStatistics, type SaeWeights } from './saeStart.ts';

export interface SaeTrainOptions {
  /** N */
  readonly latents: number;
  /** default topk */
  readonly kind?: TrainedKind;
  /** active latents of a token: exactly (topk), or aimed at on average (jumprelu); default 32 */
  readonly k?: number;
  /** rows trained on, epochs counted; the last batch is left out if not whole */
  readonly tokens: number;
  /** rows of a step; default 2,048 */
  readonly batch?: number;
  /** greatest learning rate; default 3e-3 */
  readonly rate?: number;
  /** share of the steps in which the rate rises; default 0.05 */
  readonly warmup?: number;
  /** default 0 */
  readonly seed?: number;
  /** rows without activity after which a latent is dead; default a tenth of `tokens`, 10 million at most */
  readonly deadAfter?: number;
  /** dead latents that reconstruct a row's error; default d/2; 0 for none */
  readonly auxK?: number;
  /** weight of the auxiliary loss; default 1/32 */
  readonly auxWeight?: number;
}

export type SaeTrainSettings = Required<SaeTrainOptions>;

/** Options with defaults filled in, for width d. Throws RangeError where they do not fit together. */
export function saeTrainSettings(options: SaeTrainOptions, d: number): SaeTrainSettings {
  const { latents, tokens, k = 32, batch = 2048, kind = 'topk' } = options;
  if (k > latents) throw new RangeError(`k ${k}: there are ${latents} latents`);
  if (tokens < batch) throw new RangeError(`${tokens} tokens: a step takes ${batch}`);
  return {
    kind,
    rate: 3e-3,
    warmup: 0.05,
    seed: 0,
    deadAfter: Math.min(10_000_000, Math.max(batch, Math.floor(tokens / 10))),
    auxK: kind === 'topk' ? Math.min(latents, Math.max(1, Math.floor(d / 2))) : 0,
    auxWeight: 1 / 32,
    ...options,
    latents,
    tokens,
    k,
    batch,
  };
}

export interface SaeTrainStep {
  readonly step: number;
  readonly steps: number;
  /** error over variance, with whatever is added to it */
  readonly loss: number;
  /** 1 − Σ(x − x̂)²/Σ(x − mean)² of the batch, the denominator being the data's own mean */
  readonly explained: number;
  /** active latents a token */
  readonly l0: number;
  /** share of latents that are dead */
  readonly dead: number;
}

/** All that training needs to go on after `step` steps. */
export interface SaeCheckpoint {
  readonly step: number;
  /** parameters and moments */
  readonly state: Readonly<Record<string, Tensor>>;
  /** the step at which each latent was last active [N] */
  readonly lastActive: Int32Array;
}

export interface SaeTrainHooks {
  /** go on from here */
  readonly from?: SaeCheckpoint | undefined;
  readonly onStep?: (step: SaeTrainStep) => void;
  /** asked every 16 steps whether to save */
  readonly saveNow?: () => boolean;
  readonly save?: (checkpoint: SaeCheckpoint) => Promise<void>;
}

/** Steps between looks at which latents are dead; a checkpoint is taken at such a step only. */
const lookEvery = 16;

/** What stands in for −∞: it keeps 0 · offset at 0. */
const farBelow = -1e30;

/** Feeds that name the dead latents, filled up to auxK. */
function deadFeeds(dead: readonly number[], { auxK, auxWeight, latents }: SaeTrainSettings) {
  const named = [...dead];
  for (let i = 0; named.length < auxK; i = (i + 1) % latents) named.push(i);
  return {
    dead: i64([named.length], named),
    deadOffset: f32(
      [named.length],
      named.map((_, i) => (i < dead.length ? 0 : farBelow)),
    ),
    auxWeight: f32([], [auxWeight * Math.min(1, dead.length / auxK)]),
  };
}

/** The graph with or without the auxiliary loss; the state moves over when that changes. */
class Trainer {
  private session: StatefulSession | undefined;
  private withAux: boolean | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly options: SaeGraphOptions,
    private first: Readonly<Record<string, Tensor>>,
  ) {}

  async run(feeds: Readonly<Record<string, Tensor>>, withAux: boolean): Promise<Record<string, Tensor>> {
    if (withAux !== this.withAux) await this.load(withAux);
    return this.session!.run(feeds);
  }

  async state(): Promise<Readonly<Record<string, Tensor>>> {
    return this.session ? this.session.state() : this.first;
  }

  async release(): Promise<void> {
    await this.session?.release();
  }

  private async load(withAux: boolean): Promise<void> {
    this.first = await this.state();
    await this.release();
    const { graph, state } = saeTrainingGraph({ ...this.options, auxK: withAux ? this.options.auxK : 0 });
    const kept = Object.entries(state).map(([name, output]) => [
      name,
      { initial: this.first[name]!, output },
    ]);
    this.session = await this.runtime.loadStateful(graph, new Map(), Object.fromEntries(kept));
    this.withAux = withAux;
  }
}

const one = (t: Tensor) => toFloat32(t)[0]!;

/**
 * Trains on rows of width d and returns the weights in the rows' own units. Equal rows, options and seeds
 * give equal weights on one machine, also when gone on with from a checkpoint. Throws RangeError where the
 * options do not fit.
 */
export async function trainSae(
  runtime: Runtime,
  shards: readonly RowShard[],
  d: number,
  options: SaeTrainOptions,
  { from, onStep, saveNow = () => false, save }: SaeTrainHooks = {},
): Promise<SaeWeights> {
  const settings = saeTrainSettings(options, d);
  const { kind, latents, k, batch, seed, tokens, auxK } = settings;
  const statistics = await rowStatistics(shards, d);
  const scale = Math.sqrt(d) / statistics.norm;
  const variance = statistics.variance * scale ** 2;
  const stream = new RowStream(shards, d, seed);
  const steps = Math.floor(tokens / batch);
  const schedule = { rate: settings.rate, warmup: Math.ceil(settings.warmup * steps), steps };
  const first = from?.state ?? initialState(firstParameters(kind, latents, statistics, scale, seed));
  const trainer = new Trainer(runtime, { kind, width: d, latents, batch, k, scale, variance, auxK }, first);
  const lastActive = from?.lastActive.slice() ?? new Int32Array(latents);
  let dead: number[] = [];
  for (let step = (from?.step ?? 0) + 1; step <= steps; step++) {
    if ((step - 1) % lookEvery === 0) {
      const limit = settings.deadAfter / batch;
      dead = [...lastActive.keys()].filter((i) => step - 1 - lastActive[i]! >= limit);
      if (step > 1 && save && saveNow())
        await save({ step: step - 1, state: await trainer.state(), lastActive });
    }
    const withAux = auxK > 0 && dead.length > 0;
    const results = await trainer.run(
      {
        x: tensor('f32', [batch, d], await stream.rows((step - 1) * batch, batch)),
        ...adamFeeds(step, learningRate(step, schedule), true, saeAdamOptions),
        ...(withAux && deadFeeds(dead, settings)),
      },
      withAux,
    );
    toFloat32(results.active!).forEach((z, i) => {
      if (z > 0) lastActive[i] = step;
    });
    onStep?.({
      step,
      steps,
      loss: one(results.loss!),
      explained: 1 - one(results.error!) / (batch * variance),
      l0: one(results.l0!),
      dead: dead.length / latents,
    });
  }
  const state = await trainer.state();
  await save?.({ step: steps, state, lastActive });
  await trainer.release();
  return foldedWeights(
    Object.fromEntries(Object.keys(parameterShapes({ kind, width: d, latents })).map((n) => [n, state[n]!])),
    scale,
  );
}
