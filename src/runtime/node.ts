/** Runs graphs with onnxruntime-node in a worker thread, so that the calling thread stays free. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { InputError } from '../errors.ts';
import { type Graph, nodesOf } from '../graph/node.ts';
import { type DType, type Tensor, tensor } from '../tensor.ts';
import { type OnnxWeights, writeOnnx } from './onnx.ts';
import {
  type CacheBuffer,
  type CachedSession,
  checkWindow,
  type Feeds,
  type Kept,
  type MemoryLimit,
  type Runtime,
  type StatefulSession,
} from './runtime.ts';
import { weightBytes } from './weightBytes.ts';

export interface NodeRuntimeOptions {
  /**
   * Threads of one matrix product. Default: `CULPRIT_THREADS`; where that is not set ONNX Runtime's choice,
   * the number of physical cores.
   */
  readonly threads?: number | undefined;
  /** default: none */
  readonly limit?: MemoryLimit | undefined;
}

interface Value {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Tensor['data'];
}

const typeNames = {
  f32: 'float32',
  f64: 'float64',
  i64: 'int64',
  i32: 'int32',
  u8: 'uint8',
  bool: 'bool',
} as const satisfies { [D in DType]?: string };
type Passed = keyof typeof typeNames;
const dtypes = Object.fromEntries(Object.entries(typeNames).map(([dtype, name]) => [name, dtype])) as Record<
  string,
  Passed
>;

function toValue(name: string, { dtype, shape, data }: Tensor): Value {
  if (!(dtype in typeNames)) throw new TypeError(`feed ${name}: ${dtype} tensors cannot be fed`);
  return { type: typeNames[dtype as Passed], dims: shape, data };
}

function fromValue({ type, dims, data }: Value): Tensor {
  return tensor(dtypes[type]!, dims, data as never);
}

const mapValues = <A, B>(
  record: Readonly<Record<string, A>>,
  f: (a: A, name: string) => B,
): Record<string, B> => Object.fromEntries(Object.entries(record).map(([name, a]) => [name, f(a, name)]));

/** The feeds that a graph takes; throws where one is missing. */
function used(feeds: Feeds, inputs: ReadonlySet<string>): Feeds {
  return Object.fromEntries(
    [...inputs].map((name) => {
      const fed = feeds[name];
      if (!fed) throw new Error(`feed ${name} is missing`);
      return [name, fed];
    }),
  );
}

/** The threads that `CULPRIT_THREADS` asks for; undefined where it is not set. */
export function threadsAsked(
  env: Readonly<Record<string, string | undefined>> = process.env,
): number | undefined {
  const asked = env.CULPRIT_THREADS;
  if (!asked) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(asked))
    throw new InputError(
      `CULPRIT_THREADS: expected a whole number from 1 to 9999, found ${JSON.stringify(asked)}`,
    );
  return Number(asked);
}

/** The threads of a product here: those asked for, else as many as this process may use. */
export const threadsHere = (): number => threadsAsked() ?? availableParallelism();

/** For a session that gives its memory back after each run. */
const withoutArena = { enableCpuMemArena: false, enableMemPattern: false };
/** For weights that are not to be held as float32: what a session would fold, it would hold. */
const withoutFolding = { graphOptimizationLevel: 'disabled' };

/**
 * A runtime with one worker thread; its sessions run one after another, each on all its threads. Throws
 * InputError where `CULPRIT_THREADS` is no number of threads.
 */
export function nodeRuntime({ threads = threadsAsked(), limit }: NodeRuntimeOptions = {}): Runtime {
  const worker = new Piscina({
    filename: new URL('./worker.mjs', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: 'disabled',
  });
  let sessions = 0;
  const options = {
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    logSeverityLevel: 3,
  };
  /** Whether weights stay in their files, each to become float32 as it is used. */
  const isMapped = (graph: Graph, weights: OnnxWeights) =>
    limit !== undefined && weightBytes({ graph, weights }).loaded > limit.weights;
  async function loadStateful(
    graph: Graph,
    weights: OnnxWeights,
    kept: Readonly<Record<string, Kept>>,
    lean = false,
  ): Promise<StatefulSession> {
    const id = sessions++;
    const inputs = nodesOf(graph, 'input').map(({ attributes }) => attributes.name);
    const fed = new Set(inputs.filter((name) => !(name in kept)));
    const values = mapValues(kept, ({ initial, output }, name) => ({
      value: toValue(name, initial),
      output,
    }));
    const own = { ...options, ...(lean ? withoutArena : isMapped(graph, weights) && withoutFolding) };
    await worker.run({ kind: 'load', id, options: own, kept: values, ...writeOnnx(graph, weights) });
    return {
      async run(feeds: Feeds) {
        const passed = mapValues(used(feeds, fed), (t, name) => toValue(name, t));
        const results: Record<string, Value> = await worker.run({ kind: 'run', id, feeds: passed });
        return mapValues(results, fromValue);
      },
      async state() {
        const results: Record<string, Value> = await worker.run({ kind: 'state', id });
        return mapValues(results, fromValue);
      },
      async release() {
        await worker.run({ kind: 'release', id });
      },
    };
  }
  async function loadCached(
    graph: Graph,
    weights: OnnxWeights,
    buffers: readonly CacheBuffer[],
    rows: number,
  ): Promise<CachedSession> {
    const id = sessions++;
    const cached = new Set(buffers.map(({ input }) => input));
    const inputs = nodesOf(graph, 'input').map(({ attributes }) => attributes.name);
    const fed = new Set(inputs.filter((name) => !cached.has(name)));
    const mapped = isMapped(graph, weights);
    const own = { ...options, ...(mapped && withoutFolding) };
    const model = writeOnnx(graph, weights);
    await worker.run({ kind: 'loadCached', id, options: own, buffers, rows, laidOut: !mapped, ...model });
    let watch = mapped ? limit?.watch : undefined;
    return {
      async run(feeds, { first, count, starts }, wanted) {
        checkWindow({ first, count, starts }, rows);
        const passed = mapValues(used(feeds, fed), (t, name) => toValue(name, t));
        const begun = watch?.now() ?? 0;
        const results: Record<string, Value> = await worker.run({
          kind: 'runCached',
          id,
          feeds: passed,
          first,
          count,
          starts,
          wanted,
        });
        watch?.onMapped({
          bytes: weightBytes({ graph, weights }).stored,
          milliseconds: watch.now() - begun,
        });
        watch = undefined;
        return mapValues(results, fromValue);
      },
      async copyRow(from, to, places) {
        await worker.run({ kind: 'copyRow', id, from, to, places });
      },
      async writeRow(row, fresh) {
        checkWindow({ first: row, count: 1, starts: [0] }, rows);
        await worker.run({ kind: 'writeRow', id, row, fresh: mapValues(fresh, ({ data }) => data) });
      },
      async release() {
        await worker.run({ kind: 'release', id });
      },
    };
  }
  return {
    limit,
    loadCached,
    load: (graph, weights, { lean = false } = {}) => loadStateful(graph, weights, {}, lean),
    loadStateful,
    async close() {
      // a thread's end does not free what ONNX Runtime holds
      await worker.run({ kind: 'releaseAll' });
      await worker.destroy();
    },
  };
}
