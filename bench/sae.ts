/** SAE training of 4,096 latents of width 576: tokens a second of a TopK step, beside plain matrix products. */
import { saeTrainSettings, trainSae } from '../src/methods/sae/saeTraining.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { productRate, type Work } from './machine.ts';

const d = 576;
const latents = 4096;
const batch = 2048;
const steps = 14;
const unmeasured = 4;

function rows(count: number): Float32Array {
  return Float32Array.from({ length: count * d }, (_, i) => (((i * 2654435761) >>> 7) % 2001) / 1000 - 1);
}

/** Tokens a second of the typical step of a short training. */
async function typicalRate(runtime: Runtime): Promise<number> {
  const data = rows(2 * batch);
  const settings = saeTrainSettings({ latents, tokens: steps * batch, batch }, d);
  const times: number[] = [];
  let last = performance.now();
  await trainSae(runtime, [{ tokens: 2 * batch, read: async () => data }], d, settings, {
    onStep: () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
    },
  });
  const typical = times.slice(unmeasured).sort((a, b) => a - b)[(steps - unmeasured) >> 1]!;
  return (1000 * batch) / typical;
}

export async function saeWork(): Promise<Work> {
  const runtime = nodeRuntime();
  return { unit: 'tok/s', rate: () => typicalRate(runtime), close: () => runtime.close() };
}

export async function saeBench(): Promise<void> {
  const runtime = nodeRuntime();
  const before = await productRate(runtime);
  const rate = await typicalRate(runtime);
  const products = Math.max(before, await productRate(runtime));
  await runtime.close();
  process.stdout.write(
    `${Math.round(rate)} tok/s; products ${products.toFixed(0)} GFLOP/s: ${(rate / products).toFixed(1)} tok/s per GFLOP/s\n`,
  );
}
