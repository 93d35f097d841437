/**
 * What a model makes of completions that it did not need to write: of each, the mean residual at a site
 * over its tokens, and how likely the model finds it. Prompts are read once and kept while there is room. A
 * reading is the same bits in any company. Knows no label and no judge.
 */
import type { Model } from '../../models/decoder.ts';
import { assertFinite } from '../../models/finite.ts';
import {
  completionsGraph,
  notAlone,
  placesOfRun,
  starts,
  type Text,
  textFeeds,
} from '../../models/sideBySide.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64, type Tensor, tensor, toFloat32 } from '../../tensor.ts';
import { type PromptMemory, promptMemory, type ReadPrompt } from './promptMemory.ts';
import { runsOf } from './textRuns.ts';

/** One completion as the model sees it; d is the residual width. */
export interface Reading {
  /** mean of a_t over the completion's tokens [d] */
  readonly mean: Float32Array;
  /** mean of ln p over them, in nats */
  readonly logProbability: number;
}

/** Token ids of a prompt and of completions of it. */
export interface PromptedIds {
  readonly prompt: readonly number[];
  readonly completions: readonly (readonly number[])[];
}

export interface ReadingPass {
  /**
   * One reading for each completion, in order. Many completions of like lengths are read faster than few. The
   * prompts are all in memory at a time. Throws RangeError where a prompt or a completion has no tokens.
   */
  read(texts: readonly PromptedIds[]): Promise<Reading[][]>;
  release(): Promise<void>;
}

/** Raised when the same texts come to other numbers, if only in their last digits. */
export const readingVersion = 2;

/** Bytes of prompts that are kept, where the runtime's limit allows as much. */
const promptBytes = 384 * 2 ** 20;

/** A completion behind its prompt, and which of all it is. */
interface Continuation extends Text {
  readonly prompt: ReadPrompt;
  readonly group: number;
  readonly index: number;
}

/** Mean of the rows [from, to) of x [T, d]. */
function meanRow(x: Float32Array, d: number, from: number, to: number): Float32Array {
  const sum = new Float64Array(d);
  for (let t = from; t < to; t++) for (let i = 0; i < d; i++) sum[i]! += x[t * d + i]!;
  return Float32Array.from(sum, (value) => value / (to - from));
}

/** What the texts of a run stand behind, block by block [R·C, heads·h]: zeros after each prompt. */
function promptFeeds(
  run: readonly Continuation[],
  { caches }: Pick<PromptMemory, 'caches'>,
): Record<string, Tensor> {
  const places = placesOfRun(run);
  return Object.fromEntries(
    caches.map(({ input, width }, cache) => {
      const data = new Float32Array(run.length * places * width);
      for (const [row, { prompt }] of run.entries()) data.set(prompt.kept[cache]!, row * places * width);
      return [input, tensor('f32', [run.length * places, width], data)];
    }),
  );
}

/** Loads the model to read at `resid_post layer`. Throws InputError where the model has no such site. */
export async function readingPass(runtime: Runtime, model: Model, layer: number): Promise<ReadingPass> {
  const session = await runtime.load(completionsGraph(model, layer), model.weights);
  const prompts = await promptMemory(
    runtime,
    model,
    Math.min(promptBytes, runtime.limit?.values ?? promptBytes),
  ).catch(async (error: unknown) => {
    await session.release();
    throw error;
  });

  async function readRun(given: readonly Continuation[]): Promise<Reading[]> {
    const run = notAlone(given);
    const from = starts(run);
    const rows = run.flatMap(({ ids }, i) => ids.slice(1).map((_, t) => from[i]! + t));
    const targets = run.flatMap(({ ids }) => ids.slice(1));
    const idle = Math.max(0, 2 - rows.length);
    const found = await session.run({
      ...textFeeds(run),
      ...promptFeeds(run, prompts),
      rows: i64([rows.length + idle], [...rows, ...Array<number>(idle).fill(0)]),
      targets: i64([rows.length + idle], [...targets, ...Array<number>(idle).fill(0)]),
    });
    const [activation, losses] = [toFloat32(found.resid!), toFloat32(found.nll!)];
    assertFinite(activation, 'the model gives activations');
    assertFinite(losses, 'the model gives losses');
    let at = 0;
    return given.map(({ ids, prompt }, i) => {
      const own = losses.subarray(at, at + ids.length - 1);
      at += own.length;
      const first = prompt.logits[ids[0]!]! - prompt.logSumExp;
      return {
        mean: meanRow(activation, model.decoder.width, from[i]!, from[i]! + ids.length),
        logProbability: own.reduce((sum, loss) => sum - loss, first) / ids.length,
      };
    });
  }

  return {
    async read(texts) {
      const read = await prompts.read(texts.map(({ prompt }) => prompt));
      const all = texts.flatMap(({ completions }, group) =>
        completions.map((ids, index): Continuation => {
          const prompt = read[group]!;
          return { ids, behind: prompt.tokens, prompt, group, index };
        }),
      );
      const readings = texts.map(({ completions }) => Array<Reading>(completions.length));
      for (const run of runsOf(all, (one) => one))
        for (const [i, reading] of (await readRun(run)).entries()) {
          const { group, index } = run[i]!;
          readings[group]![index] = reading;
        }
      return readings;
    },
    async release() {
      await Promise.all([session.release(), prompts.release()]);
    },
  };
}

/** What tells broken text from coherent text: the mean residual, then the mean log-probability [d + 1]. */
export function coherenceFeatures({ mean, logProbability }: Reading): Float64Array {
  return Float64Array.of(...mean, logProbability);
}
