/**
 * Training a model's weights, or an adapter's, on token sequences: seeded order, warm-up and cosine decay,
 * micro-batches. Weights stay in the runtime between steps.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { type AdamOptions, adamFeeds, initialState } from '../../graph/adam.ts';
import type { Model } from '../../models/decoder.ts';
import { type BatchShape, type EarlyExits, trainingGraph } from '../../models/training.ts';
import { sequence, treeMask } from '../../models/tree.ts';
import type { Kept, Runtime } from '../../runtime/runtime.ts';
import { f32, i64, type Tensor, toFloat32 } from '../../tensor.ts';
import { generatorOf } from '../statistics/random.ts';

/** A document: its tokens, and from which of them on the loss counts (earlier ones are a prompt). */
export interface TrainingDocument {
  readonly ids: readonly number[];
  readonly lossFrom: number;
}

export interface TrainOptions extends BatchShape, EarlyExits {
  readonly steps: number;
  /** greatest learning rate, reached after `warmup` steps and then lowered along a cosine */
  readonly rate: number;
  /** what is left of it at the last step; default a tenth */
  readonly lastRate?: number;
  readonly warmup: number;
  /** micro-batches a step; default 1 */
  readonly accumulate?: number;
  readonly seed: number;
  readonly adam?: AdamOptions;
  /** told the trained weights as they stand after these steps; default none */
  readonly checkpoints?: {
    readonly at: readonly number[];
    readonly keep: (step: number, weights: Map<string, Tensor>) => Promise<void>;
  };
}

export interface TrainStep {
  readonly step: number;
  /** mean cross-entropy of the step's counted tokens, nats */
  readonly loss: number;
  /** global gradient norm before clipping */
  readonly norm: number;
  readonly rate: number;
}

/** Learning rate at a step from 1 on. */
export function learningRate(
  step: number,
  { rate, warmup, steps, lastRate = rate / 10 }: Pick<TrainOptions, 'rate' | 'warmup' | 'steps' | 'lastRate'>,
): number {
  if (step <= warmup) return (rate * step) / warmup;
  const way = (step - warmup) / Math.max(1, steps - warmup);
  return lastRate + ((rate - lastRate) * (1 + Math.cos(Math.PI * way))) / 2;
}

/** Documents in a new random order at each passage, without end. */
function* shuffled<T>(items: readonly T[], seed: number): Generator<T> {
  const random = generatorOf(seed);
  const order = [...items.keys()];
  for (;;) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = uniformInt(random, 0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    for (const i of order) yield items[i]!;
  }
}

interface Row {
  readonly ids: number[];
  readonly targets: number[];
  readonly weights: number[];
}

/** A row of `length` tokens that begins with a document and is filled with further ones; the last is cut. */
function fillRow(documents: Iterator<TrainingDocument>, length: number): Row {
  const ids: number[] = [];
  const counts: number[] = [];
  while (ids.length <= length) {
    const document: TrainingDocument = documents.next().value;
    document.ids.forEach((id, i) => {
      ids.push(id);
      counts.push(i >= document.lossFrom && i > 0 ? 1 : 0);
    });
  }
  return {
    ids: ids.slice(0, length),
    targets: ids.slice(1, length + 1),
    weights: counts.slice(1, length + 1),
  };
}

function batchFeeds(rows: readonly Row[], length: number, scale: number): Record<string, Tensor> {
  const tokens = rows.length * length;
  return {
    ids: i64(
      [tokens],
      rows.flatMap((r) => r.ids),
    ),
    targets: i64(
      [tokens],
      rows.flatMap((r) => r.targets),
    ),
    weights: f32(
      [tokens, 1],
      rows.flatMap((r) => r.weights.map((w) => w * scale)),
    ),
    positions: f32(
      [tokens, 1],
      rows.flatMap((r) => r.ids.map((_, i) => i)),
    ),
    mask: treeMask(sequence(Array<number>(length).fill(0))),
  };
}

/**
 * Trains the weights for which `trainable` holds, which must be in memory, and returns them. `onStep` is
 * told of every step. Equal seeds and data give equal results on one machine.
 */
export async function trainModel(
  runtime: Runtime,
  model: Model,
  documents: readonly TrainingDocument[],
  trainable: (name: string) => boolean,
  options: TrainOptions,
  onStep: (step: TrainStep) => void = () => {},
): Promise<Map<string, Tensor>> {
  const { sequences, length, accumulate = 1, steps } = options;
  const { graph, state } = trainingGraph(model, options, trainable, options.adam);
  const parameters = new Map(
    [...model.weights].filter(
      (entry): entry is [string, Tensor] => trainable(entry[0]) && !('file' in entry[1]),
    ),
  );
  const kept: Record<string, Kept> = {};
  for (const [name, initial] of Object.entries(initialState(parameters)))
    if (name in state) kept[name] = { initial, output: state[name]! };
  const session = await runtime.loadStateful(graph, model.weights, kept);
  const trained = async () => {
    const now = await session.state();
    return new Map([...parameters].map(([name, before]) => [name, now[name] ?? before]));
  };
  const source = shuffled(documents, options.seed);
  for (let step = 1; step <= steps; step++) {
    const batches = Array.from({ length: accumulate }, () =>
      Array.from({ length: sequences }, () => fillRow(source, length)),
    );
    const counted = batches.flat().reduce((sum, row) => sum + row.weights.reduce((a, b) => a + b, 0), 0);
    const rate = learningRate(step, options);
    let loss = 0;
    let norm = 0;
    for (const [i, rows] of batches.entries()) {
      const results = await session.run({
        ...batchFeeds(rows, length, 1 / counted),
        ...adamFeeds(step, rate, i === batches.length - 1, options.adam),
      });
      loss += toFloat32(results.loss!)[0]!;
      norm = toFloat32(results.norm!)[0]!;
    }
    onStep({ step, loss, norm, rate });
    if (options.checkpoints?.at.includes(step)) await options.checkpoints.keep(step, await trained());
  }
  const last = await trained();
  await session.release();
  return last;
}
