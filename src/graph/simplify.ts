/**
 * Rewrites a graph into a smaller one with the same outputs: equal nodes become one, neutral elements and
 * double movements disappear, a sum joins the matrix product it follows. Values change by float32 rounding
 * at most.
 */
import { make } from './build.ts';
import { type Graph, type Node, type OpName, topological } from './node.ts';
import { broadcastShapes } from './shape.ts';

const sameShape = (a: Node, b: Node) =>
  a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);

function isScalar(node: Node, value: number): boolean {
  if (node.op !== 'constant' || node.shape.length > 0) return false;
  return Number((node as Node<'constant'>).attributes.value.data[0]) === value;
}

function is<O extends OpName>(node: Node, op: O): node is Node<O> {
  return node.op === op;
}

/** x in f(x, broadcastLike(s, ·)): s alone, where f broadcasts it to the same shape anyway. */
function withoutBroadcast(node: Node): Node | undefined {
  for (const side of [0, 1] as const) {
    const wide = node.inputs[side]!;
    const other = node.inputs[1 - side]!;
    if (!is(wide, 'broadcastLike')) continue;
    const narrow = wide.inputs[0]!;
    const shape = broadcastShapes(narrow.shape, other.shape);
    if (shape?.length !== node.shape.length || shape.some((n, i) => n !== node.shape[i])) continue;
    return make(node.op, node.attributes, side === 0 ? [narrow, other] : [other, narrow]);
  }
  return undefined;
}

type Uses = ReadonlyMap<Node, number>;

/** ab + c as one product with an addend, where nothing else needs ab. */
function withAddend(node: Node, uses: Uses): Node | undefined {
  for (const side of [1, 0] as const) {
    const product = node.inputs[side]!;
    const addend = node.inputs[1 - side]!;
    if (!is(product, 'matmul') || product.inputs.length > 2 || uses.get(product) !== 1) continue;
    if (product.inputs.some((i) => i.shape.length !== 2) || !sameShape(product, node)) continue;
    return make('matmul', product.attributes, [...product.inputs, addend]);
  }
  return undefined;
}

type Rewrite = (node: Node, uses: Uses) => Node | undefined;

/** One step of rewriting an op, or undefined where nothing applies. */
const rewrites: { readonly [O in OpName]?: Rewrite } = {
  add: (node, uses) => {
    const [a, b] = [node.inputs[0]!, node.inputs[1]!];
    if (isScalar(a, 0) && sameShape(b, node)) return b;
    if (isScalar(b, 0) && sameShape(a, node)) return a;
    return withoutBroadcast(node) ?? withAddend(node, uses);
  },
  sub: withoutBroadcast,
  mul: (node) => {
    const [a, b] = [node.inputs[0]!, node.inputs[1]!];
    if (isScalar(a, 1) && sameShape(b, node)) return b;
    if (isScalar(b, 1) && sameShape(a, node)) return a;
    return withoutBroadcast(node);
  },
  div: withoutBroadcast,
  neg: ({ inputs: [a] }) => (is(a!, 'neg') ? a.inputs[0] : undefined),
  reshape: (node) => {
    const a = node.inputs[0]!;
    if (sameShape(a, node)) return a;
    return is(a, 'reshape') ? make('reshape', { shape: node.shape }, [a.inputs[0]!]) : undefined;
  },
  transpose: (node) => {
    const a = node.inputs[0]!;
    const { permutation } = (node as Node<'transpose'>).attributes;
    if (permutation.every((axis, i) => axis === i)) return a;
    if (!is(a, 'transpose')) return undefined;
    const inner = a.attributes.permutation;
    return make('transpose', { permutation: permutation.map((axis) => inner[axis]!) }, [a.inputs[0]!]);
  },
  broadcastLike: (node) => (sameShape(node.inputs[0]!, node) ? node.inputs[0] : undefined),
};

/** Small constants are equal by value, large ones by identity. */
function attributesKey(node: Node, identity: (o: object) => number): string {
  if (!is(node, 'constant')) return JSON.stringify(node.attributes);
  const { dtype, shape, data } = node.attributes.value;
  return `${dtype}[${shape}]${data.length <= 1024 ? Array.from(data as ArrayLike<unknown>).join() : `#${identity(data)}`}`;
}

function numbering(): (o: object) => number {
  const numbers = new Map<object, number>();
  return (o) => {
    const found = numbers.get(o) ?? numbers.size;
    numbers.set(o, found);
    return found;
  };
}

function countUses(graph: Graph): Map<Node, number> {
  const uses = new Map<Node, number>();
  const count = (node: Node) => uses.set(node, (uses.get(node) ?? 0) + 1);
  for (const node of topological(Object.values(graph.outputs))) node.inputs.forEach(count);
  Object.values(graph.outputs).forEach(count);
  return uses;
}

function pass(graph: Graph): Graph {
  const uses = countUses(graph);
  const identity = numbering();
  const unique = new Map<string, Node>();
  const rewritten = new Map<Node, Node>();
  const intern = (node: Node): Node => {
    const key = `${node.op}(${node.inputs.map(identity)})${attributesKey(node, identity)}`;
    const found = unique.get(key) ?? node;
    unique.set(key, found);
    return found;
  };
  for (const node of topological(Object.values(graph.outputs))) {
    const changed = rewrites[node.op]?.(node, uses) ?? node;
    const inputs = changed.inputs.map((i) => rewritten.get(i) ?? i);
    const moved = inputs.every((x, i) => x === changed.inputs[i]) ? changed : { ...changed, inputs };
    rewritten.set(node, rewritten.get(changed) ?? intern(moved));
  }
  return {
    outputs: Object.fromEntries(
      Object.entries(graph.outputs).map(([name, node]) => [name, rewritten.get(node)!]),
    ),
  };
}

/** The graph rewritten until nothing changes. */
export function simplify(graph: Graph): Graph {
  const size = (g: Graph) => topological(Object.values(g.outputs)).length;
  let now = graph;
  for (;;) {
    const next = pass(now);
    const settled =
      size(next) === size(now) && Object.keys(next.outputs).every((k) => next.outputs[k] === now.outputs[k]);
    now = next;
    if (settled) return now;
  }
}
