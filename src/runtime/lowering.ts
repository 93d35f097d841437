/** How each op is written in ONNX: one line an op where ONNX has it, a few where it does not. */
import type { Dim, Node, OpTable, Shape } from '../graph/node.ts';
import type { Attribute } from './onnxProto.ts';

/** What a rule may do: write a node and get its output's name, or name an integer vector or a shape. */
export interface Emitter {
  emit(
    opType: string,
    inputs: readonly string[],
    attributes?: Record<string, Attribute>,
    domain?: string,
  ): string;
  /** The same for an op whose second result is wanted. */
  emitSecond(opType: string, inputs: readonly string[], attributes?: Record<string, Attribute>): string;
  integers(values: readonly number[]): string;
  /** A shape as an int64 vector; named lengths are read from the inputs that carry them. */
  shape(shape: Shape): string;
  /** The name under which a node's result is already known; inputs and weights only. */
  bound(node: Node<'input' | 'param' | 'constant'>): string;
}

type Rule = (node: Node, e: Emitter, inputs: readonly string[]) => string;

const microsoft = 'com.microsoft';
const op =
  (opType: string): Rule =>
  (_, e, inputs) =>
    e.emit(opType, inputs);

function matmul(node: Node<'matmul'>, e: Emitter, inputs: readonly string[]): string {
  const { alpha } = node.attributes;
  const transA = Number(node.attributes.transA);
  const transB = Number(node.attributes.transB);
  if (node.shape.length === 2 && node.inputs.every((i) => i.shape.length <= 2))
    return e.emit('Gemm', inputs, { alpha: { float: alpha }, transA, transB });
  if (alpha === 1 && !transA && !transB) return e.emit('MatMul', inputs);
  return e.emit('FusedMatMul', inputs, { alpha: { float: alpha }, transA, transB }, microsoft);
}

/** ONNX's rotary embedding wants [batch, T, heads·h] and, for one position id, counts from it. */
function rope(node: Node<'rope'>, e: Emitter, [x, cosine, sine]: readonly string[]): string {
  const { heads, inverse } = node.attributes;
  const rotated = 2 * (node.inputs[1]!.shape[1] as number);
  const partial = rotated < (node.shape[1] as number) / heads;
  const batched = e.emit('Unsqueeze', [x!, e.integers([0])]);
  const turn = inverse ? e.emit('Neg', [sine!]) : sine!;
  const turned = e.emit(
    'RotaryEmbedding',
    [batched, e.integers([0]), cosine!, turn],
    { num_heads: heads, rotary_embedding_dim: partial ? rotated : 0 },
    microsoft,
  );
  return e.emit('Squeeze', [turned, e.integers([0])]);
}

/**
 * greatest − ln softmax(greatest): ONNX Runtime's ReduceLogSumExp adds up float32 terms one by one, and is off by
 * 5e-4 for a vocabulary of 262,144. The logarithm is that of a sum of one: the op Log takes several rows at once,
 * and rounds by how many there are.
 */
function logSumExp(_: Node, e: Emitter, [x]: readonly string[]): string {
  const ofLast = (op: 'ReduceMax' | 'ReduceLogSum', of: string) =>
    e.emit(op, [of, e.integers([-1])], { keepdims: 1 });
  const likeliest = ofLast('ReduceMax', e.emit('Softmax', [x!], onLast));
  return e.emit('Sub', [ofLast('ReduceMax', x!), ofLast('ReduceLogSum', likeliest)]);
}

const named = (n: Dim) => typeof n === 'string';

function reshape(node: Node<'reshape'>, e: Emitter, [x]: readonly string[]): string {
  const { shape } = node.attributes;
  const oneUnknown = shape.filter(named).length <= 1 && !shape.includes(0);
  const target = oneUnknown ? e.integers(shape.map((n) => (typeof n === 'number' ? n : -1))) : e.shape(shape);
  return e.emit('Reshape', [x!, target]);
}

/** [..., n] → zeros with updates added at rows `ids`. */
function scatterAdd(node: Node<'scatterAdd'>, e: Emitter, [updates, ids]: readonly string[]): string {
  const zeros = e.emit('ConstantOfShape', [e.shape(node.shape)]);
  const indices = e.emit('Unsqueeze', [ids!, e.integers([1])]);
  return e.emit('ScatterND', [zeros, indices, updates!], { reduction: 'add' });
}

const onLast = { axis: -1 };

/** [..., k] → zeros [..., length] with elements added at `places`. */
function put(node: Node<'put'>, e: Emitter, [values, places]: readonly string[]): string {
  const zeros = e.emit('ConstantOfShape', [e.shape(node.shape)]);
  return e.emit('ScatterElements', [zeros, places!, values!], { ...onLast, reduction: 'add' });
}

export const lowering: OpTable<[e: Emitter, inputs: readonly string[]], string> = {
  input: (node, e) => e.bound(node),
  param: (node, e) => e.bound(node),
  constant: (node, e) => e.bound(node),
  add: op('Add'),
  sub: op('Sub'),
  mul: op('Mul'),
  div: op('Div'),
  neg: op('Neg'),
  exp: op('Exp'),
  log: op('Log'),
  sqrt: op('Sqrt'),
  tanh: op('Tanh'),
  erf: op('Erf'),
  sigmoid: op('Sigmoid'),
  silu: (_, e, inputs) => e.emit('QuickGelu', inputs, { alpha: { float: 1 } }, microsoft),
  cos: op('Cos'),
  sin: op('Sin'),
  greaterOrEqual: op('GreaterOrEqual'),
  where: op('Where'),
  matmul,
  sum: (node, e, [x]) => e.emit('ReduceSum', [x!, e.integers(node.attributes.axes)], { keepdims: 1 }),
  max: (_, e, [x]) => e.emit('ReduceMax', [x!, e.integers([-1])], { keepdims: 1 }),
  softmax: (_, e, inputs) => e.emit('Softmax', inputs, onLast),
  logSumExp,
  rmsNorm: (node, e, inputs) =>
    e.emit('SimplifiedLayerNormalization', inputs, { axis: -1, epsilon: { float: node.attributes.epsilon } }),
  rope,
  reshape,
  transpose: (node, e, inputs) => e.emit('Transpose', inputs, { perm: node.attributes.permutation }),
  slice: (node, e, [x]) => {
    const { axis, start, end } = node.attributes;
    return e.emit('Slice', [x!, e.integers([start]), e.integers([end]), e.integers([axis])]);
  },
  pad: (node, e, [x]) => {
    const { axis, before, after } = node.attributes;
    return e.emit('Pad', [x!, e.integers([before, after]), '', e.integers([axis])]);
  },
  concat: (node, e, inputs) => e.emit('Concat', inputs, { axis: node.attributes.axis }),
  asIndex: (_, e, inputs) => e.emit('Cast', inputs, { to: 7 }),
  gather: (_, e, inputs) => e.emit('Gather', inputs, { axis: 0 }),
  scatterAdd,
  topIndices: (node, e, [x]) => e.emitSecond('TopK', [x!, e.integers([node.attributes.k])], onLast),
  take: (_, e, inputs) => e.emit('GatherElements', inputs, onLast),
  put,
  broadcastLike: (node, e, [x]) => e.emit('Expand', [x!, e.shape(node.shape)]),
  detach: (_, __, [x]) => x!,
};
