/**
 * Scaled dot-product attention with grouped query heads: over one packed sequence, and of new tokens over a
 * cache.
 */
import {
  add,
  div,
  exp,
  greaterOrEqual,
  known,
  matmul,
  max,
  reshape,
  softmax,
  sub,
  sumLast,
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

/**
 * softmax(scale · q kᵀ + mask) v. Query [T, query·h], key and value [T, keyValue·h], mask [t, t] → [T,
 * query·h], for T = `sequences` · t tokens of equally long sequences. Heads are laid out [sequences,
 * keyValue, group, t, h], so that keys and values broadcast over their group and are never copied.
 */
export function attention(
  query: Node,
  key: Node,
  value: Node,
  mask: Node,
  heads: Heads,
  scale: number,
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
  const scores = matmul(split(query, group), split(key, 1), { transB: true, alpha: scale });
  const mixed = matmul(softmax(add(scores, mask)), split(value, 1));
  return reshape(transpose(mixed, [...batch, axes[2]!, axes[0]!, axes[1]!, axes[3]!]), [
    tokens,
    heads.query * heads.width,
  ]);
}

/**
 * What new tokens attend to beside one another. Lengths: R rows, S new tokens of each, C places of the
 * cache.
 */
export interface Cache {
  /** [R, keyValue, C, h] each; C is known */
  readonly keys: Node;
  readonly values: Node;
  /** 0 where a row has a token, −∞ elsewhere [R, C] */
  readonly past: Node;
  /** 0 where a new token may see another, −∞ elsewhere [S, S] */
  readonly fresh: Node;
}

const times = (factor: number, n: Dim): Dim => (typeof n === 'number' ? factor * n : `${factor}·${n}`);

/**
 * softmax(scale · q kᵀ) v of new tokens over what the cache holds and over the new tokens up to themselves.
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
  scale: number,
): Node {
  const [rows, added] = [past.shape[0]!, fresh.shape[0]!];
  const places = known(keys, 2);
  const group = heads.query / heads.keyValue;
  const split = (x: Node, g: number) =>
    transpose(reshape(x, [rows, added, heads.keyValue, g, heads.width]), [0, 2, 3, 1, 4]);
  const folded = (x: Node, width: number) => reshape(x, [rows, heads.keyValue, times(group, added), width]);
  const unfolded = (x: Node, width: number) => reshape(x, [rows, heads.keyValue, group, added, width]);
  const q = split(query, group);
  const scores = (q: Node, k: Node, mask: Node) => add(matmul(q, k, { transB: true, alpha: scale }), mask);
  const before = scores(folded(q, heads.width), keys, reshape(past, [rows, 1, 1, places]));
  const own = scores(q, split(key, 1), fresh);
  const [mostBefore, mostOwn] = [unfolded(max(before), 1), max(own)];
  const most = where(greaterOrEqual(mostBefore, mostOwn), mostBefore, mostOwn);
  const [e, eOwn] = [exp(sub(before, folded(most, 1))), exp(sub(own, most))];
  const mixed = div(
    add(unfolded(matmul(e, values), heads.width), matmul(eOwn, split(value, 1))),
    add(unfolded(sumLast(e), 1), sumLast(eOwn)),
  );
  return reshape(transpose(mixed, [0, 3, 1, 2, 4]), [query.shape[0]!, heads.query * heads.width]);
}
