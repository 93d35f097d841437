/**
 * The gradient pass of a model that is larger than the memory it may take: files of a published shape with random
 * bfloat16 weights, written here. Usage: npm run bench -- largeModel [--shape=NAME] [--memory=GB] [--blocks=COUNT]
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '../src/files/safetensors.ts';
import { type Contrast, contrastRows } from '../src/methods/site/contrast.ts';
import { sitePass } from '../src/methods/site/siteGradient.ts';
import type { Model } from '../src/models/decoder.ts';
import { decoderOf } from '../src/models/families.ts';
import type { Runtime, Sweep } from '../src/runtime/runtime.ts';
import { openRuntime } from '../src/study/open/machine.ts';
import { sizeOf } from '../src/tensor.ts';
import { memoryNow, peakMemory, productRate } from './machine.ts';
import { type ShapeName, shapes, tensorShapes, writeModel } from './modelFiles.ts';

const pairs = 8;
const promptTokens = 100;
const completionTokens = 50;

const argument = (name: string): string | undefined =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);

function contrastsOf({ decoder }: Model): Contrast[] {
  const ids = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => ((first + i) * 7919) % decoder.vocabulary);
  return Array.from({ length: pairs }, (_, i) => ({
    id: `${i}`,
    prompt: ids(1000 * i, promptTokens),
    positives: [ids(1000 * i + 300, completionTokens)],
    negatives: [ids(1000 * i + 600, completionTokens)],
  }));
}

/** The runtime, and all that its sweeps came to. */
function watched(memory: number): { runtime: Runtime; sweeps: Sweep[] } {
  const note = (line: string) => process.stdout.write(`${line}\n`);
  const runtime = openRuntime({ memory, progress: { note, stage: () => ({ advance() {}, end() {} }) } });
  const limit = runtime.limit!;
  const watch = limit.watch!;
  const sweeps: Sweep[] = [];
  const onSweep = (sweep: Sweep) => {
    sweeps.push(sweep);
    watch.onSweep(sweep);
  };
  return { sweeps, runtime: { ...runtime, limit: { ...limit, watch: { ...watch, onSweep } } } };
}

export async function largeModelBench(): Promise<void> {
  const name = (argument('shape') ?? 'qwen2.5-7b') as ShapeName;
  const memory = Number(argument('memory') ?? 8) * 1e9;
  const whole = shapes[name];
  const blocks = Number(argument('blocks') ?? whole.num_hidden_layers);
  const config = { ...whole, num_hidden_layers: blocks };
  const folder = join(tmpdir(), 'culprit-bench', `${name}-${blocks}`);
  try {
    const written = performance.now();
    const bytes = await writeModel(folder, whole, blocks);
    process.stdout.write(
      `${name}, ${blocks} blocks: ${(bytes / 1e9).toFixed(1)} GB of bfloat16 written in ${((performance.now() - written) / 1000).toFixed(0)} s\n`,
    );
    const weights = await openSafetensors(folder);
    const model: Model = { decoder: decoderOf(config, folder), weights, updates: new Map(), where: name };
    const { runtime, sweeps } = watched(memory);
    const layer = Math.floor(blocks / 2);
    const before = memoryNow();
    const start = performance.now();
    const pass = await sitePass(runtime, model, layer);
    const baseline = new Float32Array(config.hidden_size);
    await Promise.all(contrastsOf(model).map((contrast) => contrastRows(pass, contrast, { baseline })));
    const seconds = (performance.now() - start) / 1000;
    const peak = peakMemory();
    await pass.release();
    const products = await productRate(runtime);
    await runtime.close();
    const inBlock = tensorShapes(whole, 1).reduce(
      (sum, [tensor, shape]) => sum + (tensor.startsWith('model.layers') ? sizeOf(shape) : 0),
      0,
    );
    const tokens = pairs * (promptTokens + 2 * completionTokens);
    const rows = pairs * 2 * completionTokens;
    const above = blocks - layer - 1;
    const head = 2 * 2 * rows * config.hidden_size * config.vocab_size;
    const useful = 2 * tokens * inBlock * (blocks + above) + head;
    const done = useful + 2 * tokens * inBlock * above;
    const sum = (of: (sweep: Sweep) => number) => sweeps.reduce((total, sweep) => total + of(sweep), 0);
    const rate = (flop: number) => flop / seconds / 1e9;
    process.stdout.write(
      [
        `${pairs} pairs of ${promptTokens + 2 * completionTokens} tokens at resid_post ${layer}, --memory ${memory / 1e9}G: ${seconds.toFixed(0)} s`,
        `${sweeps.length} sweeps read ${(sum((s) => s.bytes) / 1e9).toFixed(1)} GB; reading ${(sum((s) => s.reading) / 1000).toFixed(0)} s, computing ${(sum((s) => s.computing) / 1000).toFixed(0)} s`,
        `${rate(useful).toFixed(0)} GFLOP/s in matrices with weights (${rate(done).toFixed(0)} with what is computed again); 1024^3 products: ${products.toFixed(0)} GFLOP/s; ratio ${(rate(useful) / products).toFixed(2)} (${(rate(done) / products).toFixed(2)})`,
        `peak memory ${peak?.toFixed(0)} MB, ${before?.toFixed(0)} MB before the pass`,
        '',
      ].join('\n'),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
