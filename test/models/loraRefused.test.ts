/** Adapters that are refused, each in one line that names the field or the tensor. */
import { describe, expect, it } from 'vitest';
import { withLora } from '../../src/models/lora.ts';
import type { Tensor } from '../../src/tensor.ts';
import { type AdapterConfig, adapted, adapterConfig, plainFactors } from '../support/adapters.ts';
import { draw } from '../support/opCases.ts';
import { refusal } from '../support/refusal.ts';
import { normal, tinyModel } from '../support/tinyModel.ts';

type Named = readonly [name: string, t: Tensor];

const some = (...shape: number[]) => normal(draw(1), shape, 1);
const also = (...more: Named[]) => new Map<string, Tensor>([...plainFactors(), ...more]);

/** What is said of an adapter that differs from a good one in its config, its tensors or its model. */
const refused = (over: unknown, tensors: Map<string, Tensor> = also(), model = adapted.model) =>
  refusal(() => withLora(model, over, tensors, 'adapter'));
const withField = (over: AdapterConfig) => ({ ...adapterConfig, ...over });

describe('a field that is not supported or not valid', () => {
  it.each<[string, unknown]>([
    ['use_dora', true],
    ['bias', 'some'],
    ['lora_bias', true],
    ['layer_replication', [[0, 2]]],
    ['init_lora_weights', 'pissa'],
    ['init_lora_weights', 'loftq'],
    ['init_lora_weights', 'mica'],
    ['kasa_config', { beta: 1e-4 }],
    ['use_bdlora', { nblocks: 2 }],
    ['alora_invocation_tokens', [1]],
    ['loftq_config', { loftq_bits: 4 }],
    ['target_parameters', ['mlp.experts']],
    ['trainable_token_indices', [1, 2]],
    ['use_qalora', true],
    ['a_field_of_tomorrow', 'on'],
    ['another_of_tomorrow', 0],
    ['peft_type', 'IA3'],
    ['r', 0],
    ['r', undefined],
    ['lora_alpha', '16'],
    ['rank_pattern', { q_proj: 0.5 }],
    ['alpha_pattern', { q_proj: 'much' }],
    ['target_modules', 3],
    ['modules_to_save', 'lm_head'],
  ])('%s: %j', (field, value) => {
    expect(refused(withField({ [field]: value }))).toMatch(new RegExp(`^adapter: ${field}\\b`));
  });

  it.each([[null], ['LORA'], [[]]])('the config %j', (config) => {
    expect(refused(config)).toMatch(/^adapter: /);
  });

  it.each<[string, unknown]>([
    ['rank_pattern', { '(': 2 }],
    ['alpha_pattern', { '[z-a]': 2 }],
    ['target_modules', '*q_proj'],
    ['target_modules', '(?(1)q_proj)'],
    ['target_modules', '(?>q)_proj'],
    ['target_modules', 'q++_proj'],
    ['target_modules', '\\Qq_proj'],
    ['target_modules', '[q_proj'],
    ['target_modules', 'q_proj\\'],
    ['exclude_modules', 'x'.repeat(30_000)],
    ['layers_pattern', '('],
    ['modules_to_save', ['*head']],
  ])('%s: %j, no regular expression that is read here', (field, value) => {
    const config = withField({ layers_to_transform: [0], [field]: value });
    expect(refused(config)).toMatch(new RegExp(`^adapter: ${field}: expected a regular expression, found "`));
  });

  it.each(['target_modules', 'rank_pattern'])('%s: a pattern that takes for ever is stopped', (field) => {
    const endless = '([\\w.]|[\\w.]|[\\w.])+!';
    const value = field.endsWith('pattern') ? { [endless]: 2 } : endless;
    const message = refused(withField({ [field]: value }));
    expect(message).toMatch(new RegExp(`^adapter: ${field}: .* takes more than 1 s$`));
  });

  it('but not for being there while empty', () => {
    const config = withField({ use_dora: false, tomorrow: null, later: {}, also: [] });
    expect(() => withLora(adapted.model, config, also(), 'adapter')).not.toThrow();
  });
});

describe('an adapter that does not fit', () => {
  const lora = (module: string, side: string) => `base_model.model.${module}.lora_${side}.weight`;
  const pair = (module: string, outputs: number, inputs: number): Named[] => [
    [lora(module, 'A'), some(2, inputs)],
    [lora(module, 'B'), some(outputs, 2)],
  ];

  it.each<[string, RegExp, ReturnType<typeof tinyModel>]>([
    [
      'width',
      /lora_A\.weight: expected \[2,16\] to fit tiny, found \[2,24\]/,
      tinyModel({ config: { hidden_size: 24 } }),
    ],
    [
      'width of heads',
      /lora_B\.weight: expected \[32,2\] to fit tiny, found \[16,2\]/,
      tinyModel({ config: { head_dim: 4 } }),
    ],
    [
      'depth',
      /model\.layers\.3\.\S+, which tiny does not have/,
      tinyModel({ config: { num_hidden_layers: 4 } }),
    ],
  ])('for a model of another %s', (_, message, other) => {
    const tensors = plainFactors(other);
    if (other.config.num_hidden_layers > 3)
      for (const [name, t] of pair('model.layers.3.mlp.up_proj', 20, 16))
        tensors.set(name, t as Tensor<'f32'>);
    expect(refused(adapterConfig, tensors)).toMatch(message);
  });

  it('for a model of another family', () => {
    const tensors = also(...pair('transformer.h.0.up_proj', 32, 16));
    expect(refused(adapterConfig, tensors)).toMatch(/h\.0\.up_proj, which tiny does not have/);
  });

  it('of another rank than its config says', () => {
    expect(refused(withField({ r: 3 }))).toMatch(/expected \[3,16\] to fit tiny, found \[2,16\]/);
  });

  it.each(['A', 'B'])('with lora_%s missing', (side) => {
    const tensors = also();
    const module = 'model.layers.0.self_attn.q_proj';
    tensors.delete(lora(module, side));
    expect(refused(adapterConfig, tensors)).toBe(`adapter: ${module}: lora_${side} is missing`);
  });

  it.each([
    [{ target_modules: ['q_proj'] }, 'up_proj, which target_modules does not name'],
    [{ target_modules: '.*q_proj' }, 'up_proj, which target_modules does not name'],
    [{ exclude_modules: ['up_proj'] }, 'up_proj, which exclude_modules takes out'],
    [{ exclude_modules: '.*\\.mlp\\..*' }, 'up_proj, which exclude_modules takes out'],
    [{ layers_to_transform: [0, 2] }, 'layers.1.self_attn.q_proj, which layers_to_transform leaves out'],
    [{ layers_to_transform: 1 }, 'layers.0.self_attn.q_proj, which layers_to_transform leaves out'],
    [{ layers_to_transform: [0, 1, 2], layers_pattern: 'h' }, 'which layers_to_transform leaves out'],
    [{ modules_to_save: ['m.p'] }, 'up_proj, which modules_to_save replaces'],
  ])('with tensors that peft would not use: %j', (over, message) => {
    expect(refused(withField(over))).toMatch(message);
  });

  it.each([false, 'orthogonal'])('without those that peft would draw: init_lora_weights %j', (drawn) => {
    const config = withField({
      init_lora_weights: drawn,
      target_modules: [...adapterConfig.target_modules, 'k_proj'],
    });
    expect(refused(config)).toMatch(/no tensors for \S+k_proj, which target_modules names/);
  });

  it('with no factors, or tensors of another kind', () => {
    expect(refused(adapterConfig, new Map())).toBe('adapter: holds no LoRA tensors');
    const x = 'base_model.model.x';
    for (const name of [`${x}.lora_embedding_A`, `${x}.lora_magnitude_vector`, 'x.lora_A.weight'])
      expect(refused(adapterConfig, also([name, some(1)]))).toMatch(
        `tensor ${name}: not part of a LoRA adapter`,
      );
  });

  it.each(['lm_head', 'model.embed_tokens'])('on %s, which is not computed as a linear module', (module) => {
    const config = withField({ target_modules: [...adapterConfig.target_modules, module] });
    expect(refused(config, also(...pair(module, 29, 16)))).toBe(
      `adapter: adapts ${module}: not supported for a module of this kind`,
    );
  });
});

describe('a module of modules_to_save', () => {
  it.each<[string, string[] | null, string, number[], RegExp]>([
    ['of another shape', ['lm_head'], 'lm_head', [30, 16], /replaces lm_head.*\[29,16\].*\[30,16\]/],
    ['that the model lacks', ['score'], 'score', [2, 16], /score.weight, which tiny does not have/],
    ['that is missing', ['lm_head', 'norm'], 'lm_head', [29, 16], /modules_to_save names norm/],
    ['that is not named', null, 'lm_head', [29, 16], /lm_head.weight: not part of a LoRA adapter/],
  ])('%s', (_, modules_to_save, module, shape, message) => {
    const tensors = also([`base_model.model.${module}.weight`, some(...shape)]);
    expect(refused(withField({ modules_to_save }), tensors)).toMatch(message);
  });

  it('that is tied and is to stay so', () => {
    const { model } = tinyModel({ tied: true, biases: true });
    const tensors = also(['base_model.model.lm_head.weight', some(29, 16)]);
    const config = withField({ modules_to_save: ['lm_head'], ensure_weight_tying: true });
    expect(refused(config, tensors, model)).toMatch(
      /ensure_weight_tying: not supported with lm_head\.weight/,
    );
  });
});
