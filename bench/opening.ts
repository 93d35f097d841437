/**
 * Opening models: a GGUF whose float32 copy is in the cache, and a safetensors file of more than 2 GB, written here.
 * Memory is what a process of its own peaks at.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModel } from '../src/study/open/openModel.ts';
import { forgetPeakMemory, memoryNow, peakMemory } from './machine.ts';
import { shapes, writeModel } from './modelFiles.ts';

const megabytes = (value: number | undefined) => `${value?.toFixed(0) ?? '?'} MB`;

async function timed(name: string, folder: string): Promise<void> {
  forgetPeakMemory();
  const before = memoryNow();
  const seconds: string[] = [];
  for (let round = 0; round < 2; round++) {
    const start = performance.now();
    await openModel(folder, { now: new Date(0) });
    seconds.push(((performance.now() - start) / 1000).toFixed(1));
  }
  process.stdout.write(
    `${name}: ${seconds[0]} s, again ${seconds[1]} s; peak ${megabytes(peakMemory())}, ${megabytes(before)} before\n`,
  );
}

export async function openingBench(): Promise<void> {
  const folderOf = (script: string) => execFileSync(script, { encoding: 'utf8' }).trim();
  const smollm = folderOf('../shared/get-model');
  await timed('SmolLM2-135M, GGUF (Q4_1), tokenizer.json', smollm);
  await timed('Gemma-3-270m, GGUF (Q4_K_M) alone', folderOf('../shared/get-gemma'));
  const folder = join(tmpdir(), 'culprit-bench', 'opening');
  try {
    const bytes = await writeModel(folder, shapes['qwen2.5-7b'], 2);
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      await copyFile(join(smollm, name), join(folder, name));
    await timed(`2 blocks of Qwen2.5-7B, safetensors of ${(bytes / 1e9).toFixed(1)} GB`, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
