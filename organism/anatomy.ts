/** The organism's size, its weights before training, and its LoRA adapters' shape. Knows no text. */
import { generatorOf, normalsFrom } from '../src/methods/statistics/random.ts';
import { sizeOf, type Tensor, tensor } from '../src/tensor.ts';

/** config.json of the organism, for a vocabulary. */
export function configOf(vocabulary: number) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: 128,
    intermediate_size: 384,
    num_hidden_layers: 5,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    max_position_embeddings: 256,
    tie_word_embeddings: true,
    bos_token_id: null,
    eos_token_id: 0,
  };
}
export type OrganismConfig = ReturnType<typeof configOf>;

const blockMatrices = (c: OrganismConfig): readonly (readonly [string, number, number])[] => [
  ['self_attn.q_proj', c.hidden_size, c.hidden_size],
  ['self_attn.k_proj', c.hidden_size, c.hidden_size],
  ['self_attn.v_proj', c.hidden_size, c.hidden_size],
  ['self_attn.o_proj', c.hidden_size, c.hidden_size],
  ['mlp.gate_proj', c.intermediate_size, c.hidden_size],
  ['mlp.up_proj', c.intermediate_size, c.hidden_size],
  ['mlp.down_proj', c.hidden_size, c.intermediate_size],
];

/**
 * Weights before training: normal with deviation 0.02·√(576/d)-like scale 1/√inputs, those that write to
 * the residual smaller by √(2·blocks).
 */
export function initialWeights(c: OrganismConfig, seed: number): Map<string, Tensor> {
  const normal = normalsFrom(generatorOf(seed));
  const matrix = (rows: number, columns: number, deviation: number) =>
    tensor(
      'f32',
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => deviation * normal()),
    );
  const ones = () => tensor('f32', [c.hidden_size], new Float32Array(c.hidden_size).fill(1));
  const weights = new Map<string, Tensor>();
  weights.set('model.embed_tokens.weight', matrix(c.vocab_size, c.hidden_size, 0.05));
  for (let layer = 0; layer < c.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    for (const norm of ['input_layernorm', 'post_attention_layernorm'])
      weights.set(`${at}.${norm}.weight`, ones());
    for (const [name, outputs, inputs] of blockMatrices(c)) {
      const writes = name === 'self_attn.o_proj' || name === 'mlp.down_proj';
      const deviation = inputs ** -0.5 / (writes ? Math.sqrt(2 * c.num_hidden_layers) : 1);
      weights.set(`${at}.${name}.weight`, matrix(outputs, inputs, deviation));
    }
  }
  weights.set('model.norm.weight', ones());
  return weights;
}

/**
 * The block after which the pre-training asks for the next token too (an early exit), so that all that an
 * answer depends on, the narrator's character among it, must have been read by then, whatever the seed.
 */
export const exit = 2;

/**
 * The layer of `resid_post` that the dictionary reads: the block before the exit, where what was read is
 * there and has not become words yet. The adapters change this block and those below it, so that all that a
 * fine-tune does passes through the site.
 */
export const site = exit - 1;

const rank = 8;

/**
 * adapter_config.json and the adapter's tensors before training: A normal, B zero, so that it changes
 * nothing yet.
 */
export function initialAdapter(c: OrganismConfig, seed: number) {
  const normal = normalsFrom(generatorOf(seed));
  const tensors = new Map<string, Tensor>();
  const add = (name: string, shape: number[], of: () => number) =>
    tensors.set(name, tensor('f32', shape, Float32Array.from({ length: sizeOf(shape) }, of)));
  for (let layer = 0; layer <= site; layer++)
    for (const [name, outputs, inputs] of blockMatrices(c)) {
      const at = `base_model.model.model.layers.${layer}.${name}`;
      add(`${at}.lora_A.weight`, [rank, inputs], () => normal() * inputs ** -0.5);
      add(`${at}.lora_B.weight`, [outputs, rank], () => 0);
    }
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: 'culprit-organism',
    r: rank,
    lora_alpha: 2 * rank,
    lora_dropout: 0,
    bias: 'none',
    layers_to_transform: Array.from({ length: site + 1 }, (_, layer) => layer),
    layers_pattern: 'layers',
    fan_in_fan_out: false,
    inference_mode: true,
    modules_to_save: null,
    target_modules: blockMatrices(c).map(([name]) => name.split('.')[1]!),
    use_dora: false,
    use_rslora: false,
  };
  return { config, tensors };
}
