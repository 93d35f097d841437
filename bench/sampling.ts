/**
 * Sampling on the real model: new tokens a second at 1, 16 and 64 rows, plain and steered, beside plain
 * matrix products; memory.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { sampler } from '../src/methods/completions/sample.ts';
import { addedVector } from '../src/methods/steering/steer.ts';
import type { ChatMessage } from '../src/results.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { openModel } from '../src/study/open/openModel.ts';
import { peakMemory, productRate, type Work } from './machine.ts';

const newTokens = 48;
const perPrompt = 12;
const steerAt = 15;

/** Rows side by side, and how many prompts are sampled with them, so that the batch stays full. */
const sizes = [
  { rows: 1, prompts: 1, completions: 1 },
  { rows: 16, prompts: 3, completions: 16 },
  { rows: 64, prompts: 16, completions: perPrompt },
];

function greedyPrompts(): ChatMessage[][] {
  const lines = readFileSync('../shared/golden/greedy.jsonl', 'utf8').trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as { prompt: ChatMessage[] }).prompt);
}

type Size = (typeof sizes)[number];

async function openSampling() {
  const folder = execFileSync('../shared/get-model', { encoding: 'utf8' }).trim();
  const { model, codec } = await openModel(folder);
  const prompts = greedyPrompts().map((prompt) => codec.encodePrompt(prompt));
  const capacity = Math.max(...prompts.map((ids) => ids.length)) + newTokens;
  const runtime = nodeRuntime();
  /** New tokens a second of `size`, again at each call. */
  async function opened({ rows, prompts: count, completions }: Size, steered: boolean): Promise<Work> {
    const made = await sampler(runtime, model, { rows, capacity, ...(steered && { steerAt }) });
    const steer = addedVector(new Float32Array(model.decoder.width).fill(1e-3));
    const jobs = prompts.slice(0, count).map((prompt, i) => ({
      prompt,
      seeds: Array.from({ length: completions }, (_, k) => 1000 * i + k),
      ...(steered && { steer }),
    }));
    await made.sample(jobs.slice(0, 1), { maxTokens: 4, endIds: [] }, () => {});
    return {
      unit: 'new tok/s',
      async rate() {
        let tokens = 0;
        const start = performance.now();
        await made.sample(jobs, { maxTokens: newTokens, endIds: [] }, (_, __, { ids }) => {
          tokens += ids.length;
        });
        return tokens / ((performance.now() - start) / 1000);
      },
      close: () => made.release(),
    };
  }
  return { runtime, opened };
}

/** New tokens a second of `rows` rows that grow side by side. */
export async function samplingWork(rows: number): Promise<Work> {
  const { runtime, opened } = await openSampling();
  const { unit, rate } = await opened(sizes.find((size) => size.rows === rows)!, false);
  return { unit, rate, close: () => runtime.close() };
}

export async function samplingBench(): Promise<void> {
  const { runtime, opened } = await openSampling();
  const products = await productRate(runtime);
  process.stdout.write(`1024^3 products: ${products.toFixed(0)} GFLOP/s\n`);
  for (const size of sizes) {
    const rates: number[] = [];
    for (const steered of [false, true]) {
      const work = await opened(size, steered);
      rates.push(await work.rate());
      await work.close();
    }
    const [plain, steered] = rates as [number, number];
    process.stdout.write(
      `${size.rows} rows, ${size.completions} completions per prompt: ${plain.toFixed(0)} new tok/s (${(plain / products).toFixed(2)} for each GFLOP/s), steered ${steered.toFixed(0)}: ${(steered / plain).toFixed(2)} of plain; peak memory ${peakMemory()?.toFixed(0)} MB\n`,
    );
  }
  await runtime.close();
}
