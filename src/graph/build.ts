/**
 * Functions that make nodes, one an op, with shapes checked as they are made; and a few compositions used
 * by every model.
 */
import { f32, type Tensor } from '../tensor.ts';
import type { Dim, GraphDType, Node, OpAttributes, OpName, Shape } from './node.ts';
import { infer } from './shape.ts';

/** A node of any op; throws GraphError where inputs and attributes do not fit. */
export function make<O extends OpName>(
  op: O,
  attributes: OpAttributes[O],
  inputs: readonly Node[] = [],
): Node<O> {
  const draft: Node<O> = { op, attributes, inputs, shape: [], dtype: 'f32' };
  const { shape, dtype } = infer(draft);
  return { ...draft, shape, dtype };
}

export const input = (name: string, shape: Shape, dtype: GraphDType = 'f32') =>
  make('input', { name, shape, dtype });
export const param = (name: string, shape: readonly number[]) => make('param', { name, shape });
export const constant = (value: Tensor) => make('constant', { value });
export const scalar = (value: number) => constant(f32([], [value]));

export const add = (a: Node, b: Node) => make('add', {}, [a, b]);
export const sub = (a: Node, b: Node) => make('sub', {}, [a, b]);
export const mul = (a: Node, b: Node) => make('mul', {}, [a, b]);
export const div = (a: Node, b: Node) => make('div', {}, [a, b]);
export const neg = (a: Node) => make('neg', {}, [a]);
export const exp = (a: Node) => make('exp', {}, [a]);
export const log = (a: Node) => make('log', {}, [a]);
export const sqrt = (a: Node) => make('sqrt', {}, [a]);
export const tanh = (a: Node) => make('tanh', {}, [a]);
export const erf = (a: Node) => make('erf', {}, [a]);
export const sigmoid = (a: Node) => make('sigmoid', {}, [a]);
export const silu = (a: Node) => make('silu', {}, [a]);
export const cos = (a: Node) => make('cos', {}, [a]);
export const sin = (a: Node) => make('sin', {}, [a]);
export const greaterOrEqual = (a: Node, b: Node) => make('greaterOrEqual', {}, [a, b]);
export const where = (condition: Node, a: Node, b: Node) => make('where', {}, [condition, a, b]);

export interface MatmulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}
export const matmul = (a: Node, b: Node, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}) =>
  make('matmul', { transA, transB, alpha }, [a, b]);

export const sum = (a: Node, axes: readonly number[]) => make('sum', { axes }, [a]);
export const max = (a: Node) => make('max', {}, [a]);
export const softmax = (a: Node) => make('softmax', {}, [a]);
export const logSumExp = (a: Node) => make('logSumExp', {}, [a]);
export const rmsNorm = (a: Node, weight: Node, epsilon: number) => make('rmsNorm', { epsilon }, [a, weight]);
export const rope = (a: Node, cosine: Node, sine: Node, heads: number, inverse = false) =>
  make('rope', { heads, inverse }, [a, cosine, sine]);

export const reshape = (a: Node, shape: Shape) => make('reshape', { shape }, [a]);
export const transpose = (a: Node, permutation: readonly number[]) => make('transpose', { permutation }, [a]);
export const slice = (a: Node, axis: number, start: number, end: number) =>
  make('slice', { axis, start, end }, [a]);
export const pad = (a: Node, axis: number, before: number, after: number) =>
  make('pad', { axis, before, after }, [a]);
export const concat = (parts: readonly Node[], axis: number) => make('concat', { axis }, parts);
export const asIndex = (a: Node) => make('asIndex', {}, [a]);
export const gather = (table: Node, ids: Node) => make('gather', {}, [table, ids]);
export const scatterAdd = (a: Node, ids: Node, rows: Dim) => make('scatterAdd', { rows }, [a, ids]);
export const topIndices = (a: Node, k: number) => make('topIndices', { k }, [a]);
export const take = (a: Node, places: Node) => make('take', {}, [a, places]);
export const put = (a: Node, places: Node, length: Dim) => make('put', { length }, [a, places]);
export const broadcastLike = (a: Node, like: Node) => make('broadcastLike', {}, [a, like]);

export const detach = (a: Node) => make('detach', {}, [a]);

/** Sum over the last axis, which stays as length 1. */
export const sumLast = (a: Node) => sum(a, [a.shape.length - 1]);

/** a · factor for a plain number; a itself for 1. */
export const scale = (a: Node, factor: number) => (factor === 1 ? a : mul(a, scalar(factor)));

/** Length of an axis that must be known when the graph is built. */
export function known(a: Node, axis: number): number {
  const length = a.shape.at(axis);
  if (typeof length !== 'number') throw new TypeError(`axis ${axis} of ${a.op} has no known length`);
  return length;
}
