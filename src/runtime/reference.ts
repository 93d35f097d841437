/**
 * The slow, plain runtime: each op as its definition, in float64 on the calling thread. The oracle that the
 * fast runtimes and the gradients are tested against; results are rounded to float32 only at the end.
 */
import {
  applyRule,
  type Dim,
  factorsOf,
  type Graph,
  type Node,
  type OpTable,
  type Shape,
  topological,
} from '../graph/node.ts';
import { type StoredTensor, sizeOf, type Tensor, tensor, toFloat32 } from '../tensor.ts';
import type { OnnxWeights } from './onnx.ts';
import {
  type CacheBuffer,
  type CachedSession,
  checkWindow,
  type Feeds,
  type Kept,
  type RowWindow,
  type Runtime,
  type StatefulSession,
} from './runtime.ts';

/** Elements as float64, whatever the node's type (indices are exact to 2^53, truth values 0 or 1). */
export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

interface Context {
  readonly feeds: Readonly<Record<string, Value>>;
  readonly weights: OnnxWeights;
  /** What each named length is in this run. */
  readonly lengths: Map<string, number>;
}

function resolve(shape: Shape, { lengths }: Context): number[] {
  const lengthOf = (n: Dim): number => {
    const length = typeof n === 'number' ? n : lengths.get(n);
    if (length !== undefined) return length;
    const factors = factorsOf(n);
    if (factors.length === 1) throw new Error(`no input gives the length ${n}`);
    return factors.reduce<number>((product, factor) => product * lengthOf(factor), 1);
  };
  return shape.map(lengthOf);
}

function strides(shape: readonly number[]): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

/** A new value whose element at each index is f(index). */
function generate(shape: readonly number[], f: (index: readonly number[]) => number): Value {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = f(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

/** The element at an index of a wider shape, axes of length 1 repeated. */
function reader({ shape, data }: Value): (index: readonly number[]) => number {
  const steps = strides(shape);
  return (index) => {
    const lead = index.length - shape.length;
    let at = 0;
    for (let i = 0; i < shape.length; i++) if (shape[i] !== 1) at += index[i + lead]! * steps[i]!;
    return data[at]!;
  };
}

function broadcastTo(...values: Value[]): number[] {
  const rank = Math.max(...values.map((v) => v.shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const lengths = values.map((v) => v.shape[i - rank + v.shape.length] ?? 1);
    const length = lengths.find((n) => n !== 1) ?? 1;
    if (lengths.some((n) => n !== 1 && n !== length))
      throw new Error(`lengths do not broadcast: ${values.map((v) => `[${v.shape}]`).join(' ')}`);
    return length;
  });
}

type Rule = (node: Node, inputs: readonly Value[]) => Value;

const elementwise =
  (f: (...x: number[]) => number): Rule =>
  (_, inputs) => {
    const read = inputs.map(reader);
    return generate(broadcastTo(...inputs), (index) => f(...read.map((r) => r(index))));
  };

/** Each row of the last axis to a row of its own. */
function rows(x: Value, width: number, f: (row: Float64Array) => ArrayLike<number>): Value {
  const n = x.shape.at(-1)!;
  const count = n === 0 ? 0 : x.data.length / n;
  const data = new Float64Array(count * width);
  for (let i = 0; i < count; i++)
    data.set(Float64Array.from(f(x.data.subarray(i * n, (i + 1) * n))), i * width);
  return { shape: [...x.shape.slice(0, -1), width], data };
}

const total = (row: Float64Array) => row.reduce((sum, x) => sum + x, 0);
const greatest = (row: Float64Array) => row.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);

function softmaxRow(row: Float64Array): Float64Array {
  const top = greatest(row);
  const e = row.map((x) => Math.exp(x - top));
  const s = total(e);
  return e.map((x) => x / s);
}

function matmul(node: Node<'matmul'>, [a, b, c]: readonly Value[]): Value {
  const { transA, transB, alpha } = node.attributes;
  const [m, inner] = transA ? [a!.shape.at(-1)!, a!.shape.at(-2)!] : [a!.shape.at(-2)!, a!.shape.at(-1)!];
  const n = transB ? b!.shape.at(-2)! : b!.shape.at(-1)!;
  const lead = broadcastTo({ ...a!, shape: a!.shape.slice(0, -2) }, { ...b!, shape: b!.shape.slice(0, -2) });
  const [readA, readB, readC] = [reader(a!), reader(b!), c && reader(c)];
  return generate([...lead, m, n], (index) => {
    const [i, j] = [index.at(-2)!, index.at(-1)!];
    const batch = index.slice(0, -2);
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum +=
        readA([...batch, ...(transA ? [k, i] : [i, k])]) * readB([...batch, ...(transB ? [j, k] : [k, j])]);
    return alpha * sum + (readC?.(index) ?? 0);
  });
}

function rope(node: Node<'rope'>, [x, cosine, sine]: readonly Value[]): Value {
  const { heads, inverse } = node.attributes;
  const half = cosine!.shape[1]!;
  const width = x!.shape[1]! / heads;
  const read = reader(x!);
  const sign = inverse ? -1 : 1;
  return generate(x!.shape, ([t, column]) => {
    const i = column! % width;
    const here = read([t!, column!]);
    if (i >= 2 * half) return here;
    const at = t! * half + (i % half);
    const [c, s] = [cosine!.data[at]!, sign * sine!.data[at]!];
    return i < half ? here * c - read([t!, column! + half]) * s : here * c + read([t!, column! - half]) * s;
  });
}

function sumOver(node: Node<'sum'>, [x]: readonly Value[]): Value {
  const { axes } = node.attributes;
  const shape = x!.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const out = { shape, data: new Float64Array(sizeOf(shape)) };
  const steps = strides(shape);
  let at = 0;
  generate(x!.shape, (index) => {
    const to = index.reduce((sum, i, axis) => sum + (axes.includes(axis) ? 0 : i * steps[axis]!), 0);
    out.data[to]! += x!.data[at++]!;
    return 0;
  });
  return out;
}

/**
 * Moves along one axis: the element at `index` of the result is the input's at `index + shift`, or 0
 * outside it.
 */
function shifted(x: Value, axis: number, length: number, shift: number): Value {
  const read = reader(x);
  const shape = x.shape.map((n, i) => (i === axis ? length : n));
  return generate(shape, (index) => {
    const from = index[axis]! + shift;
    return from < 0 || from >= x.shape[axis]! ? 0 : read(index.with(axis, from));
  });
}

function concat(node: Node<'concat'>, inputs: readonly Value[]): Value {
  const { axis } = node.attributes;
  const length = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
  let start = 0;
  return inputs
    .map((x) => {
      const placed = shifted(x, axis, length, -start);
      start += x.shape[axis]!;
      return placed;
    })
    .reduce((sum, x) => ({ shape: x.shape, data: sum.data.map((v, i) => v + x.data[i]!) }));
}

function gather([table, ids]: readonly Value[]): Value {
  const [count, ...rest] = table!.shape;
  const width = sizeOf(rest);
  const out = new Float64Array(ids!.data.length * width);
  ids!.data.forEach((id, i) => {
    if (id < 0 || id >= count!) throw new RangeError(`gather: index ${id} of ${count} rows`);
    out.set(table!.data.subarray(id * width, (id + 1) * width), i * width);
  });
  return { shape: [ids!.data.length, ...rest], data: out };
}

function scatterAdd(count: number, [updates, ids]: readonly Value[]): Value {
  const rest = updates!.shape.slice(1);
  const width = sizeOf(rest);
  const out = new Float64Array(count * width);
  ids!.data.forEach((id, i) => {
    for (let j = 0; j < width; j++) out[id * width + j]! += updates!.data[i * width + j]!;
  });
  return { shape: [count, ...rest], data: out };
}

/** Places of the k greatest of a row, greatest first, of equal ones the lower. */
function topOf(row: Float64Array, k: number): number[] {
  return [...row.keys()].sort((i, j) => row[j]! - row[i]! || i - j).slice(0, k);
}

/** f(row of a, place, k-th element of the row of places) over all places. */
function eachPlace(places: Value, f: (row: number, place: number, at: number) => void): void {
  const k = places.shape.at(-1)!;
  places.data.forEach((place, at) => {
    f(Math.floor(at / k), place, at);
  });
}

function take([x, places]: readonly Value[]): Value {
  const n = x!.shape.at(-1)!;
  const data = new Float64Array(places!.data.length);
  eachPlace(places!, (row, place, at) => {
    data[at] = x!.data[row * n + place]!;
  });
  return { shape: places!.shape, data };
}

function put(length: number, [values, places]: readonly Value[]): Value {
  const shape = [...places!.shape.slice(0, -1), length];
  const data = new Float64Array(sizeOf(shape));
  eachPlace(places!, (row, place, at) => {
    data[row * length + place]! += values!.data[at]!;
  });
  return { shape, data };
}

/**
 * Abramowitz and Stegun 7.1.5 and 7.1.14: the series where it converges fast, the continued fraction
 * beyond.
 */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size > 2.5) {
    let tail = 0;
    for (let k = 60; k >= 1; k--) tail = k / 2 / (size + tail);
    return Math.sign(x) * (1 - Math.exp(-size * size) / (Math.sqrt(Math.PI) * (size + tail)));
  }
  let term = x;
  let sum = x;
  for (let k = 1; k < 80; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const rules: OpTable<[inputs: readonly Value[], context: Context], Value> = {
  input: ({ attributes }, _, { feeds }) => feeds[attributes.name]!,
  param: ({ attributes }, _, { weights }) => asValue(inMemory(attributes.name, weights)),
  constant: ({ attributes }) => asValue(attributes.value),
  add: elementwise((a, b) => a! + b!),
  sub: elementwise((a, b) => a! - b!),
  mul: elementwise((a, b) => a! * b!),
  div: elementwise((a, b) => a! / b!),
  neg: elementwise((a) => -a!),
  exp: elementwise((a) => Math.exp(a!)),
  log: elementwise((a) => Math.log(a!)),
  sqrt: elementwise((a) => Math.sqrt(a!)),
  tanh: elementwise((a) => Math.tanh(a!)),
  erf: elementwise((a) => erf(a!)),
  sigmoid: elementwise((a) => sigmoid(a!)),
  silu: elementwise((a) => a! * sigmoid(a!)),
  cos: elementwise((a) => Math.cos(a!)),
  sin: elementwise((a) => Math.sin(a!)),
  greaterOrEqual: elementwise((a, b) => Number(a! >= b!)),
  where: elementwise((condition, a, b) => (condition ? a! : b!)),
  matmul,
  sum: sumOver,
  max: (_, [x]) => rows(x!, 1, (row) => [greatest(row)]),
  softmax: (_, [x]) => rows(x!, x!.shape.at(-1)!, softmaxRow),
  logSumExp: (_, [x]) =>
    rows(x!, 1, (row) => {
      const top = greatest(row);
      return [top + Math.log(total(row.map((v) => Math.exp(v - top))))];
    }),
  rmsNorm: ({ attributes: { epsilon } }, [x, weight]) =>
    rows(x!, x!.shape.at(-1)!, (row) => {
      const r = 1 / Math.sqrt(total(row.map((v) => v * v)) / row.length + epsilon);
      return row.map((v, i) => v * r * weight!.data[i]!);
    }),
  rope,
  reshape: ({ attributes }, [x], context) => ({ shape: resolve(attributes.shape, context), data: x!.data }),
  transpose: ({ attributes: { permutation } }, [x]) => {
    const read = reader(x!);
    return generate(
      permutation.map((axis) => x!.shape[axis]!),
      (index) => read(permutation.map((_, axis) => index[permutation.indexOf(axis)]!)),
    );
  },
  slice: ({ attributes: { axis, start, end } }, [x]) => shifted(x!, axis, end - start, start),
  pad: ({ attributes: { axis, before, after } }, [x]) =>
    shifted(x!, axis, x!.shape[axis]! + before + after, -before),
  concat,
  asIndex: (_, [x]) => x!,
  gather: (_, inputs) => gather(inputs),
  scatterAdd: ({ attributes }, inputs, context) =>
    scatterAdd(resolve([attributes.rows], context)[0]!, inputs),
  topIndices: ({ attributes: { k } }, [x]) => rows(x!, k, (row) => topOf(row, k)),
  take: (_, inputs) => take(inputs),
  put: ({ attributes }, inputs, context) => put(resolve([attributes.length], context)[0]!, inputs),
  detach: (_, [x]) => x!,
  broadcastLike: (_, [x, like]) => {
    const read = reader(x!);
    return generate(like!.shape, read);
  },
};

function inMemory(name: string, weights: OnnxWeights): Tensor {
  const found: Tensor | StoredTensor | undefined = weights.get(name);
  if (!found || 'file' in found) throw new Error(`weight ${name}: the reference runtime needs it in memory`);
  return found;
}

function asValue(t: Tensor): Value {
  const whole = t.dtype === 'i64' || t.dtype === 'bool' || t.dtype === 'f64';
  return {
    shape: t.shape,
    data: Float64Array.from(whole ? (t.data as ArrayLike<number>) : toFloat32(t), Number),
  };
}

function rounded(node: Node, { shape, data }: Value): Tensor {
  if (node.dtype === 'i64') return tensor('i64', shape, BigInt64Array.from(data, BigInt));
  if (node.dtype === 'bool') return tensor('bool', shape, Uint8Array.from(data));
  return tensor('f32', shape, Float32Array.from(data));
}

/** All outputs in float64, before rounding. Feeds of f64 tensors are taken as they are. */
export function evaluate(graph: Graph, weights: OnnxWeights, feeds: Feeds): Record<string, Value> {
  const context: Context = {
    feeds: Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, asValue(t)])),
    weights,
    lengths: new Map(),
  };
  const order = topological(Object.values(graph.outputs));
  for (const node of order) {
    if (node.op !== 'input') continue;
    const { name } = (node as Node<'input'>).attributes;
    const fed = context.feeds[name];
    if (fed?.shape.length !== node.shape.length)
      throw new Error(`feed ${name}: expected [${node.shape}], found [${fed?.shape}]`);
    node.shape.forEach((n, i) => {
      const before = typeof n === 'number' ? n : (context.lengths.get(n) ?? fed.shape[i]!);
      if (before !== fed.shape[i])
        throw new Error(`feed ${name}: expected [${node.shape}], found [${fed.shape}]`);
      if (typeof n === 'string') context.lengths.set(n, before);
    });
  }
  const values = new Map<Node, Value>();
  for (const node of order)
    values.set(
      node,
      applyRule(
        rules,
        node,
        node.inputs.map((i) => values.get(i)!),
        context,
      ),
    );
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, node]) => [name, values.get(node)!]));
}

/** Writes the new tokens' rows [count·new, heads·width] into their places. */
function writeRows(
  data: Float32Array,
  [heads, places, width]: CacheBuffer['row'],
  fresh: ArrayLike<number>,
  { first, count, starts }: RowWindow,
): void {
  const added = fresh.length / (count * heads * width);
  for (let at = 0; at < fresh.length; at++) {
    const [i, head] = [at % width, Math.floor(at / width) % heads];
    const token = Math.floor(at / (width * heads));
    const [row, n] = [Math.floor(token / added), token % added];
    const place = starts[row]! + n;
    if (place < 0 || place >= places) throw new RangeError(`place ${place} of ${places}`);
    data[(((first + row) * heads + head) * places + place) * width + i] = fresh[at]!;
  }
}

/**
 * A session over buffers: the rows of a window go in as inputs, and new rows of them come back from
 * outputs.
 */
function cachedSession(
  graph: Graph,
  weights: OnnxWeights,
  buffers: readonly CacheBuffer[],
  rows: number,
): CachedSession {
  const data = buffers.map(({ row }) => new Float32Array(rows * sizeOf(row)));
  return {
    async run(feeds, window, wanted) {
      checkWindow(window, rows);
      const { first, count } = window;
      const past = Object.fromEntries(
        buffers.map(({ input, row }, i) => [
          input,
          tensor(
            'f32',
            [count, ...row],
            data[i]!.subarray(first * sizeOf(row), (first + count) * sizeOf(row)),
          ),
        ]),
      );
      const values = evaluate(graph, weights, { ...feeds, ...past });
      buffers.forEach(({ output, row }, i) => {
        writeRows(data[i]!, row, values[output]!.data, window);
      });
      return Object.fromEntries(wanted.map((name) => [name, rounded(graph.outputs[name]!, values[name]!)]));
    },
    async copyRow(from, to, places) {
      buffers.forEach(({ row: [heads, capacity, width] }, i) => {
        for (const target of to)
          for (let head = 0; head < heads; head++) {
            const at = (row: number) => (row * heads + head) * capacity * width;
            data[i]!.copyWithin(at(target), at(from), at(from) + places * width);
          }
      });
    },
    async writeRow(row, fresh) {
      checkWindow({ first: row, count: 1, starts: [0] }, rows);
      buffers.forEach(({ output, row: shape }, i) => {
        writeRows(data[i]!, shape, toFloat32(fresh[output]!), { first: row, count: 1, starts: [0] });
      });
    },
    async release() {},
  };
}

/** The oracle as a runtime. Weights must be in memory. */
export function referenceRuntime(): Runtime {
  async function loadStateful(
    graph: Graph,
    weights: OnnxWeights,
    kept: Readonly<Record<string, Kept>>,
  ): Promise<StatefulSession> {
    const state = Object.fromEntries(Object.entries(kept).map(([name, { initial }]) => [name, initial]));
    const inputOf = new Map(Object.entries(kept).map(([input, { output }]) => [output, input]));
    return {
      async run(feeds) {
        const values = evaluate(graph, weights, { ...feeds, ...state });
        const results: Record<string, Tensor> = {};
        for (const [name, node] of Object.entries(graph.outputs)) {
          const input = inputOf.get(name);
          if (input) state[input] = rounded(node, values[name]!);
          else results[name] = rounded(node, values[name]!);
        }
        return results;
      },
      state: async () => ({ ...state }),
      async release() {},
    };
  }
  return {
    load: (graph, weights) => loadStateful(graph, weights, {}),
    loadStateful,
    loadCached: async (graph, weights, buffers, rows) => cachedSession(graph, weights, buffers, rows),
    async close() {},
  };
}
