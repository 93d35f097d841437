/**
 * A family that lacked one detail would not pass its fixture: with the detail taken out of the config or undone in the
 * weights, logits or a residual are far from transformers'. Needs ../shared.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/models/decoder.ts';
import { logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { i64, type Tensor, tensor } from '../../src/tensor.ts';
import { greatest, greatestDifference } from '../support/close.ts';
import {
  type FixtureFamily,
  type FixtureNumbers,
  fixtureModel,
  fixtureNumbers,
} from '../support/modelFixtures.ts';
import { shared } from '../support/shared.ts';

/** Twenty times what fixtures.test.ts allows: the two forms of GELU differ by little more. */
const far = 2e-4;

interface Change {
  /** fields laid over the config */
  readonly config?: Record<string, unknown>;
  /** weights whose names match are filled with this */
  readonly fill?: readonly [names: RegExp, value: number];
}

const scaling = { rope_type: 'linear', factor: 2 };
const without = (names: RegExp, value = 0) => ({ fill: [names, value] as const });

const queryKeyNorms = {
  'the norm of queries': without(/q_norm/, 1),
  'the norm of keys': without(/k_norm/, 1),
};

const changes: Readonly<Record<FixtureFamily, Readonly<Record<string, Change>>>> = {
  llama: {
    'the base of positions': { config: { rope_parameters: { rope_theta: 500 } } },
    ε: { config: { rms_norm_eps: 0.1 } },
    'the second norm': without(/post_attention_layernorm/, 1),
  },
  llama3: {
    'the scaling of positions': { config: { rope_parameters: { rope_theta: 500000 } } },
    'the final norm': without(/model\.norm/, 1),
  },
  mistral: {
    'the window': { config: { sliding_window: null } },
    'one place of the window': { config: { sliding_window: 5 } },
  },
  qwen2: {
    'the bias of queries': without(/q_proj\.bias/),
    'the bias of keys': without(/k_proj\.bias/),
    'the bias of values': without(/v_proj\.bias/),
  },
  qwen3: {
    ...queryKeyNorms,
    'the base of positions': { config: { rope_parameters: { rope_theta: 500 } } },
  },
  gemma2: {
    'the bound of scores': { config: { attn_logit_softcapping: null } },
    'the bound of logits': { config: { final_logit_softcapping: null } },
    'the window': { config: { sliding_window: 64 } },
    'which layers have it': { config: { layer_types: Array(3).fill('sliding_attention') } },
    'the scale of queries': { config: { query_pre_attn_scalar: 32 } },
    'the norm after attention': without(/post_attention_layernorm/),
    'the norm before the MLP': without(/pre_feedforward_layernorm/),
    'the norm after the MLP': without(/post_feedforward_layernorm/),
    'the activation': { config: { hidden_activation: 'silu' } },
  },
  gemma3: {
    'the norm of queries': without(/q_norm/),
    'the norm of keys': without(/k_norm/),
    'the window': { config: { sliding_window: 64 } },
    'the base of windows': {
      config: { rope_parameters: { full_attention: {}, sliding_attention: { rope_theta: 1e6 } } },
    },
    'the base of full attention': {
      config: { rope_parameters: { full_attention: { rope_theta: 1e4 }, sliding_attention: {} } },
    },
    'a scaling of full attention': { config: { rope_scaling: scaling } },
    'the scale of queries': { config: { query_pre_attn_scalar: 32 } },
    'a bound of logits': { config: { final_logit_softcapping: 3 } },
    'the norm after the MLP': without(/post_feedforward_layernorm/),
  },
  gpt2: {
    'gains of norms': without(/ln_\w+\.weight$/, 1),
    'biases of norms': without(/ln_\w+\.bias$/),
    positions: without(/wpe/),
    'the scale of scores': { config: { scale_attn_weights: false } },
    'a scale by layer': { config: { scale_attn_by_inverse_layer_idx: true } },
    'the bias of queries, keys and values': without(/c_attn\.bias/),
    'the bias of the MLP': without(/c_fc\.bias/),
    'the activation’s form': { config: { activation_function: 'gelu' } },
  },
  gpt_neox: {
    'gains of norms': without(/layernorm\.weight$/, 1),
    'biases of norms': without(/layernorm\.bias$/),
    'attention and MLP side by side': { config: { use_parallel_residual: false } },
    'the part of a head that is turned': {
      config: { rope_parameters: { rope_theta: 10000, partial_rotary_factor: 1 } },
    },
    'the bias of the output': without(/dense\.bias/),
  },
  phi3: {
    'the part of a head that is turned': {
      config: { rope_parameters: { rope_theta: 10000, partial_rotary_factor: 0.5 } },
    },
    'a window': { config: { sliding_window: 6 } },
    longrope: {
      config: {
        max_position_embeddings: 4096,
        original_max_position_embeddings: 64,
        rope_parameters: {
          rope_type: 'longrope',
          short_factor: [1, 1.1, 1.25, 2],
          long_factor: [1, 2, 4, 8],
        },
      },
    },
  },
  olmo2: {
    ...queryKeyNorms,
    'the norm after attention': without(/post_attention_layernorm/, 1),
    'the norm after the MLP': without(/post_feedforward_layernorm/, 1),
  },
  smollm3: {
    'the layer without positions': { config: { no_rope_layers: [1, 1, 1] } },
    'the layers with positions': { config: { no_rope_layers: [0, 1, 0] } },
    'a window': { config: { use_sliding_window: true, sliding_window: 6, layer_types: null } },
  },
  granite: {
    'the scale of embeddings': { config: { embedding_multiplier: 1 } },
    'the scale of additions': { config: { residual_multiplier: 1 } },
    'the scale of scores': { config: { attention_multiplier: 8 ** -0.5 } },
    'the scale of logits': { config: { logits_scaling: 1 } },
  },
};

function filled(t: Tensor, value: number): Tensor {
  return tensor('f32', t.shape, new Float32Array(t.data.length).fill(value));
}

async function changed(family: FixtureFamily, { config = {}, fill }: Change): Promise<Model> {
  const model = await fixtureModel(family, config);
  const weights = new Map(model.weights as ReadonlyMap<string, Tensor>);
  if (fill) {
    const names = [...weights.keys()].filter((name) => fill[0].test(name));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) weights.set(name, filled(weights.get(name)!, fill[1]));
  }
  return { ...model, weights };
}

describe.skipIf(!shared).each(Object.entries(changes))('needs ../shared: %s', (name, ofFamily) => {
  const family = name as FixtureFamily;
  let golden: FixtureNumbers;
  beforeAll(async () => {
    golden = await fixtureNumbers(family);
  });

  /** The greatest difference of the last residual and of the logits, over the greatest value of each. */
  function distance(model: Model): number {
    const ids = golden.rows[0]!;
    const weights = model.weights as ReadonlyMap<string, Tensor>;
    const feeds = { ...treeFeeds(sequence(ids)), rows: i64([ids.length], [...ids.keys()]) };
    const last = `resid_post.${model.decoder.blocks - 1}`;
    const graphs = { [last]: residualGraph(model, [model.decoder.blocks - 1]), logits: logitsGraph(model) };
    const distances = Object.entries(graphs).map(([output, graph]) => {
      const expected = golden.of(output, 0);
      return (
        greatestDifference(evaluate(graph, weights, feeds)[output]!.data as Float64Array, expected) /
        greatest(expected)
      );
    });
    return Math.max(...distances);
  }

  it('as it is', async () => {
    expect(distance(await changed(family, {}))).toBeLessThan(1e-6);
  });

  it.each(Object.entries(ofFamily))('without %s', async (_, change) => {
    expect(distance(await changed(family, change))).toBeGreaterThan(far);
  });
});
