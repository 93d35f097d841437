/** A model's folder and an adapter's: config.json, adapter_config.json and the weights that they speak of. */
import { join } from 'node:path';
import { openModel } from '../../src/study/open/openModel.ts';
import { each, type Format, jsonPart, promised } from '../format.ts';
import { f32Tensor, safetensorsPart } from './safetensors.ts';

const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 260,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 2,
  max_position_embeddings: 32,
  rms_norm_eps: 0.00001,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  attention_bias: false,
  torch_dtype: 'float32',
};
const scaling = {
  ...config,
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 16,
  },
};

const block = 'model.layers.0';
const weights = {
  'model.embed_tokens.weight': f32Tensor(260, 4),
  'model.norm.weight': f32Tensor(4),
  [`${block}.input_layernorm.weight`]: f32Tensor(4),
  [`${block}.post_attention_layernorm.weight`]: f32Tensor(4),
  [`${block}.self_attn.q_proj.weight`]: f32Tensor(4, 4),
  [`${block}.self_attn.k_proj.weight`]: f32Tensor(2, 4),
  [`${block}.self_attn.v_proj.weight`]: f32Tensor(2, 4),
  [`${block}.self_attn.o_proj.weight`]: f32Tensor(4, 4),
  [`${block}.mlp.gate_proj.weight`]: f32Tensor(6, 4),
  [`${block}.mlp.up_proj.weight`]: f32Tensor(6, 4),
  [`${block}.mlp.down_proj.weight`]: f32Tensor(4, 6),
};

const tokenizer = {
  added_tokens: [],
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  decoder: { type: 'ByteLevel' },
  model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
};

const adapter = {
  peft_type: 'LORA',
  task_type: 'CAUSAL_LM',
  base_model_name_or_path: 'x',
  r: 2,
  lora_alpha: 6,
  lora_dropout: 0.1,
  bias: 'none',
  use_rslora: false,
  fan_in_fan_out: false,
  target_modules: ['q_proj', 'up_proj'],
  rank_pattern: { '.*up_proj': 1 },
  alpha_pattern: {},
  layers_to_transform: [0],
  layers_pattern: 'layers',
  modules_to_save: null,
  init_lora_weights: true,
};
const lora = (module: string) => `base_model.model.${block}.${module}.lora`;
const factors = {
  [`${lora('self_attn.q_proj')}_A.weight`]: f32Tensor(2, 4),
  [`${lora('self_attn.q_proj')}_B.weight`]: f32Tensor(4, 2),
  [`${lora('mlp.up_proj')}_A.weight`]: f32Tensor(1, 4),
  [`${lora('mlp.up_proj')}_B.weight`]: f32Tensor(6, 1),
};

const folder = (own: object) => ({
  'config.json': jsonPart(own),
  'model.safetensors': safetensorsPart(weights),
  'tokenizer.json': jsonPart(tokenizer),
});

export const model: Format = {
  name: 'model',
  seeds: () => [
    folder(config),
    folder(scaling),
    {
      ...folder(config),
      'adapter/adapter_config.json': jsonPart(adapter),
      'adapter/adapter_model.safetensors': safetensorsPart(factors),
    },
    {
      ...folder(config),
      'adapter/adapter_config.json': jsonPart({
        ...adapter,
        target_modules: '.*\\.(q|up)_proj',
        exclude_modules: 'x+',
      }),
      'adapter/adapter_model.safetensors': safetensorsPart(factors),
    },
  ],
  async read(path) {
    for (const also of [undefined, join(path, 'adapter')])
      await each(async () => {
        const { model: found } = await openModel(path, { adapter: also });
        const { width, blocks, vocabulary } = found.decoder;
        for (const n of [width, blocks, vocabulary])
          promised(Number.isSafeInteger(n) && n > 0, `a size of ${n}`);
        for (const { scale, rank } of found.updates.values())
          promised(Number.isFinite(scale) && rank > 0, `an update of scale ${scale} and rank ${rank}`);
      });
  },
};
