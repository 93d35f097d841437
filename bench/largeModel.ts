/**
 * The gradient pass of a model that is larger than the memory it may take: files of a published shape with random
 * bfloat16 weights, written here. Usage: npm run bench -- largeModel [--shape=NAME] [--memory=GB] [--blocks=COUNT]
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '../src/files/safetensors.ts';
import { formatHeader } from '../src/files/safetensorsHeader.ts';
import { type Contrast, contrastRows } from '../src/methods/site/contrast.ts';
import { sitePass } from '../src/methods/site/siteGradient.ts';
import type { Model } from '../src/models/decoder.ts';
import { decoderOf } from '../src/models/families.ts';
import type { Runtime, Sweep } from '../src/runtime/runtime.ts';
import { openRuntime } from '../src/study/open/machine.ts';
import { sizeOf } from '../src/tensor.ts';
import { memoryNow, peakMemory, productRate } from './machine.ts';

const shapes = {
  'qwen2.5-7b': {
    model_type: 'qwen2',
    vocab_size: 152_064,
    hidden_size: 3584,
    intermediate_size: 18_944,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    num_key_value_heads: 4,
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    max_position_embeddings: 32_768,
    tie_word_embeddings: false,
    hidden_act: 'silu',
  },
  'llama-3.1-8b': {
    model_type: 'llama',
    vocab_size: 128_256,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-5,
    rope_theta: 5e5,
    max_position_embeddings: 131_072,
    tie_word_embeddings: false,
    hidden_act: 'silu',
  },
} as const;
type ShapeName = keyof typeof shapes;
type ShapeConfig = (typeof shapes)[ShapeName];

const pairs = 8;
const promptTokens = 100;
const completionTokens = 50;

const argument = (name: string): string | undefined =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);

function tensorShapes(c: ShapeConfig, blocks: number): [name: string, shape: number[]][] {
  const [d, inner] = [c.hidden_size, c.intermediate_size];
  const kv = (d / c.num_attention_heads) * c.num_key_value_heads;
  const inBlock: [string, number[]][] = [
    ['input_layernorm.weight', [d]],
    ['self_attn.q_proj.weight', [d, d]],
    ['self_attn.k_proj.weight', [kv, d]],
    ['self_attn.v_proj.weight', [kv, d]],
    ['self_attn.o_proj.weight', [d, d]],
    ['post_attention_layernorm.weight', [d]],
    ['mlp.gate_proj.weight', [inner, d]],
    ['mlp.up_proj.weight', [inner, d]],
    ['mlp.down_proj.weight', [d, inner]],
  ];
  if (c.model_type === 'qwen2')
    for (const [name, width] of [['q', d] as const, ['k', kv] as const, ['v', kv] as const])
      inBlock.push([`self_attn.${name}_proj.bias`, [width]]);
  const at = (layer: number) =>
    inBlock.map(([name, shape]): [string, number[]] => [`model.layers.${layer}.${name}`, shape]);
  return [
    ['model.embed_tokens.weight', [c.vocab_size, d]],
    ...Array.from({ length: blocks }, (_, layer) => at(layer)).flat(),
    ['model.norm.weight', [d]],
    ['lm_head.weight', [c.vocab_size, d]],
  ];
}

/** Values of a bell shape around 0 of standard deviation 0.02 in bfloat16, the same pieces again and again. */
function randomPiece(length: number): Uint16Array {
  const piece = new Uint16Array(length);
  const [bits, value] = [new Uint32Array(1), new Float32Array(1)];
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  for (let i = 0; i < length; i++) {
    value[0] = 0.02 * (uniform() + uniform() + uniform()) * 2;
    new Uint8Array(bits.buffer).set(new Uint8Array(value.buffer));
    piece[i] = bits[0]! >>> 16;
  }
  return piece;
}

/** Writes one safetensors file, a piece at a time; norms are ones. */
async function write(path: string, tensors: readonly (readonly [string, number[]])[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    const header = formatHeader(
      tensors.map(([name, shape]) => ({ name, dtype: 'bf16' as const, shape })),
      {},
    );
    await file.write(header);
    const random = randomPiece((1 << 22) + 4099);
    const ones = new Uint16Array(1 << 16).fill(0x3f80);
    for (const [name, shape] of tensors) {
      const piece = name.includes('norm') ? ones : random;
      for (let left = sizeOf(shape), from = 0; left > 0; from = (from + 4099) % 8191) {
        const part = piece.subarray(from % piece.length, from + Math.min(left, piece.length - from));
        await file.write(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
        left -= part.length;
      }
    }
  } finally {
    await file.close();
  }
}

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
  await mkdir(folder, { recursive: true });
  try {
    const tensors = tensorShapes(whole, blocks);
    const written = performance.now();
    await write(join(folder, 'model.safetensors'), tensors);
    const bytes = tensors.reduce((sum, [, shape]) => sum + 2 * sizeOf(shape), 0);
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
