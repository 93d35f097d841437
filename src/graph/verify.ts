/** Checks a whole graph before it runs: every node's shape against its rule, and names bound one way only. */
import { type Graph, type Node, topological } from './node.ts';
import { GraphError, infer } from './shape.ts';

/**
 * Throws GraphError at the first node whose stored shape or type differs from its rule's, or name bound in
 * two ways.
 */
export function verify(graph: Graph): void {
  const bound = new Map<string, Node>();
  for (const node of topological(Object.values(graph.outputs))) {
    const { shape, dtype } = infer(node);
    if (dtype !== node.dtype || shape.join() !== node.shape.join())
      throw new GraphError(
        `${node.op}: stored as ${node.dtype}[${node.shape}], its rule gives ${dtype}[${shape}]`,
      );
    if (node.op !== 'input' && node.op !== 'param') continue;
    const { name } = (node as Node<'input' | 'param'>).attributes;
    const other = bound.get(name);
    if (
      other &&
      (other.op !== node.op || other.shape.join() !== node.shape.join() || other.dtype !== node.dtype)
    )
      throw new GraphError(
        `the name ${name} is bound to ${other.op}[${other.shape}] and to ${node.op}[${node.shape}]`,
      );
    bound.set(name, node);
  }
  for (const name of Object.keys(graph.outputs)) {
    const other = bound.get(name);
    if (other)
      throw new GraphError(`the name ${name} is bound to ${other.op}[${other.shape}] and to an output`);
  }
}
