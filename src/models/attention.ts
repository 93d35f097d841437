/** Scaled dot-product attention over one packed sequence, with grouped query heads. */
import { add, matmul, reshape, softmax, transpose } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';

export interface Heads {
  /** query heads */
  readonly query: number;
  /** key and value heads; each serves query / keyValue query heads */
  readonly keyValue: number;
  /** width of a head, h */
  readonly width: number;
}

/**
 * softmax(scale · q kᵀ + mask) v. Query [T, query·h], key and value [T, keyValue·h], mask [T, T] → [T, query·h].
 * Heads are laid out [keyValue, group, T, h], so that keys and values broadcast over their group and are never copied.
 */
export function attention(
  query: Node,
  key: Node,
  value: Node,
  mask: Node,
  heads: Heads,
  scale: number,
): Node {
  const tokens = query.shape[0]!;
  const group = heads.query / heads.keyValue;
  const split = (x: Node, g: number) =>
    transpose(reshape(x, [tokens, heads.keyValue, g, heads.width]), [1, 2, 0, 3]);
  const scores = matmul(split(query, group), split(key, 1), { transB: true, alpha: scale });
  const mixed = matmul(softmax(add(scores, mask)), split(value, 1));
  return reshape(transpose(mixed, [2, 0, 1, 3]), [tokens, heads.query * heads.width]);
}
