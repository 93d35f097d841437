/**
 * What most families are made of, under the names that transformers gives it: RMS norms, rotary attention, a gated
 * MLP. A family puts the parts of its block together and says how each differs. Knows no family. Shapes: T tokens,
 * d residual width.
 */
import { gather, mul, rmsNorm, scale } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { type Activation, activations } from './activations.ts';
import type { Heads, Scoring } from './attention.ts';
import type { Bias, Decoder } from './decoder.ts';
import { headNorm } from './norms.ts';
import type { Rope } from './rope.ts';
import { type Place, type Projections, rotaryAttention } from './rotaryAttention.ts';
import { tables } from './tables.ts';

/** The fields of a config that the parts read. */
export interface RmsConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly rms_norm_eps: number;
  readonly tie_word_embeddings: boolean;
  readonly heads: Heads;
  /** of the layers that do not say otherwise; its context is the model's */
  readonly rope: Rope;
}

export interface AttentionOptions extends Partial<Scoring> {
  /** default the config's; null for a layer without positions */
  readonly rope?: Rope | null;
  /** of queries, keys and values; default none */
  readonly bias?: Bias;
  /** of the output; default as the others */
  readonly outputBias?: Bias;
  /** a norm of queries and keys, over each head or over all of them as one; default none */
  readonly queryKeyNorm?: 'each head' | 'all heads';
}

interface MlpOptions {
  /** default none */
  readonly bias?: Bias;
  /** default silu */
  readonly activation?: Activation;
}

/** The parts of one block. */
interface BlockParts extends Place {
  /** name of the block, as `model.layers.3` */
  readonly at: string;
  /** the norm `name`.weight of the block */
  norm(x: Node, name: string): Node;
  /** o(softmax(scores) v) with q, k, v of x, all [T, d] */
  attention(x: Node, options?: AttentionOptions): Node;
  /** what `self_attn.o_proj` gives of attention over projections that the family makes itself */
  attentionOver(projections: Projections, options?: AttentionOptions): Node;
  /** down(act(gate x) ⊙ up x) */
  mlp(x: Node, options?: MlpOptions): Node;
}

export interface RmsParts {
  block(parts: BlockParts, x: Node): Node;
  /** what a norm's stored weight stands for; default itself */
  gain?(weight: Node): Node;
  /** what embeddings are multiplied by; default 1 */
  readonly embeddingScale?: number;
  readonly logits?: Decoder['logits'];
}

/** down(act(gate x) ⊙ up x), its weights at `at`. */
function gatedMlp({ scope }: Place, at: string, x: Node, c: RmsConfig, options: MlpOptions): Node {
  const { bias = false, activation = 'silu' } = options;
  const [d, inner] = [c.hidden_size, c.intermediate_size];
  const gate = activations[activation](scope.linear(x, `${at}.gate_proj`, d, inner, bias));
  const up = scope.linear(x, `${at}.up_proj`, d, inner, bias);
  return scope.linear(mul(gate, up), `${at}.down_proj`, inner, d, bias);
}

export function rmsDecoder(family: string, c: RmsConfig, parts: RmsParts): Decoder {
  const { hidden_size: d, rms_norm_eps: epsilon, heads } = c;
  const { gain = (weight: Node) => weight, embeddingScale = 1, logits } = parts;
  const { embedding, head, ...tied } = tables(
    ['model.embed_tokens.weight', 'lm_head.weight'],
    [c.vocab_size, d],
    c.tie_word_embeddings,
  );
  const finalGain: Decoder['finalGain'] = (scope) => gain(scope.param('model.norm.weight', [d]));

  function partsOf(place: Place): BlockParts {
    const at = `model.layers.${place.layer}`;
    const { scope } = place;
    const attend = `${at}.self_attn`;
    const weight = (name: string, width: number) => gain(scope.param(`${name}.weight`, [width]));
    const ropeOf = ({ rope = c.rope }: AttentionOptions) => rope ?? undefined;
    function projected(x: Node, name: string, count: number, options: AttentionOptions): Node {
      const y = scope.linear(x, `${attend}.${name}_proj`, d, count * heads.width, options.bias ?? false);
      if (options.queryKeyNorm === undefined || name === 'v') return y;
      const width = options.queryKeyNorm === 'each head' ? heads.width : count * heads.width;
      return headNorm(y, weight(`${attend}.${name}_norm`, width), epsilon);
    }
    const attentionOver: BlockParts['attentionOver'] = (projections, options = {}) => {
      const { scale, cap, window, bias = false, outputBias = bias } = options;
      const scoring = { ...(scale !== undefined && { scale }), cap, window };
      const mixed = rotaryAttention(place, projections, heads, ropeOf(options), scoring);
      return scope.linear(mixed, `${attend}.o_proj`, heads.query * heads.width, d, outputBias);
    };
    return {
      ...place,
      at,
      norm: (x, name) => rmsNorm(x, weight(`${at}.${name}`, d), epsilon),
      attention: (x, options = {}) =>
        attentionOver(
          {
            query: projected(x, 'q', heads.query, options),
            key: projected(x, 'k', heads.keyValue, options),
            value: projected(x, 'v', heads.keyValue, options),
          },
          options,
        ),
      attentionOver,
      mlp: (x, options = {}) => gatedMlp(place, `${at}.mlp`, x, c, options),
    };
  }

  return {
    family,
    width: d,
    blocks: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    context: c.rope.context,
    ...tied,
    embed: (scope, { ids }) => scale(gather(embedding(scope), ids), embeddingScale),
    block: (layer, x, scope, pass) => parts.block(partsOf({ layer, scope, pass }), x),
    finalNorm: (x, scope) => rmsNorm(x, finalGain(scope), epsilon),
    finalGain,
    unembedding: head,
    ...(logits && { logits }),
  };
}
