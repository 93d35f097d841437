/** Sampling from, and judging by, a model whose weights stay in their files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors, writeSafetensors } from '../../../src/files/safetensors.ts';
import { type Completion, sampler } from '../../../src/methods/completions/sample.ts';
import { readingPass } from '../../../src/methods/judging/reading.ts';
import type { Model } from '../../../src/models/decoder.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { bytesPerElement, sizeOf, tensor } from '../../../src/tensor.ts';
import { expectClose } from '../../support/close.ts';
import { tinyModel } from '../../support/tinyModel.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-mapped-'));
const told: { bytes: number; milliseconds: number }[] = [];
let ticks = 0;
const watch = {
  now: () => ticks++,
  onSweep() {},
  onMapped: (run: (typeof told)[number]) => void told.push(run),
};
const whole = nodeRuntime({ threads: 1 });
const mapped = nodeRuntime({ threads: 1, limit: { weights: 1000, values: 1e8, watch } });
let model: Model;
let bytes = 0;

beforeAll(async () => {
  const tiny = tinyModel({ seed: 6 });
  const narrow = [...tiny.weights].map(([name, { shape, data }]) => {
    const bits = Uint16Array.from(new Uint32Array(data.slice().buffer), (value) => value >>> 16);
    bytes += sizeOf(shape) * bytesPerElement.bf16;
    return [name, tensor('bf16', shape, bits)] as const;
  });
  await writeSafetensors(join(folder, 'model.safetensors'), narrow);
  model = { ...tiny.model, weights: await openSafetensors(join(folder, 'model.safetensors')) };
});
afterAll(async () => {
  await Promise.all([whole.close(), mapped.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const prompts = [[3, 1, 4, 1], [5], [9, 2, 6, 5, 3, 5]];

async function sampled(runtime: Runtime): Promise<Completion[]> {
  const made = await sampler(runtime, model, { rows: 4, capacity: 20 });
  const found: Completion[] = [];
  const jobs = prompts.map((prompt, i) => ({ prompt, seeds: [10 * i, 10 * i + 1] }));
  await made.sample(jobs, { maxTokens: 8, endIds: [] }, (job, i, one) => {
    found[2 * job + i] = one;
  });
  await made.release();
  return found;
}

it('gives the completions of the model in memory, and says once what a step reads', async () => {
  const [expected, found] = [await sampled(whole), await sampled(mapped)];
  expect(found.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
  for (const [i, { logProbabilities }] of found.entries())
    expectClose(logProbabilities, expected[i]!.logProbabilities, 1e-5);
  expect(told).toEqual([{ bytes, milliseconds: 1 }]);
});

it('reads completions as the model in memory does', async () => {
  const texts = prompts.map((prompt) => ({ prompt, completions: [[7, 8, 9], [1]] }));
  const read = async (runtime: Runtime) => {
    const pass = await readingPass(runtime, model, 1);
    const readings = (await pass.read(texts)).flat();
    await pass.release();
    return readings;
  };
  const [expected, found] = [await read(whole), await read(mapped)];
  for (const [i, { mean, logProbability }] of found.entries()) {
    expectClose(mean, expected[i]!.mean, 1e-5);
    expect(logProbability).toBeCloseTo(expected[i]!.logProbability, 5);
  }
});
