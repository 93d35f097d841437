/**
 * The passes of passes.ts, loaded: whole where the model fits the runtime's limit, else run part by part. Then the
 * residuals at the borders of parts are kept, and the way back runs each part again. Passes that are asked for at
 * the same time share each reading of the weights. Both give the same values up to float32 rounding.
 */
import type { Graph } from '../graph/node.ts';
import type { Feeds, MemoryLimit, Runtime, Session } from '../runtime/runtime.ts';
import { weightBytes } from '../runtime/weightBytes.ts';
import { f32, sizeOf, type Tensor, tensor, toFloat32 } from '../tensor.ts';
import type { Model } from './decoder.ts';
import {
  blocksGradientPart,
  blocksPart,
  hiddenPart,
  targetPart,
  type VocabularyReading,
  vocabularyPart,
} from './parts.ts';
import { checkSite, gradientGraph, logitsGraph, lossGraph, residualGraph } from './passes.ts';
import { type BlockRun, blockRuns, PartSweep } from './sweep.ts';
import { together } from './together.ts';

/** Whether the graph's weights fit what a session may hold. */
const fits = (model: Model, graph: Graph, { weights }: MemoryLimit) =>
  weightBytes({ graph, weights: model.weights }).loaded <= weights;

/** Passes that share a reading of the weights, where these are more than memory holds. */
const sharedPasses = 8;

/** How many passes through the model are best asked for at the same time. */
export function passesAtOnce({ limit }: Runtime, model: Model): number {
  return limit === undefined || fits(model, logitsGraph(model), limit) ? 1 : sharedPasses;
}

/** Bytes that a pass keeps: residuals at `borders` borders, what the head works on, and its mask. */
function bytesKept(feeds: Feeds, width: number, borders: number): number {
  const [tokens, rows] = [feeds.positions!.shape[0]!, feeds.rows?.shape[0] ?? 0];
  return 4 * (tokens * width * (borders + 2) + 3 * rows * width + tokens * tokens);
}

type Results = Record<string, Tensor>;
type Work = (sweep: PartSweep, feeds: readonly Feeds[]) => Promise<Results[]>;

/** A session that does what is asked of it at the same time in one sweep. */
function sweeping(
  runtime: Runtime,
  limit: MemoryLimit,
  sizeOf: (feeds: Feeds) => number,
  work: Work,
  release: () => Promise<void> = async () => {},
): Session {
  const run = together(limit.values, sizeOf, async (jobs: readonly Feeds[]) => {
    const sweep = new PartSweep(runtime, limit, jobs.length);
    const results = await work(sweep, jobs);
    sweep.end();
    return results;
  });
  return { run, release };
}

/** Each pass's residual [T, d] behind every run of blocks, from `before` on. */
async function climb(
  sweep: PartSweep,
  model: Model,
  runs: readonly BlockRun[],
  feeds: readonly Feeds[],
  before: readonly Tensor[],
  onBorder: (run: number, pass: number, resid: Tensor) => void,
): Promise<Tensor[]> {
  const at = [...before];
  for (const [r, { from, to }] of runs.entries())
    await sweep.over(blocksPart(model, from, to), async (session) => {
      for (const [i, fed] of feeds.entries()) {
        at[i] = (await session.run({ ...fed, resid: at[i]! })).after!;
        onBorder(r, i, at[i]!);
      }
    });
  return at;
}

/**
 * Residuals as `residualGraph` says: ids, positions, mask → `resid_post.L` and, where asked, `embedding`, all
 * [T, d].
 */
export async function residualSession(
  runtime: Runtime,
  model: Model,
  layers: readonly number[],
  options: { readonly embedding?: boolean } = {},
): Promise<Session> {
  const graph = residualGraph(model, layers, options);
  const { limit } = runtime;
  if (limit === undefined || fits(model, graph, limit)) return runtime.load(graph, model.weights);
  const embed = await runtime.load(residualGraph(model, [], { embedding: true }), model.weights);
  const runs = blockRuns(model, 0, Math.max(-1, ...layers), limit, layers);
  const work: Work = async (sweep, feeds) => {
    const first: Tensor[] = [];
    for (const fed of feeds) first.push((await embed.run(fed)).embedding!);
    const results = first.map((embedding): Results => (options.embedding ? { embedding } : {}));
    await climb(sweep, model, runs, feeds, first, (run, i, resid) => {
      const { to } = runs[run]!;
      if (layers.includes(to)) results[i]![`resid_post.${to}`] = resid;
    });
    return results;
  };
  const size = (feeds: Feeds) => bytesKept(feeds, model.decoder.width, layers.length);
  return sweeping(runtime, limit, size, work, () => embed.release());
}

/** What a pass's logits give over the vocabulary as it is gone through. */
interface Gathered {
  /** ln Σ exp(logit) over the tokens so far [n] */
  readonly lse: Float64Array;
  /** its gradient with respect to hidden [n, d]; undefined where none is wanted */
  readonly pull: Tensor<'f32'> | undefined;
}

function nothingOf({ shape }: Tensor, reading: 'loss' | 'gradient'): Gathered {
  return {
    lse: new Float64Array(shape[0]!).fill(Number.NEGATIVE_INFINITY),
    pull: reading === 'gradient' ? tensor('f32', shape, new Float32Array(sizeOf(shape))) : undefined,
  };
}

/** Adds what some further tokens of the vocabulary give: their lse [n], and its gradient [n, d]. */
function gather({ lse, pull }: Gathered, added: Results): void {
  const [addedLse, addedPull] = [toFloat32(added.lse!), pull && toFloat32(added.pull!)];
  lse.forEach((before, i) => {
    const greatest = Math.max(before, addedLse[i]!);
    const after = greatest + Math.log(Math.exp(before - greatest) + Math.exp(addedLse[i]! - greatest));
    lse[i] = after;
    if (!pull || !addedPull) return;
    const [kept, share] = [Math.exp(before - after), Math.exp(addedLse[i]! - after)];
    const d = pull.shape[1]!;
    for (let at = i * d; at < (i + 1) * d; at++)
      pull.data[at] = pull.data[at]! * kept + addedPull[at]! * share;
  });
}

/** Copies of [n, V] values that a part over the vocabulary works on. */
const vocabularyCopies = 4;

/** Tokens of the vocabulary whose rows, and whose logits in `rows` places, fit the limit. */
function vocabularyStep(model: Model, limit: MemoryLimit, rows: number): number {
  const { vocabulary } = model.decoder;
  const { loaded } = weightBytes(vocabularyPart(model, 0, vocabulary, 'loss'));
  const byWeights = Math.floor((limit.weights * vocabulary) / loaded);
  const byValues = Math.floor(limit.values / (4 * vocabularyCopies * rows));
  const most = Math.max(1, Math.min(byWeights, byValues, vocabulary));
  return Math.ceil(vocabulary / Math.ceil(vocabulary / most));
}

/** Goes over the vocabulary, each part for all passes: `hidden` [n, d] of each. */
async function overVocabulary(
  sweep: PartSweep,
  model: Model,
  limit: MemoryLimit,
  hidden: readonly Tensor[],
  reading: VocabularyReading,
  onPart: (pass: number, from: number, results: Results) => void,
): Promise<void> {
  const { vocabulary } = model.decoder;
  const step = vocabularyStep(model, limit, Math.max(1, ...hidden.map(({ shape }) => shape[0]!)));
  for (let from = 0; from < vocabulary; from += step) {
    const part = vocabularyPart(model, from, Math.min(from + step, vocabulary), reading);
    await sweep.over(part, async (session) => {
      for (const [i, one] of hidden.entries()) onPart(i, from, await session.run({ hidden: one }));
    });
  }
}

/** What the last norm makes of each pass's rows. */
async function hiddenOf(
  sweep: PartSweep,
  model: Model,
  feeds: readonly Feeds[],
  last: readonly Tensor[],
): Promise<Tensor[]> {
  const hidden: Tensor[] = [];
  await sweep.over(hiddenPart(model), async (session) => {
    for (const [i, fed] of feeds.entries())
      hidden.push((await session.run({ ...fed, resid: last[i]! })).hidden!);
  });
  return hidden;
}

/** −ln p of the targets [n, 1] of each pass, and where wanted the gradient [T, d] behind the last block. */
async function lossesOf(
  sweep: PartSweep,
  model: Model,
  limit: MemoryLimit,
  reading: 'loss' | 'gradient',
  feeds: readonly Feeds[],
  last: readonly Tensor[],
): Promise<Results[]> {
  const hidden = await hiddenOf(sweep, model, feeds, last);
  const gathered = hidden.map((one) => nothingOf(one, reading));
  await overVocabulary(sweep, model, limit, hidden, reading, (i, _, added) => gather(gathered[i]!, added));
  const results: Results[] = [];
  await sweep.over(targetPart(model, reading), async (session) => {
    for (const [i, fed] of feeds.entries()) {
      const { lse, pull } = gathered[i]!;
      const { target, ...grad } = await session.run({ ...fed, resid: last[i]!, ...(pull && { pull }) });
      const wanted = toFloat32(target!);
      const nll = Array.from(lse, (all, row) => all - wanted[row]!);
      results.push({ nll: f32([nll.length, 1], nll), ...grad });
    }
  });
  return results;
}

/** From the site up: the loss, and back where its gradient is wanted. */
function headWork(model: Model, layer: number, limit: MemoryLimit, reading: 'loss' | 'gradient'): Work {
  const runs = blockRuns(model, layer + 1, model.decoder.blocks - 1, limit);
  return async (sweep, feeds) => {
    const start = feeds.map((fed) => fed.resid!);
    const borders = start.map((resid) => [resid]);
    const last = await climb(sweep, model, runs, feeds, start, (_, i, resid) => {
      if (reading === 'gradient') borders[i]!.push(resid);
    });
    const results = await lossesOf(sweep, model, limit, reading, feeds, last);
    if (reading === 'loss') return results;
    const back = results.map(({ grad }) => grad!);
    for (const [r, { from, to }] of [...runs.entries()].reverse())
      await sweep.over(blocksGradientPart(model, from, to), async (session) => {
        for (const [i, fed] of feeds.entries())
          back[i] = (await session.run({ ...fed, resid: borders[i]![r]!, upstream: back[i]! })).grad!;
      });
    return results.map((found, i) => ({ ...found, grad: back[i]! }));
  };
}

async function headSession(
  runtime: Runtime,
  model: Model,
  layer: number,
  reading: 'loss' | 'gradient',
  graph: Graph,
): Promise<Session> {
  const { limit } = runtime;
  if (limit === undefined || fits(model, graph, limit)) return runtime.load(graph, model.weights);
  checkSite(model, layer);
  const { width, blocks } = model.decoder;
  const size = (feeds: Feeds) => bytesKept(feeds, width, reading === 'gradient' ? blocks - layer : 1);
  return sweeping(runtime, limit, size, headWork(model, layer, limit, reading));
}

/** The loss as `lossGraph` says: resid [T, d], positions, mask, rows [n], targets [n] → `nll` [n, 1] in nats. */
export function lossSession(runtime: Runtime, model: Model, layer: number): Promise<Session> {
  const { nll } = lossGraph(model, layer).outputs;
  return headSession(runtime, model, layer, 'loss', { outputs: { nll: nll! } });
}

/** As `lossSession`, with `logits` [n, V] where the model is not run in parts. */
export function textSession(runtime: Runtime, model: Model, layer: number): Promise<Session> {
  return headSession(runtime, model, layer, 'loss', lossGraph(model, layer));
}

/** Loss and gradient as `gradientGraph` says: the same with weights [n, 1] → `nll` [n, 1] and `grad` [T, d]. */
export function gradientSession(runtime: Runtime, model: Model, layer: number): Promise<Session> {
  return headSession(runtime, model, layer, 'gradient', gradientGraph(model, layer));
}

/** Logits as `logitsGraph` says: ids, positions, mask, rows [n] → `logits` [n, V]. */
export async function logitsSession(runtime: Runtime, model: Model): Promise<Session> {
  const graph = logitsGraph(model);
  const { limit } = runtime;
  if (limit === undefined || fits(model, graph, limit)) return runtime.load(graph, model.weights);
  const last = model.decoder.blocks - 1;
  const below = await residualSession(runtime, model, [last]);
  const { width, vocabulary } = model.decoder;
  const work: Work = async (sweep, feeds) => {
    const behind = await Promise.all(feeds.map((fed) => below.run(fed)));
    const resid = behind.map((found) => found[`resid_post.${last}`]!);
    const hidden = await hiddenOf(sweep, model, feeds, resid);
    const logits = hidden.map(({ shape }) => new Float32Array(shape[0]! * vocabulary));
    await overVocabulary(sweep, model, limit, hidden, 'logits', (i, from, found) => {
      const [rows, columns] = found.logits!.shape as [number, number];
      const values = toFloat32(found.logits!);
      for (let row = 0; row < rows; row++)
        logits[i]!.set(values.subarray(row * columns, (row + 1) * columns), row * vocabulary + from);
    });
    return logits.map((values) => ({
      logits: tensor('f32', [values.length / vocabulary, vocabulary], values),
    }));
  };
  const size = (feeds: Feeds) => bytesKept(feeds, width, 1) + 4 * vocabulary * (feeds.rows?.shape[0] ?? 0);
  return sweeping(runtime, limit, size, work, () => below.release());
}
