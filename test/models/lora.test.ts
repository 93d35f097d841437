/** LoRA adapters against merged weights W + scale · B A. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/models/decoder.ts';
import { withLora } from '../../src/models/lora.ts';
import { logitsGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { i64, type Tensor, tensor, toFloat32 } from '../../src/tensor.ts';
import {
  type AdapterConfig,
  adapted,
  adapterConfig,
  ending,
  factors,
  modules,
  ofRank,
  plainFactors,
} from '../support/adapters.ts';
import { expectClose } from '../support/close.ts';
import { draw } from '../support/opCases.ts';
import { normal, tinyModel } from '../support/tinyModel.ts';

const feeds = { ...treeFeeds(sequence([3, 1, 4, 1, 5])), rows: i64([5], [0, 1, 2, 3, 4]) };
const logits = (model: Model) => evaluate(logitsGraph(model), model.weights, feeds).logits!.data;

/** W + scale · B A in float64. */
function mergedWeight(w: Tensor, a: Tensor, b: Tensor, scale: number): Tensor {
  const [r, inputs] = a.shape as [number, number];
  const data = Float64Array.from(w.data as Float32Array, (x, at) => {
    const [o, i] = [Math.floor(at / inputs), at % inputs];
    let sum = 0;
    for (let k = 0; k < r; k++) sum += Number(b.data[o * r + k]) * Number(a.data[k * inputs + i]);
    return x + scale * sum;
  });
  return tensor('f64', w.shape, data);
}

/** The model with every module's factors merged. */
function merged(tensors: ReadonlyMap<string, Tensor>, scaleOf: (module: string) => number): Model {
  const weights = new Map<string, Tensor>(adapted.weights);
  for (const module of modules) {
    const [a, b] = ['A', 'B'].map((side) => tensors.get(`base_model.model.${module}.lora_${side}.weight`));
    const name = `${module}.weight`;
    if (a && b) weights.set(name, mergedWeight(adapted.weights.get(name)!, a, b, scaleOf(module)));
  }
  return { ...adapted.model, weights };
}

/** Float64 on both sides, so nothing but rounding differs. */
const rounding = 1e-10;

function expectMerged(
  config: AdapterConfig,
  tensors: Map<string, Tensor>,
  scaleOf: (module: string) => number,
): void {
  const found = logits(withLora(adapted.model, config, tensors, 'adapter'));
  expectClose(found, logits(merged(tensors, scaleOf)), rounding);
}

describe('an adapter equals its merged weights', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());

  it('scaled by alpha / r, or alpha / √r for rslora, on any modules', () => {
    const cases = fc.record({
      on: fc.subarray(modules, { minLength: 1 }),
      r: fc.integer({ min: 1, max: 4 }),
      alpha: fc.double({ min: -3, max: 9, noNaN: true }),
      rslora: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ on, r, alpha, rslora, seed }) => {
        const config = { ...adapterConfig, r, lora_alpha: alpha, use_rslora: rslora, target_modules: on };
        const scale = alpha / (rslora ? Math.sqrt(r) : r);
        expectMerged(config, factors(ofRank(r, on), draw(seed)), () => scale);
      }),
      { numRuns: 10 },
    );
  });

  it('with the rank and alpha of the first pattern that matches a name or its dotted suffix', () => {
    const config = {
      ...adapterConfig,
      rank_pattern: { 'layers.1.mlp.up_proj': 4, 'j_proj|up_proj': 3, '.*\\.2\\.self_attn\\..*': 1 },
      alpha_pattern: { 'model.layers.0.self_attn.q_proj': 5, '[a-z]_proj': 7 },
    };
    const ranks = new Map(ending('q_proj').map((m) => [m, m.includes('.2.') ? 1 : 2]));
    for (const m of ending('up_proj')) ranks.set(m, m.includes('.1.') ? 4 : 3);
    const alpha = (m: string) => (!m.endsWith('q_proj') ? 6 : m.includes('.0.') ? 5 : 7);
    expectMerged(config, factors(ranks, draw(2)), (m) => alpha(m) / ranks.get(m)!);
  });

  it.each([
    ['all-linear'],
    [null],
    ['.*\\.(q|up)_proj'],
    [ending('q_proj', 'up_proj')],
    [['self_attn.q_proj', 'mlp.up_proj']],
    ['model\\.layers\\.(?P<layer>\\d+)\\.(mlp\\.up|self_attn\\.q)_proj'],
    ['(?i)MODEL.*(?:Q|up)_proj'],
    ['\\A(?!.*lm_head).*[]qup]{,2}_proj\\Z'],
    ["(?#Python's comment)(?:.*?(?:q|up)_proj)"],
    [['q_proj', 'up_proj', 'w1', 'query_key_value', 'k_proj']],
  ])('of target_modules %j', (target_modules) => {
    expectMerged({ ...adapterConfig, target_modules }, plainFactors(), () => 3);
  });

  it.each([
    [{ target_modules: ['q_proj', 'up_proj', 'down_proj'], exclude_modules: ['down_proj'] }],
    [{ target_modules: ['q_proj', 'up_proj', 'down_proj'], exclude_modules: '.*down_proj' }],
    [{ exclude_modules: [] }],
    [{ exclude_modules: 'down_proj' }],
    [{ layers_to_transform: [2, 0, 1], layers_pattern: '' }],
    [{ layers_to_transform: [0, 1, 2], layers_pattern: ['layers', 'h'] }],
    [{ layers_to_transform: [0, 1, 2], layers_pattern: 'l[a-y]+s' }],
    [{ fan_in_fan_out: true, bias: 'all', init_lora_weights: 'eva', eva_config: { rho: 2 } }],
    [{ modules_to_save: ['classifier', 'score'] }],
  ])('with %j, which takes in the same modules', (over) => {
    expectMerged({ ...adapterConfig, ...over }, plainFactors(), () => 3);
  });

  it('in some layers alone', () => {
    const on = ending('q_proj').filter((module) => module.includes('.1.'));
    const config = { ...adapterConfig, target_modules: ['q_proj'], layers_to_transform: 1 };
    expectMerged(config, factors(ofRank(2, on), draw(3)), () => 3);
  });

  it('with biases of its own', () => {
    const tensors = plainFactors();
    const biases = [...adapted.weights.keys()].filter((name) => name.endsWith('q_proj.bias'));
    const own = new Map(
      biases.map((name, i) => [name, normal(draw(i), adapted.weights.get(name)!.shape, 1)]),
    );
    for (const [name, t] of own)
      tensors.set(`base_model.model.${name.replace('.bias', '.base_layer.bias')}`, t);
    const found = logits(withLora(adapted.model, { ...adapterConfig, bias: 'all' }, tensors, 'adapter'));
    const expected = merged(tensors, () => 3);
    expectClose(found, logits({ ...expected, weights: new Map([...expected.weights, ...own]) }), rounding);
  });

  it('with the names of an adapter saved under the name default', () => {
    const tensors = new Map(
      [...plainFactors()].map(([name, t]) => [name.replace('.weight', '.default.weight'), t]),
    );
    const found = logits(withLora(adapted.model, adapterConfig, tensors, 'adapter'));
    expect(found).toEqual(logits(withLora(adapted.model, adapterConfig, plainFactors(), 'adapter')));
  });

  it('on ONNX Runtime; the base model stays as it was', async () => {
    const before = new Map(adapted.weights);
    const model = withLora(adapted.model, adapterConfig, plainFactors(), 'adapter');
    expect(new Map(adapted.model.weights)).toEqual(before);
    expect(adapted.model.updates.size).toBe(0);
    const session = await runtime.load(logitsGraph(model), model.weights);
    const found = await session.run(feeds);
    expectClose(toFloat32(found.logits!), logits(merged(plainFactors(), () => 3)), 1e-5);
  });
});

describe('modules_to_save', () => {
  const saved = new Map(
    ['lm_head', 'model.embed_tokens', 'model.norm'].map((module, i) => {
      const name = `${module}.weight`;
      return [name, normal(draw(i), adapted.weights.get(name)!.shape, 1)];
    }),
  );

  it.each([
    ['plain', (name: string) => name],
    ['wrapped', (name: string) => name.replace('.weight', '.modules_to_save.default.weight')],
  ])('replace whole weights, under %s names', (_, nameOf) => {
    const config = { ...adapterConfig, modules_to_save: ['lm_head', 'embed_tokens', 'model.norm'] };
    const tensors = plainFactors();
    for (const [name, t] of saved) tensors.set(`base_model.model.${nameOf(name)}`, t);
    const found = logits(withLora(adapted.model, config, tensors, 'adapter'));
    const expected = merged(tensors, () => 3);
    expectClose(found, logits({ ...expected, weights: new Map([...expected.weights, ...saved]) }), rounding);
  });

  it('by the end of a name, and of modules around one', () => {
    const config = { ...adapterConfig, modules_to_save: ['norm', 'mlp'], target_modules: ['q_proj'] };
    const tensors = factors(ofRank(2, ending('q_proj')), draw(4));
    const names = [...adapted.weights.keys()].filter((name) => /norm\.weight|\.mlp\./.test(name));
    const own = new Map(names.map((name, i) => [name, normal(draw(i), adapted.weights.get(name)!.shape, 1)]));
    for (const [name, t] of own)
      tensors.set(`base_model.model.${name.replace('.mlp.', '.mlp.modules_to_save.default.')}`, t);
    const found = logits(withLora(adapted.model, config, tensors, 'adapter'));
    const expected = merged(tensors, () => 3);
    expectClose(found, logits({ ...expected, weights: new Map([...expected.weights, ...own]) }), rounding);
  });

  it.each([
    [['lm_head'], false],
    [['embed_tokens'], false],
    [['lm_head', 'embed_tokens'], false],
    [['embed_tokens'], true],
  ])('of a tied model, which they untie: %j, with both tables in the file: %j', (modules_to_save, both) => {
    const tied = tinyModel({ tied: true, biases: true });
    const table = tied.weights.get('model.embed_tokens.weight')!;
    if (both) tied.weights.set('lm_head.weight', table);
    const tensors = plainFactors(tied);
    const own = new Map(
      modules_to_save.map((end) => [
        end === 'lm_head' ? 'lm_head.weight' : 'model.embed_tokens.weight',
        normal(draw(end.length), table.shape, 1),
      ]),
    );
    for (const [name, t] of own) tensors.set(`base_model.model.${name}`, t);
    const found = logits(withLora(tied.model, { ...adapterConfig, modules_to_save }, tensors, 'adapter'));
    const untied = tinyModel({ biases: true });
    const weights = new Map([...tied.weights, ['lm_head.weight', table] as const, ...own]);
    const plain = { ...untied.model, weights };
    expect(found).toEqual(logits(withLora(plain, adapterConfig, plainFactors(tied), 'adapter')));
  });
});
