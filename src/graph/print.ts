/** A graph as text, a node a line, for people and for snapshots. */
import { type Graph, type Node, topological } from './node.ts';

function attributesOf(node: Node): string {
  if (node.op === 'constant')
    return (node as Node<'constant'>).attributes.value.data.length > 8 ? '{…}' : showConstant(node);
  const text = JSON.stringify(node.attributes);
  return text === '{}' ? '' : text.replaceAll('"', '');
}

function showConstant(node: Node): string {
  return `{${Array.from((node as Node<'constant'>).attributes.value.data as ArrayLike<unknown>).join(', ')}}`;
}

/** Lines such as `%3 = matmul{alpha:1}(%1, %2) f32[tokens, 64]`, then the outputs by name. */
export function print(graph: Graph): string {
  const names = new Map<Node, string>();
  const lines = topological(Object.values(graph.outputs)).map((node, i) => {
    names.set(node, `%${i}`);
    const inputs = node.inputs.map((input) => names.get(input)).join(', ');
    return `%${i} = ${node.op}${attributesOf(node)}(${inputs}) ${node.dtype}[${node.shape.join(', ')}]`;
  });
  const outputs = Object.entries(graph.outputs).map(([name, node]) => `${name}: ${names.get(node)}`);
  return [...lines, ...outputs].join('\n');
}
