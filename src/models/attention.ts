/**
 * Scaled dot-product attention with grouped query heads: over one packed sequence, of new tokens over a cache,
 * and of texts side by side, each over what it was read behind and itself.
 */
import {
  add,
  div,
  exp,
  gather,
  greaterOrEqual,
  known,
  matmul,
  max,
  reshape,
  scalar,
  scale as scaled,
  scatterAdd,
  softmax,
  sub,
  sumLast,
  tanh,
  transpose,
  where,
} from '../graph/build.ts';
import type { Dim, Node } from '../graph/node.ts';

export interface Heads {
  /** query heads */
  readonly query: number;
  /** key and value heads; each serves query / keyValue query heads */
  readonly keyValue: number;
  /** width of a head, h */
  readonly width: number;
}

/** How queries and keys become scores. */
export interface Scoring {
  /** what q kᵀ is multiplied by */
  readonly scale: number;
  /** c: scores s become c tanh(s / c); default none */
  readonly cap?: number | undefined;
  /** how many places back a token sees, itself counted; default all */
  readonly window?: number | undefined;
}

/** c tanh(x / c); x itself without a bound. */
export const capped = (x: Node, cap: number | null | undefined): Node =>
  typeof cap === 'number' ? scaled(tanh(scaled(x, 1 / cap)), cap) : x;

const scoresOf = (q: Node, k: Node, { scale, cap }: Scoring) =>
  capped(matmul(q, k, { transB: true, alpha: scale }), cap);

const hidden = scalar(Number.NEGATIVE_INFINITY);

/**
 * The mask, with −∞ besides where a key's place is `window` or more before the query's. Places broadcast to the
 * mask's shape.
 */
export function withinWindow(mask: Node, queries: Node, keys: Node, window: number): Node {
  return where(greaterOrEqual(sub(queries, keys), scalar(window)), hidden, mask);
}

/**
 * softmax(scores + mask) v, with the scores of `scoring`; its window is in the mask. Query [T, query·h], key
 * and value [T, keyValue·h], mask [t, t] → [T, query·h], for T = `sequences` · t tokens of equally long sequences. Heads are laid out [sequences,
 * keyValue, group, t, h], so that keys and values broadcast over their group and are never copied.
 */
export function attention(
  query: Node,
  key: Node,
  value: Node,
  mask: Node,
  heads: Heads,
  scoring: Scoring,
  sequences = 1,
): Node {
  const tokens = query.shape[0]!;
  const group = heads.query / heads.keyValue;
  const outer = sequences === 1 ? [tokens] : [sequences, known(query, 0) / sequences];
  const lead = outer.length - 1;
  const axes = [0, 1, 2, 3].map((axis) => axis + lead);
  const batch = sequences === 1 ? [] : [0];
  const split = (x: Node, g: number) =>
    transpose(reshape(x, [...outer, heads.keyValue, g, heads.width]), [
      ...batch,
      axes[1]!,
      axes[2]!,
      axes[0]!,
      axes[3]!,
    ]);
  const scores = scoresOf(split(query, group), split(key, 1), scoring);
  const mixed = matmul(softmax(add(scores, mask)), split(value, 1));
  return reshape(transpose(mixed, [...batch, axes[2]!, axes[0]!, axes[1]!, axes[3]!]), [
    tokens,
    heads.query * heads.width,
  ]);
}

/**
 * Texts of any lengths, one after another without gaps as T tokens. Lengths: R texts, S the most tokens of one,
 * C the most places that one sees.
 */
export interface SideBySide {
  /** 0 where a token sees a place of its own text, −∞ elsewhere [R, S, C] */
  readonly mask: Node;
  /** each token's place among R·S [T] */
  readonly queries: Node;
}

/** The length of R·S queries; a product is named by its factors in order, so that shapes compare. */
const queryRows = 'longest·texts';

/**
 * softmax(scores) v of each text's tokens over its own places. Query [T, query·h], keys and values [R·C,
 * keyValue·h] → [T, query·h]. Shorter texts are padded here alone.
 */
export function textAttention(
  query: Node,
  keys: Node,
  values: Node,
  { mask, queries }: SideBySide,
  heads: Heads,
  scoring: Scoring,
): Node {
  const [texts, longest, places] = mask.shape as [Dim, Dim, Dim];
  const group = heads.query / heads.keyValue;
  const split = (x: Node, count: Dim, g: number) =>
    transpose(reshape(x, [texts, count, heads.keyValue, g, heads.width]), [0, 2, 3, 1, 4]);
  const padded = scatterAdd(query, queries, queryRows);
  const scores = scoresOf(split(padded, longest, group), split(keys, places, 1), scoring);
  const masked = add(scores, reshape(mask, [texts, 1, 1, longest, places]));
  const mixed = transpose(matmul(softmax(masked), split(values, places, 1)), [0, 3, 1, 2, 4]);
  return gather(reshape(mixed, [queryRows, heads.query * heads.width]), queries);
}

/**
 * What new tokens attend to beside one another. Lengths: R rows, S new tokens of each, C places of the
 * cache.
 */
export interface Cache {
  /** [R, keyValue, C, h] each; C is known */
  readonly keys: Node;
  readonly values: Node;
  /** 0 where a row has a token that its new tokens see, −∞ elsewhere: [R, C], or [R, S, C] by new token */
  readonly past: Node;
  /** 0 where a new token sees another, −∞ elsewhere: [S, S], or [R, S, S] by row */
  readonly fresh: Node;
}

const times = (factor: number, n: Dim): Dim => (typeof n === 'number' ? factor * n : `${factor}·${n}`);

/**
 * softmax(scores) v of new tokens over what the cache holds and over the new tokens up to themselves.
 * Query [R·S, query·h], key and value [R·S, keyValue·h] → [R·S, query·h]. The softmax is taken in two
 * parts, so that new keys need not stand behind the old ones in one array: no copy of the cache is ever
 * made. The query heads of a group are rows of one product over the cache, which is read once for all of
 * them.
 */
export function cachedAttention(
  query: Node,
  key: Node,
  value: Node,
  { keys, values, past, fresh }: Cache,
  heads: Heads,
  scoring: Scoring,
): Node {
  const [rows, added] = [past.shape[0]!, fresh.shape.at(-1)!];
  const places = known(keys, 2);
  const group = heads.query / heads.keyValue;
  const split = (x: Node, g: number) =>
    transpose(reshape(x, [rows, added, heads.keyValue, g, heads.width]), [0, 2, 3, 1, 4]);
  const folded = (x: Node, width: number) => reshape(x, [rows, heads.keyValue, times(group, added), width]);
  const unfolded = (x: Node, width: number) => reshape(x, [rows, heads.keyValue, group, added, width]);
  const q = split(query, group);
  const overCache = scoresOf(folded(q, heads.width), keys, scoring);
  const before =
    past.shape.length === 2
      ? add(overCache, reshape(past, [rows, 1, 1, places]))
      : folded(add(unfolded(overCache, places), reshape(past, [rows, 1, 1, added, places])), places);
  const own = add(
    scoresOf(q, split(key, 1), scoring),
    fresh.shape.length === 2 ? fresh : reshape(fresh, [rows, 1, 1, added, added]),
  );
  const [mostBefore, mostOwn] = [unfolded(max(before), 1), max(own)];
  const most = where(greaterOrEqual(mostBefore, mostOwn), mostBefore, mostOwn);
  const [e, eOwn] = [exp(sub(before, folded(most, 1))), exp(sub(own, most))];
  const mixed = div(
    add(unfolded(matmul(e, values), heads.width), matmul(eOwn, split(value, 1))),
    add(unfolded(sumLast(e), 1), sumLast(eOwn)),
  );
  return reshape(transpose(mixed, [0, 3, 1, 2, 4]), [query.shape[0]!, heads.query * heads.width]);
}
