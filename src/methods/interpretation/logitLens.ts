/**
 * The logit lens: which tokens a latent's direction makes likelier. dot_{i,v} = W'_v·d_i and cosine_{i,v} =
 * dot_{i,v} / |W'_v|, d_i the unit decoder direction and W'_v = γ ⊙ W_v the unembedding row with the final
 * norm's gain folded in, less its own mean where that norm centres; the norm's division by the residual's size
 * only scales and is left out, and so is what the blocks above the site would do. Shapes: n latents, d residual
 * width, V vocabulary, k tokens a list.
 */
import {
  div,
  greaterOrEqual,
  input,
  matmul,
  mul,
  neg,
  scalar,
  sqrt,
  sum,
  take,
  topIndices,
  transpose,
  where,
} from '../../graph/build.ts';
import type { Node } from '../../graph/node.ts';
import { simplify } from '../../graph/simplify.ts';
import { type Model, Scope } from '../../models/decoder.ts';
import { centred } from '../../models/norms.ts';
import { type Part, RowsScope } from '../../models/parts.ts';
import type { Runtime, Session } from '../../runtime/runtime.ts';
import { weightBytes } from '../../runtime/weightBytes.ts';
import { type Tensor, tensor } from '../../tensor.ts';
import { type Dictionary, directionsOf } from '../attribution/score.ts';

export interface LensEntry {
  /** of the token */
  readonly id: number;
  readonly cosine: number;
  readonly dot: number;
}

/** Greatest first in `top`, least first in `bottom`; equal ones in no order that is promised. */
export interface LensEnds {
  readonly top: readonly LensEntry[];
  readonly bottom: readonly LensEntry[];
}

/** Ranked by cosine, and by dot product. */
export interface LatentLens {
  readonly cosine: LensEnds;
  readonly dot: LensEnds;
}

/** Values [n, V] held at once: with their copies some 200 MB. */
const valuesAtOnce = 1 << 23;

/** The four lists: by what they rank, and from which end. */
const lists = [
  ['cosine', 'top'],
  ['cosine', 'bottom'],
  ['dot', 'top'],
  ['dot', 'bottom'],
] as const;

/** Tokens `from` ≤ v < `to` of a vocabulary. */
interface Tokens {
  readonly from: number;
  readonly to: number;
}

/** rows [n, d] → of each list the places [n, k] of its tokens among `tokens`, and both numbers of each. */
function lensPart(model: Model, k: number, tokens: Tokens): Part {
  const { decoder } = model;
  const scope = new RowsScope(model, tokens.from, tokens.to);
  const rows = input('rows', ['n', decoder.width]);
  const gain = decoder.finalGain(new Scope(model));
  const w = decoder.unembedding(scope);
  const centre = decoder.centres ? centred : (x: Node) => x;
  const dot = matmul(mul(centre(rows), gain), w, { transB: true });
  const folded = centre(mul(w, gain));
  const size = transpose(sqrt(sum(mul(folded, folded), [1])), [1, 0]);
  const cosine = div(dot, where(greaterOrEqual(scalar(0), size), scalar(1), size));
  const ranked: Readonly<Record<'cosine' | 'dot', Node>> = { cosine, dot };
  const outputs: Record<string, Node> = {};
  for (const [by, end] of lists) {
    const places = topIndices(end === 'top' ? ranked[by] : neg(ranked[by]), k);
    outputs[`${by}.${end}.id`] = places;
    outputs[`${by}.${end}.cosine`] = take(cosine, places);
    outputs[`${by}.${end}.dot`] = take(dot, places);
  }
  return { graph: simplify({ outputs }), weights: new Map([...model.weights, ...scope.slices]) };
}

/** Copies of the rows of the unembedding that a part works on. */
const tableCopies = 3;

/** The vocabulary in parts whose rows fit the runtime's limit; where it has none, in one. */
function tokensAtOnce({ limit }: Runtime, model: Model, k: number): Tokens[] {
  const { vocabulary } = model.decoder;
  const whole = { from: 0, to: vocabulary };
  const bytes = tableCopies * weightBytes(lensPart(model, k, whole)).loaded;
  if (limit === undefined || bytes <= limit.weights) return [whole];
  const step = Math.max(k, Math.ceil(vocabulary / Math.ceil(bytes / limit.weights)));
  const parts = Math.max(1, Math.floor(vocabulary / step));
  return Array.from({ length: parts }, (_, i) => ({
    from: i * step,
    to: i === parts - 1 ? vocabulary : (i + 1) * step,
  }));
}

/** The first k of both, in the order of a list. */
function merged(a: LensEnds, b: LensEnds, by: 'cosine' | 'dot', k: number): LensEnds {
  const first = (end: 'top' | 'bottom') => {
    const sign = end === 'top' ? -1 : 1;
    return [...a[end], ...b[end]].sort((x, y) => sign * (x[by] - y[by])).slice(0, k);
  };
  return { top: first('top'), bottom: first('bottom') };
}

/** The lists of some directions [n, d] over the tokens of one part. */
async function lensOver(
  session: Session,
  rows: Tensor,
  each: number,
  { from }: Tokens,
): Promise<LatentLens[]> {
  const results = await session.run({ rows });
  const entries = (list: string, i: number): LensEntry[] => {
    const [ids, cosine, dot] = ['id', 'cosine', 'dot'].map((name) => results[`${list}.${name}`]!);
    return Array.from({ length: each }, (_, j) => ({
      id: from + Number(ids!.data[i * each + j]),
      cosine: Number(cosine!.data[i * each + j]),
      dot: Number(dot!.data[i * each + j]),
    }));
  };
  const ends = (by: string, i: number): LensEnds => ({
    top: entries(`${by}.top`, i),
    bottom: entries(`${by}.bottom`, i),
  });
  return Array.from({ length: rows.shape[0]! }, (_, i) => ({
    cosine: ends('cosine', i),
    dot: ends('dot', i),
  }));
}

/**
 * The `k` tokens of each end for each latent, in the order of `latents`; k is cut to V. A product for each
 * group of latents, of which only the lists leave the session; a vocabulary that does not fit the runtime's limit
 * is gone through in parts. A token whose row is all zeros has cosine 0. Throws RangeError for a latent that the
 * dictionary does not have.
 */
export async function logitLens(
  runtime: Runtime,
  model: Model,
  dictionary: Dictionary,
  latents: readonly number[],
  k = 20,
): Promise<LatentLens[]> {
  const { width: d, vocabulary } = model.decoder;
  const each = Math.min(k, vocabulary);
  const step = Math.max(1, Math.floor(valuesAtOnce / vocabulary));
  const found: LatentLens[] = [];
  for (const tokens of tokensAtOnce(runtime, model, each)) {
    const { graph, weights } = lensPart(model, each, tokens);
    const session = await runtime.load(graph, weights);
    try {
      for (let from = 0; from < latents.length; from += step) {
        const group = latents.slice(from, from + step);
        const rows = tensor('f32', [group.length, d], await directionsOf(dictionary, group));
        for (const [i, lens] of (await lensOver(session, rows, each, tokens)).entries()) {
          const before = found[from + i];
          found[from + i] = before
            ? {
                cosine: merged(before.cosine, lens.cosine, 'cosine', each),
                dot: merged(before.dot, lens.dot, 'dot', each),
              }
            : lens;
        }
      }
    } finally {
      await session.release();
    }
  }
  return found;
}
