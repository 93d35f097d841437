/**
 * Scoring a dictionary by the quadratic form: seconds a million latents, beside reading the decoder from disk
 * once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensorsStream } from '../src/files/safetensors.ts';
import { scoreMatrix } from '../src/methods/attribution/score.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { openSae } from '../src/study/open/openSae.ts';
import type { Work } from './machine.ts';

const d = 576;
const latents = 2 ** 18;

async function dictionary(folder: string) {
  const random = (n: number) =>
    Float32Array.from({ length: n }, (_, i) => ((i * 2654435761) % 2001) / 1000 - 1);
  const one = (name: string, shape: number[], values: () => Float32Array) => ({
    name,
    dtype: 'f32' as const,
    shape,
    produce: async () => values(),
  });
  const zeros = (n: number) => () => new Float32Array(n);
  const path = join(folder, 'sae_weights.safetensors');
  await writeSafetensorsStream(path, [
    one('W_enc', [d, latents], zeros(d * latents)),
    one('W_dec', [latents, d], () => random(d * latents)),
    one('b_enc', [latents], zeros(latents)),
    one('b_dec', [d], zeros(d)),
  ]);
  const config = {
    architecture: 'standard',
    d_in: d,
    d_sae: latents,
    dtype: 'float32',
    apply_b_dec_to_input: false,
  };
  writeFileSync(join(folder, 'cfg.json'), JSON.stringify(config));
  return openSae(folder);
}

async function openScoring() {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-bench-'));
  const runtime = nodeRuntime();
  const sae = await dictionary(folder);
  const m = Float32Array.from({ length: d * d }, (_, i) => ((i * 7919) % 101) / 101 - 0.5);
  return {
    async read() {
      const start = performance.now();
      for (let from = 0; from < latents; from += 2048) await sae.decoderRows(from, from + 2048);
      return (performance.now() - start) / 1000;
    },
    async score() {
      const start = performance.now();
      await scoreMatrix(runtime, m, sae);
      return (performance.now() - start) / 1000;
    },
    async close() {
      await runtime.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Latents a second, the decoder read from the disk included. */
export async function scoringWork(): Promise<Work> {
  const { score, close } = await openScoring();
  return { unit: 'latents/s', rate: async () => latents / (await score()), close };
}

export async function scoringBench(): Promise<void> {
  const work = await openScoring();
  try {
    const [read, score] = [await work.read(), await work.score()];
    const million = 1e6 / latents;
    process.stdout.write(
      `per million latents of width ${d}: ${(score * million).toFixed(2)} s, reading the decoder once as unit rows ${(read * million).toFixed(2)} s; ratio ${(score / read).toFixed(2)}\n`,
    );
  } finally {
    await work.close();
  }
}
