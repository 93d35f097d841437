/** Scaled dot-product attention over one packed sequence, with grouped query heads. */
import { add, known, matmul, reshape, softmax, transpose } from '../graph/build.ts';
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
 * softmax(scale · q kᵀ + mask) v. Query [T, query·h], key and value [T, keyValue·h], mask [t, t] → [T, query·h], for T = `sequences` · t
 * tokens of equally long sequences. Heads are laid out [sequences, keyValue, group, t, h], so that keys and values broadcast over their group
 * and are never copied.
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
