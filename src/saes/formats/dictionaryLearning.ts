/**
 * dictionary_learning (Marks, Karvonen, Mueller): `ae.pt` beside `config.json`, whose `trainer.dict_class` says
 * which of the library's classes it is. Input normalised in training is folded into the saved biases.
 * Definition: `dictionary.py` and `trainers/` of saprmarks/dictionary_learning, 0.1.0.
 */
import { gated } from '../kinds/gated.ts';
import { jumprelu } from '../kinds/jumprelu.ts';
import type { SaeKind } from '../kinds/kind.ts';
import { relu } from '../kinds/relu.ts';
import { topk } from '../kinds/topk.ts';
import type { TrainedOn } from '../sae.ts';
import {
  readScalar,
  readWhole,
  renamed,
  type StoredWeights,
  sizesOf,
  type WeightSource,
} from '../weights.ts';
import type { SaeFormat } from './format.ts';
import { Settings } from './settings.ts';
import { siteOf } from './site.ts';
import { openStored } from './stored.ts';

const files = { config: 'config.json', weights: 'ae.pt' };

/** How a class of the library computes, and how it calls its weights. */
interface DictClass {
  readonly kind: SaeKind;
  readonly sources: Readonly<Record<string, WeightSource>>;
  readonly subtractBias: boolean;
  /** Tensors that it saves and does not encode or decode with, as far as it has them. */
  readonly unused?: readonly string[];
  /** Whether one threshold holds for all latents. */
  readonly oneThreshold?: true;
}

const linear = {
  W_enc: { transposed: 'encoder.weight' },
  b_enc: 'encoder.bias',
  W_dec: { transposed: 'decoder.weight' },
};
const plain = { W_enc: 'W_enc', b_enc: 'b_enc', W_dec: 'W_dec', b_dec: 'b_dec' };

const classes: Readonly<Record<string, DictClass>> = {
  AutoEncoder: { kind: relu, sources: { ...linear, b_dec: 'bias' }, subtractBias: true },
  AutoEncoderNew: { kind: relu, sources: { ...linear, b_dec: 'decoder.bias' }, subtractBias: false },
  GatedAutoEncoder: {
    kind: gated,
    sources: {
      W_enc: linear.W_enc,
      W_dec: linear.W_dec,
      b_dec: 'decoder_bias',
      b_gate: 'gate_bias',
      b_mag: 'mag_bias',
      r_mag: 'r_mag',
    },
    subtractBias: true,
  },
  JumpReluAutoEncoder: {
    kind: jumprelu,
    sources: { ...plain, threshold: 'threshold' },
    subtractBias: false,
  },
  // It encodes by its k, and by the threshold only when it is asked to.
  AutoEncoderTopK: {
    kind: topk,
    sources: { ...linear, b_dec: 'b_dec' },
    subtractBias: true,
    unused: ['k', 'threshold'],
  },
  BatchTopKSAE: {
    kind: jumprelu,
    sources: { ...linear, b_dec: 'b_dec' },
    subtractBias: true,
    unused: ['k', 'threshold'],
    oneThreshold: true,
  },
  MatryoshkaBatchTopKSAE: {
    kind: jumprelu,
    sources: plain,
    subtractBias: true,
    unused: ['k', 'threshold', 'group_sizes'],
    oneThreshold: true,
  },
};

export const dictionaryLearning: SaeFormat = {
  name: 'dictionary_learning',
  expects: `${files.config} and ${files.weights}`,
  owns: (names) => names.includes(files.config) && names.includes(files.weights),
  async open({ where, json, tensors }) {
    const config = new Settings(await json(files.config), `${where}: ${files.config}`);
    const trainer = config.object('trainer');
    const name = trainer.text('dict_class') ?? trainer.fail('dict_class', Object.keys(classes).join(', '));
    const own = Object.hasOwn(classes, name)
      ? classes[name]!
      : trainer.fail('dict_class', Object.keys(classes).join(', '));
    const { kind, sources, subtractBias, unused = [] } = own;
    const stored = await tensors(files.weights);
    const weights = renamed(stored, sources, unused);
    const { width, latents } = sizesOf(weights);
    for (const [field, size] of [['activation_dim', width] as const, ['dict_size', latents] as const])
      if (trainer.get(field) !== undefined && trainer.get(field) !== size)
        trainer.fail(field, `the decoder's (${size})`);
    return openStored({
      kind,
      where,
      trainedOn: trainedOn(trainer, config.object('buffer')),
      weights,
      subtractBias,
      ...(kind === topk && { counts: { k: await countOf(trainer, stored, latents) } }),
      ...(own.oneThreshold && { constants: { threshold: await readScalar(stored, 'threshold') } }),
    });
  },
};

/** k, which newer files hold as a tensor too. */
async function countOf(trainer: Settings, stored: StoredWeights, latents: number): Promise<number> {
  const k = trainer.count('k', 1, latents, ' (dict_size)');
  const saved = stored.tensors.has('k') ? await readWhole(stored, 'k') : k;
  return saved === k ? k : trainer.fail('k', `the tensor k (${saved})`);
}

/** A layer alone, without the name of a submodule, means the output of that block. */
function trainedOn(trainer: Settings, buffer: Settings): TrainedOn {
  const io = buffer.choice('io', ['in', 'out'], 'out');
  const layer = trainer.get('layer') === undefined ? undefined : trainer.count('layer', 0, 999_999);
  const named = trainer.text('submodule_name');
  const alone = layer === undefined ? undefined : `resid_${io === 'in' ? 'pre' : 'post'}_layer_${layer}`;
  const hook = named === undefined ? alone : io === 'in' && named.includes('.') ? `${named}.input` : named;
  const site = siteOf(hook);
  if (site && layer !== undefined && layer !== site.layer)
    trainer.fail('layer', `that of submodule_name (${named})`);
  return { model: trainer.text('lm_name'), hook, site };
}
