/** Models of published shapes with random bfloat16 weights, written as files. */
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatHeader } from '../src/files/safetensorsHeader.ts';
import { sizeOf } from '../src/tensor.ts';

export const shapes = {
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
export type ShapeName = keyof typeof shapes;
export type ShapeConfig = (typeof shapes)[ShapeName];

/** Names and shapes of a model's tensors. */
export function tensorShapes(c: ShapeConfig, blocks: number): [name: string, shape: number[]][] {
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

/** Writes config.json and model.safetensors of a shape with so many blocks: bytes of weights. */
export async function writeModel(folder: string, shape: ShapeConfig, blocks: number): Promise<number> {
  await mkdir(folder, { recursive: true });
  const tensors = tensorShapes(shape, blocks);
  await write(join(folder, 'model.safetensors'), tensors);
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...shape, num_hidden_layers: blocks }));
  return tensors.reduce((sum, [, dims]) => sum + 2 * sizeOf(dims), 0);
}
