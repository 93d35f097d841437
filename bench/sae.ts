/** SAE training at the size of PEERS.md: tokens a second of a TopK step, beside plain matrix products. */
import { saeTrainSettings, trainSae } from '../src/methods/sae/saeTraining.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { productRate } from './machine.ts';

const d = 576;
const latents = 4096;
const batch = 2048;
const steps = 14;
const unmeasured = 4;

/** What PEERS.md gives for PyTorch: tokens a second on a machine of 130 to 160 GFLOP/s. */
const peers = { dense: 3300, sparse: 7900, products: 145 };

function rows(count: number): Float32Array {
  return Float32Array.from({ length: count * d }, (_, i) => (((i * 2654435761) >>> 7) % 2001) / 1000 - 1);
}

export async function saeBench(): Promise<void> {
  const runtime = nodeRuntime();
  const data = rows(2 * batch);
  const settings = saeTrainSettings({ latents, tokens: steps * batch, batch }, d);
  const before = await productRate(runtime);
  const times: number[] = [];
  let last = performance.now();
  await trainSae(runtime, [{ tokens: 2 * batch, read: async () => data }], d, settings, {
    onStep: () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
    },
  });
  const after = await productRate(runtime);
  await runtime.close();
  const typical = times.slice(unmeasured).sort((a, b) => a - b)[(steps - unmeasured) >> 1]!;
  const rate = (1000 * batch) / typical;
  const products = Math.max(before, after);
  const perProduct = rate / products;
  const against = (tokens: number) => (perProduct / (tokens / peers.products)).toFixed(2);
  process.stdout.write(
    [
      `${Math.round(rate)} tok/s; products ${products.toFixed(0)} GFLOP/s: ${perProduct.toFixed(1)} tok/s per GFLOP/s`,
      `per product ${against(peers.dense)} times PyTorch with a dense decode, ${against(peers.sparse)} times with a sparse one\n`,
    ].join('\n'),
  );
}
