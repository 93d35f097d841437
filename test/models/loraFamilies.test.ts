/**
 * LoRA adapters on modules that llama does not have, against merged weights W + scale · B A: fused ones, and GPT-2's,
 * whose weights lie transposed. Needs ../shared.
 */
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/models/decoder.ts';
import { withLora } from '../../src/models/lora.ts';
import { logitsGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { i64, type Tensor, tensor } from '../../src/tensor.ts';
import { expectClose, greatestDifference } from '../support/close.ts';
import { type FixtureFamily, fixtureModel } from '../support/modelFixtures.ts';
import { draw } from '../support/opCases.ts';
import { shared } from '../support/shared.ts';
import { normal } from '../support/tinyModel.ts';

const feeds = { ...treeFeeds(sequence([3, 14, 15, 9, 26])), rows: i64([5], [0, 1, 2, 3, 4]) };
const logits = ({ weights, ...model }: Model) =>
  evaluate(logitsGraph({ weights, ...model }), weights as ReadonlyMap<string, Tensor>, feeds).logits!
    .data as Float64Array;

const [rank, scale] = [2, 3];

/** W + scale · B A in float64, for W [outputs, inputs], or its transpose. */
function merged(w: Tensor, a: Tensor<'f32'>, b: Tensor<'f32'>, isTransposed: boolean): Tensor {
  const [rows, columns] = w.shape as [number, number];
  const inputs = isTransposed ? rows : columns;
  const data = Float64Array.from({ length: rows * columns }, (_, at) => {
    const [r, c] = [Math.floor(at / columns), at % columns];
    const [o, i] = isTransposed ? [c, r] : [r, c];
    let sum = Number(w.data[at]);
    for (let k = 0; k < rank; k++) sum += scale * b.data[o * rank + k]! * a.data[k * inputs + i]!;
    return sum;
  });
  return tensor('f64', w.shape, data);
}

describe.skipIf(!shared)('needs ../shared: an adapter', () => {
  it.each<[FixtureFamily, string[]]>([
    ['gpt2', ['c_attn', 'c_proj', 'c_fc']],
    ['gpt_neox', ['query_key_value', 'dense', 'dense_h_to_4h']],
    ['phi3', ['qkv_proj', 'gate_up_proj', 'o_proj']],
    ['gemma2', ['q_proj', 'down_proj']],
    ['gemma3', ['k_proj', 'up_proj']],
    ['olmo2', ['v_proj', 'o_proj']],
    ['qwen2', ['q_proj', 'gate_proj']],
    ['granite', ['k_proj', 'down_proj']],
  ])('on %s of %j', async (family, target_modules) => {
    const model = await fixtureModel(family);
    const tensors = new Map<string, Tensor>();
    const weights = new Map(model.weights as ReadonlyMap<string, Tensor>);
    const d = draw(3);
    for (const [name, w] of model.weights as ReadonlyMap<string, Tensor>) {
      const module = name.replace(/\.weight$/, '');
      if (!name.endsWith('.weight') || !target_modules.some((end) => module.endsWith(`.${end}`))) continue;
      const isTransposed = family === 'gpt2';
      const [outputs, inputs] = (isTransposed ? w.shape.toReversed() : w.shape) as [number, number];
      const [a, b] = [normal(d, [rank, inputs], 0.1), normal(d, [outputs, rank], 0.1)];
      tensors.set(`base_model.model.${module}.lora_A.weight`, a);
      tensors.set(`base_model.model.${module}.lora_B.weight`, b);
      weights.set(name, merged(w, a, b, isTransposed));
    }
    const config = {
      peft_type: 'LORA',
      r: rank,
      lora_alpha: rank * scale,
      target_modules,
      fan_in_fan_out: true,
    };
    const found = logits(withLora(model, config, tensors, 'adapter'));
    expectClose(found, logits({ ...model, weights }), 1e-10);
    expect(greatestDifference(found, logits(model))).toBeGreaterThan(1e-2);
  });
});
