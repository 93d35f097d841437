/** How much room a graph's weights take. */
import { type Graph, nodesOf } from '../graph/node.ts';
import { bytesPerElement, sizeOf } from '../tensor.ts';
import type { OnnxWeights } from './onnx.ts';

export interface WeightBytes {
  /** as they lie in files or in memory */
  readonly stored: number;
  /** once they are float32, with what they are made from where that is another type */
  readonly loaded: number;
}

/** Bytes of the weights that a graph reads, each counted once. */
export function weightBytes({
  graph,
  weights,
}: {
  readonly graph: Graph;
  readonly weights: OnnxWeights;
}): WeightBytes {
  const names = new Set(nodesOf(graph, 'param').map(({ attributes }) => attributes.name));
  let [stored, loaded] = [0, 0];
  for (const name of names) {
    const { dtype, shape } = weights.get(name)!;
    const own = sizeOf(shape) * bytesPerElement[dtype];
    stored += own;
    loaded += dtype === 'f32' ? own : own + 4 * sizeOf(shape);
  }
  return { stored, loaded };
}
