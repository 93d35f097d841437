/**
 * A dictionary larger than what is kept in memory: scored, and its latents counted on some rows, beside reading its
 * file once from end to end; seconds and peak memory. One float16 matrix of random values, both encoder and decoder,
 * read as [N, d] and as [d, N].
 *
 * BENCH_LATENTS (131072) and BENCH_WIDTH (512) say its size, BENCH_FOLDER where it lies for the while,
 * BENCH_SCORED (1) the share of the latents that the full matrix M is scored on: d² multiply-adds a latent.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensorFile } from '../src/files/readTensorFile.ts';
import { writeSafetensorsStream } from '../src/files/safetensors.ts';
import { scoreContrasts, scoreMatrix } from '../src/methods/attribution/score.ts';
import { loadEncoder } from '../src/methods/site/activations.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { openStored } from '../src/saes/formats/stored.ts';
import { relu } from '../src/saes/kinds/relu.ts';
import type { Sae } from '../src/saes/sae.ts';
import { renamed } from '../src/saes/weights.ts';
import { forgetPeakMemory, peakMemory, productRate } from './machine.ts';

const N = Number(process.env.BENCH_LATENTS ?? 2 ** 17);
const d = Number(process.env.BENCH_WIDTH ?? 512);
const scored = Number(process.env.BENCH_SCORED ?? 1);

/** Rows of the one contrast, and rows that latents are counted on. */
const rows = 32;
const counted = 64;

const pieceBytes = 2 ** 24;

/** Random float16 below 1 in size, each piece over the one before. */
async function* halves(count: number): AsyncGenerator<Uint16Array> {
  const piece = new Uint16Array(pieceBytes / 2);
  let state = 0x9e3779b9;
  for (let done = 0; done < count; done += piece.length) {
    for (let i = 0; i < piece.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      piece[i] = state & 0xbbff;
    }
    yield piece.subarray(0, Math.min(piece.length, count - done));
  }
}

/** Random values, and biases of zeros. */
async function writeDictionary(path: string): Promise<void> {
  const zeros = (length: number) => async () => new Uint16Array(length);
  await writeSafetensorsStream(path, [
    { name: 'W', dtype: 'f16', shape: [N, d], produce: () => halves(N * d) },
    { name: 'b_enc', dtype: 'f16', shape: [N], produce: zeros(N) },
    { name: 'b_dec', dtype: 'f16', shape: [d], produce: zeros(d) },
  ]);
}

/** The file's matrix as encoder and decoder, taken as [N, d] or as [d, N]: random values are as good either way. */
async function openTied(path: string, isByLatent: boolean): Promise<Sae> {
  const file = await readTensorFile(path);
  const W = { ...file.tensors.get('W')!, shape: isByLatent ? [N, d] : [d, N] };
  const stored = { ...file, tensors: new Map([...file.tensors, ['W', W]]), where: path };
  const [W_dec, W_enc] = isByLatent ? ['W', { transposed: 'W' }] : [{ transposed: 'W' }, 'W'];
  return openStored({
    kind: relu,
    where: path,
    trainedOn: { model: undefined, hook: undefined, site: undefined },
    weights: renamed(stored, { W_enc: W_enc!, W_dec: W_dec!, b_enc: 'b_enc', b_dec: 'b_dec' }),
    subtractBias: true,
  });
}

/** Takes the file out of the system's cache. */
const forgetFile = (path: string) =>
  execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);

async function readThrough(path: string): Promise<void> {
  const file = await open(path);
  const piece = Buffer.alloc(pieceBytes);
  while ((await file.read(piece, 0, piece.length)).bytesRead > 0);
  await file.close();
}

const numbers = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5);

/** Seconds of some work on a file that is not in the cache, those of processors, and its peak memory. */
async function measured(path: string, work: () => Promise<unknown>) {
  forgetFile(path);
  forgetPeakMemory();
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const s = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { s, cpu: (user + system) / 1e6, mb: peakMemory() ?? Number.NaN };
}

async function countActive(runtime: Runtime, sae: Sae): Promise<void> {
  const encoder = await loadEncoder(runtime, sae);
  const sums = encoder.sums();
  await sums.add(numbers(counted * d));
  await sums.means();
  await encoder.release();
}

async function measureOne(runtime: Runtime, path: string, isByLatent: boolean): Promise<void> {
  const sae = await openTied(path, isByLatent);
  const contrast = { gradient: numbers(rows * d), centred: numbers(rows * d) };
  const part = { ...sae, latents: Math.round(scored * N) };
  const work: Record<string, () => Promise<unknown>> = {
    'norms of the decoder': () => sae.decoderNorms(),
    [`a contrast of ${rows} rows`]: () => scoreContrasts(runtime, [contrast], sae, () => {}),
    [`active latents of ${counted} rows`]: () => countActive(runtime, sae),
    [`the full matrix M, ${part.latents} latents`]: () => scoreMatrix(runtime, numbers(d * d), part),
  };
  const plain = await measured(path, () => readThrough(path));
  const size = (2 * N * d) / 2 ** 20;
  process.stdout.write(
    `[${isByLatent ? `${N}, ${d}` : `${d}, ${N}`}] float16, ${size.toFixed(0)} MiB; read from end to end ${plain.s.toFixed(1)} s, ${(size / plain.s).toFixed(0)} MiB/s\n`,
  );
  for (const [name, run] of Object.entries(work)) {
    const { s, cpu, mb } = await measured(path, run);
    process.stdout.write(
      `  ${name}: ${s.toFixed(1)} s (of processors ${cpu.toFixed(1)} s), ${(s / plain.s).toFixed(2)} of reading; peak ${mb.toFixed(0)} MB\n`,
    );
  }
}

export async function largeDictionaryBench(): Promise<void> {
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'culprit-bench-'));
  const path = join(folder, 'dictionary.safetensors');
  const runtime = nodeRuntime();
  try {
    await writeDictionary(path);
    process.stdout.write(`products ${(await productRate(runtime)).toFixed(0)} GFLOP/s\n`);
    for (const isByLatent of [true, false]) await measureOne(runtime, path, isByLatent);
  } finally {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
