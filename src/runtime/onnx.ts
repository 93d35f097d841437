/**
 * A graph written as an ONNX model. Weights that lie in files stay there: the model points at their bytes.
 * Knows nothing of the program that will run it.
 */
import { dirname, relative, sep } from 'node:path';
import {
  applyRule,
  type Dim,
  factorsOf,
  type Graph,
  type Node,
  nodesOf,
  type Shape,
  topological,
} from '../graph/node.ts';
import { verify } from '../graph/verify.ts';
import { type StoredTensor, sizeOf, type Tensor } from '../tensor.ts';
import { type Emitter, lowering } from './lowering.ts';
import { type Attribute, encodeModel, type OnnxData, type OnnxNode, type OnnxTensor } from './onnxProto.ts';

/** What each weight's name is bound to. */
export type OnnxWeights = ReadonlyMap<string, Tensor | StoredTensor>;

export interface OnnxFile {
  readonly bytes: Uint8Array;
  /**
   * The folder that holds, at any depth, every file the model points at; undefined when it points at none.
   */
  readonly folder: string | undefined;
}

const isStored = (t: Tensor | StoredTensor): t is StoredTensor => 'file' in t;

/** The deepest folder above all the files. */
function commonFolder(files: readonly string[]): string | undefined {
  const [first, ...rest] = files.map(dirname);
  if (first === undefined) return undefined;
  return rest.reduce((common, folder) => {
    let up = common;
    while (up !== folder && !folder.startsWith(up.endsWith(sep) ? up : up + sep)) {
      if (dirname(up) === up) throw new Error(`no folder holds both ${first} and ${folder}`);
      up = dirname(up);
    }
    return up;
  }, first);
}

function rawBytes(t: Tensor): Uint8Array {
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}

function weightOf(node: Node<'param'>, weights: OnnxWeights): Tensor | StoredTensor {
  const { name, shape } = node.attributes;
  const found = weights.get(name);
  if (!found) throw new Error(`no weight is bound to ${name}`);
  if (found.shape.join() !== shape.join())
    throw new Error(`weight ${name}: the graph expects [${shape}], its data has [${found.shape}]`);
  return found;
}

const toFloat = { to: 1 };

class Writer implements Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly names = new Map<Node, string>();
  /** weights whose values are not float32, and the names of those values once they are */
  private readonly narrow = new Set<Node>();
  private readonly widened = new Map<string, string>();
  private readonly vectors = new Map<string, string>();
  private readonly carriers = new Map<string, { input: string; axis: number }>();
  private count = 0;

  constructor(
    private readonly graph: Graph,
    private readonly weights: OnnxWeights,
    private readonly folder: string | undefined,
  ) {
    for (const { attributes } of nodesOf(graph, 'input'))
      attributes.shape.forEach((n, axis) => {
        if (typeof n === 'string') this.carriers.set(n, { input: attributes.name, axis });
      });
  }

  write(): void {
    const { outputs } = this.graph;
    for (const node of topological(Object.values(outputs))) this.names.set(node, this.written(node));
    for (const [name, node] of Object.entries(outputs))
      this.nodes.push({
        opType: 'Identity',
        domain: '',
        inputs: [this.floats(node)],
        outputs: [name],
        attributes: {},
      });
  }

  /** Rows of a table are taken before they become float32, not the whole table made so. */
  private written(node: Node): string {
    const [first] = node.inputs;
    const ofStored = node.op === 'gather' && this.narrow.has(first!);
    const inputs = node.inputs.map((i) => (ofStored && i === first ? this.names.get(i)! : this.floats(i)));
    const name = applyRule(lowering, node, this, inputs);
    return ofStored ? this.emit('Cast', [name], toFloat) : name;
  }

  /** The name of a node's float32 values, where it is a weight of another type. */
  private floats(node: Node): string {
    const name = this.names.get(node)!;
    if (!this.narrow.has(node)) return name;
    const known = this.widened.get(name) ?? this.emit('Cast', [name], toFloat);
    this.widened.set(name, known);
    return known;
  }

  emit(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): string {
    const output = `%${this.count++}`;
    this.nodes.push({ opType, domain, inputs, outputs: [output], attributes });
    return output;
  }

  emitSecond(opType: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const [first, second] = [`%${this.count++}`, `%${this.count++}`];
    this.nodes.push({ opType, domain: '', inputs, outputs: [first, second], attributes });
    return second;
  }

  integers(values: readonly number[]): string {
    const key = values.join();
    const found = this.vectors.get(key);
    if (found) return found;
    const name = `%i${this.vectors.size}`;
    this.vectors.set(key, name);
    const raw = rawBytes({ dtype: 'i64', shape: [], data: BigInt64Array.from(values, BigInt) });
    this.initializers.push({ name, dtype: 'i64', shape: [values.length], data: { raw } });
    return name;
  }

  shape(shape: Shape): string {
    if (shape.every((n) => typeof n === 'number')) return this.integers(shape);
    return this.emit(
      'Concat',
      shape.map((n) => this.length(n)),
      { axis: 0 },
    );
  }

  private length(n: Dim): string {
    if (typeof n === 'number') return this.integers([n]);
    const carrier = this.carriers.get(n);
    if (carrier) return this.emit('Shape', [carrier.input], { start: carrier.axis, end: carrier.axis + 1 });
    const factors = factorsOf(n);
    if (factors.length === 1) throw new Error(`no input of the graph carries the length ${n}`);
    return factors.map((factor) => this.length(factor)).reduce((a, b) => this.emit('Mul', [a, b]));
  }

  bound(node: Node<'input' | 'param' | 'constant'>): string {
    if (node.op === 'input') return (node as Node<'input'>).attributes.name;
    if (node.op === 'constant')
      return this.initializer(`%c${this.count++}`, (node as Node<'constant'>).attributes.value);
    const param = node as Node<'param'>;
    const weight = weightOf(param, this.weights);
    if (weight.dtype !== 'f32') this.narrow.add(node);
    return this.initializer(param.attributes.name, weight);
  }

  private initializer(name: string, t: Tensor | StoredTensor): string {
    this.initializers.push({ name, dtype: t.dtype, shape: t.shape, data: this.place(t) });
    return name;
  }

  private place(t: Tensor | StoredTensor): OnnxData {
    if (!isStored(t)) return { raw: rawBytes(t) };
    const location = relative(this.folder!, t.file).split(sep).join('/');
    return { location, offset: t.offset, bytes: t.bytes };
  }
}

/**
 * Writes the graph. Throws where a weight is missing or has another shape. Files must be named by absolute
 * real paths.
 */
export function writeOnnx(graph: Graph, weights: OnnxWeights): OnnxFile {
  verify(graph);
  const stored = nodesOf(graph, 'param').flatMap((node) => {
    const weight = weightOf(node, weights);
    return isStored(weight) && sizeOf(weight.shape) > 0 ? [weight.file] : [];
  });
  const folder = commonFolder([...new Set(stored)]);
  const writer = new Writer(graph, weights, folder);
  writer.write();
  const bytes = encodeModel({
    nodes: writer.nodes,
    initializers: writer.initializers,
    inputs: uniqueInputs(graph).map(({ attributes }) => attributes),
    outputs: Object.entries(graph.outputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  });
  return { bytes, folder };
}

function uniqueInputs(graph: Graph): Node<'input'>[] {
  return [...new Map(nodesOf(graph, 'input').map((node) => [node.attributes.name, node])).values()];
}
