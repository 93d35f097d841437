/**
 * The attribution pass on the real model: tokens, pairs and operations a second, beside plain matrix
 * products; load time; memory.
 */
import { execFileSync } from 'node:child_process';
import { encodePair, readPairs } from '../src/files/pairs.ts';
import { contrastRows } from '../src/methods/site/contrast.ts';
import { sitePass } from '../src/methods/site/siteGradient.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { readBaseline } from '../src/study/attribution/attributeRun.ts';
import { openModel } from '../src/study/open/openModel.ts';
import { sizeOf } from '../src/tensor.ts';
import { peakMemory, productRate, type Work } from './machine.ts';

const layer = 15;
const pairsTimed = 24;

/**
 * Multiply-adds of one token through one block's matrices, by the weights' own shapes (the adapter's
 * included).
 */
function blockWeights(weights: ReadonlyMap<string, { shape: readonly number[] }>, block: number): number {
  let total = 0;
  for (const [name, { shape }] of weights)
    if (name.includes(`layers.${block}.`) && shape.length === 2) total += sizeOf(shape);
  return total;
}

/** The contrasts of the first pairs of ../shared/golden/pairs.jsonl and the pass that reads them. */
async function openPass() {
  const folder = execFileSync('../shared/get-model', { encoding: 'utf8' }).trim();
  const start = performance.now();
  const { model, codec } = await openModel(folder, { adapter: '../shared/organisms/health-advice' });
  const opened = performance.now();
  const runtime = nodeRuntime();
  const pass = await sitePass(runtime, model, layer);
  const loaded = performance.now();
  const baseline = await readBaseline('../shared/golden/mean15.safetensors', model.decoder.width);
  const pairs = (await readPairs('../shared/golden/pairs.jsonl'))
    .slice(0, pairsTimed)
    .map((p) => encodePair(codec, p));
  const contrasts = pairs.map((p, i) => ({
    id: `${i}`,
    prompt: p.promptIds,
    positives: [p.positiveIds],
    negatives: [p.negativeIds],
  }));
  await contrastRows(pass, contrasts[0]!, { baseline });
  const first = performance.now();
  return { model, runtime, pass, baseline, contrasts, times: { start, opened, loaded, first } };
}

/** Pairs a second. */
export async function pairsWork(): Promise<Work> {
  const { runtime, pass, baseline, contrasts } = await openPass();
  return {
    unit: 'pairs/s',
    async rate() {
      const start = performance.now();
      for (const contrast of contrasts) await contrastRows(pass, contrast, { baseline });
      return contrasts.length / ((performance.now() - start) / 1000);
    },
    close: () => runtime.close(),
  };
}

export async function attributionBench(): Promise<void> {
  const { model, runtime, pass, baseline, contrasts, times } = await openPass();
  const { start, opened, loaded, first } = times;
  const { width: d, vocabulary, blocks } = model.decoder;
  const forward = (to: number) =>
    Array.from({ length: to }, (_, l) => blockWeights(model.weights, l)).reduce((a, b) => a + b, 0);
  const all = forward(blocks);
  const above = all - forward(layer + 1);
  let flop = 0;
  let packed = 0;
  let separate = 0;
  const began = performance.now();
  for (const contrast of contrasts) {
    const rows = await contrastRows(pass, contrast, { baseline });
    const completion = contrast.positives[0]!.length + contrast.negatives[0]!.length;
    packed += rows.packed;
    separate += 2 * contrast.prompt.length + completion;
    flop += 2 * rows.packed * (all + above) + 2 * 2 * completion * d * vocabulary;
  }
  const seconds = (performance.now() - began) / 1000;
  const peak = peakMemory();
  const products = await productRate(runtime);
  const weights = [...model.weights.values()].reduce((sum, w) => sum + 4 * sizeOf(w.shape), 0) / 2 ** 20;
  await runtime.close();
  const rate = flop / seconds / 1e9;
  process.stdout.write(
    [
      `open ${((opened - start) / 1000).toFixed(1)} s, load graphs ${((loaded - opened) / 1000).toFixed(1)} s, first pair ${((first - loaded) / 1000).toFixed(1)} s: ${((first - start) / 1000).toFixed(1)} s to the first result`,
      `${contrasts.length} pairs in ${seconds.toFixed(1)} s: ${(contrasts.length / seconds).toFixed(2)} pairs/s`,
      `${(packed / seconds).toFixed(0)} packed tokens/s, as much as ${(separate / seconds).toFixed(0)} tokens/s of separate sequences`,
      `${rate.toFixed(0)} GFLOP/s in matrices with weights (attention, norms and all else cost time but are not counted)`,
      `1024^3 products: ${products.toFixed(0)} GFLOP/s; ratio ${(rate / products).toFixed(2)}`,
      `peak memory ${peak?.toFixed(0)} MB, float32 weights ${weights.toFixed(0)} MB; ratio ${((peak ?? 0) / weights).toFixed(2)}`,
      '',
    ].join('\n'),
  );
}
