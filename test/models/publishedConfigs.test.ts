/** Configs as publishers write them, with fields that transformers does not use, and defaults it fills in. */
import { expect, it } from 'vitest';
import { decoderOf } from '../../src/models/families.ts';
import { refusal } from '../support/refusal.ts';

const factors = Array.from({ length: 48 }, (_, i) => 1 + i);

const phi4mini = {
  model_type: 'phi3',
  architectures: ['Phi3ForCausalLM'],
  attention_bias: false,
  auto_map: { AutoConfig: 'configuration_phi3.Phi3Config' },
  bos_token_id: 199999,
  full_attn_mod: 1,
  hidden_act: 'silu',
  hidden_size: 3072,
  intermediate_size: 8192,
  interpolate_factor: 1,
  lm_head_bias: false,
  max_position_embeddings: 131072,
  mlp_bias: false,
  num_attention_heads: 24,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  original_max_position_embeddings: 4096,
  partial_rotary_factor: 0.75,
  rms_norm_eps: 1e-5,
  rope_scaling: { type: 'longrope', short_factor: factors, long_factor: factors },
  rope_theta: 10000,
  sliding_window: 262144,
  tie_word_embeddings: true,
  vocab_size: 200064,
};

it.each<[string, object, object]>([
  [
    'GPT-2',
    {
      model_type: 'gpt2',
      activation_function: 'gelu_new',
      layer_norm_epsilon: 1e-5,
      n_ctx: 1024,
      n_embd: 768,
      n_head: 12,
      n_layer: 12,
      n_positions: 1024,
      n_special: 0,
      predict_special_tokens: true,
      resid_pdrop: 0.1,
      summary_type: 'cls_index',
      task_specific_params: { 'text-generation': { do_sample: true, max_length: 50 } },
      vocab_size: 50257,
    },
    { family: 'gpt2', context: 1024, width: 768 },
  ],
  [
    'Gemma 2',
    {
      model_type: 'gemma2',
      attn_logit_softcapping: 50,
      cache_implementation: 'hybrid',
      final_logit_softcapping: 30,
      hidden_act: 'gelu_pytorch_tanh',
      hidden_activation: 'gelu_pytorch_tanh',
      query_pre_attn_scalar: 256,
      rope_theta: 10000,
      sliding_window: 4096,
    },
    { family: 'gemma2', width: 2304, blocks: 26, vocabulary: 256000 },
  ],
  [
    'Gemma 3 with pictures, which leaves most to the defaults',
    {
      model_type: 'gemma3',
      boi_token_index: 255999,
      mm_tokens_per_image: 256,
      text_config: {
        model_type: 'gemma3_text',
        hidden_size: 2560,
        intermediate_size: 10240,
        num_hidden_layers: 34,
        rope_scaling: { factor: 8, rope_type: 'linear' },
        sliding_window: 1024,
      },
      vision_config: { hidden_size: 1152 },
    },
    { family: 'gemma3', width: 2560, blocks: 34, vocabulary: 262208, context: 131072 },
  ],
  ['Phi 4 mini', phi4mini, { family: 'phi3', context: 4096 }],
])('%s is read', (_, config, decoder) => {
  expect(decoderOf(config, 'config')).toMatchObject(decoder);
});

it.each<[object, RegExp]>([
  [{ full_attn_mod: 2 }, /^config: full_attn_mod: not supported here/],
  [{ rope_scaling: { type: 'linear', factor: 2 } }, /^config: rope_scaling: expected default or longrope/],
  [{ partial_rotary_factor: 0.01 }, /^config: partial_rotary_factor: expected to turn an even number/],
  [{ partial_rotary_factor: 1 }, /^config: rope_scaling.short_factor: expected one for each pair/],
  [{ num_local_experts: 16 }, /^config: num_local_experts: not supported here \(a mixture of experts\)/],
])('Phi with %j is refused', (over, message) => {
  expect(refusal(() => decoderOf({ ...phi4mini, ...over }, 'config'))).toMatch(message);
});

it('a pattern of layers that is too short, or a window of no size, is refused', () => {
  const config = { model_type: 'gemma2', num_hidden_layers: 3 };
  const short = { ...config, layer_types: ['full_attention'] };
  expect(refusal(() => decoderOf(short, 'config'))).toMatch(
    /^config: layer_types: expected one for each of 3/,
  );
  const none = { ...config, sliding_window: null };
  expect(refusal(() => decoderOf(none, 'config'))).toMatch(/^config: layer_types: layer 0 has a window/);
});
