/**
 * ONNX Runtime in a thread of its own, because loading and running block the thread they are called on.
 * Plain JavaScript, so that it runs alike from source and from the build. Knows tasks only: load, run,
 * release.
 */
import ort from 'onnxruntime-node';

/**
 * @typedef {{ type: string, dims: readonly number[], data: ArrayBufferView }} Value
 * @typedef {import('onnxruntime-node').InferenceSession} InferenceSession
 * @typedef {{ session: InferenceSession, kept: Record<string, import('onnxruntime-node').Tensor>, inputOf:
 *   Record<string, string> }} Loaded
 * @typedef {{ kind: 'load', id: number, bytes: Uint8Array, folder?: string, options: object, kept:
 *   Record<string, { value: Value, output: string }> }} Load
 * @typedef {{ kind: 'run', id: number, feeds: Record<string, Value> }} Run
 * @typedef {{ input: string, output: string, row: readonly [number, number, number] }} CacheBuffer
 * @typedef {{ buffer: CacheBuffer, data: Float32Array }} Cache
 * @typedef {{ kind: 'loadCached', id: number, bytes: Uint8Array, folder?: string, options: object, buffers:
 *   readonly CacheBuffer[], rows: number, laidOut: boolean }} LoadCached
 * @typedef {{ kind: 'runCached', id: number, feeds: Record<string, Value>, first: number, count: number,
 *   starts: readonly number[], wanted: readonly string[] }} RunCached
 * @typedef {{ kind: 'copyRow', id: number, from: number, to: readonly number[], places: number }} CopyRow
 * @typedef {{ kind: 'writeRow', id: number, row: number, fresh: Record<string, Float32Array> }} WriteRow
 * @typedef {Load | Run | LoadCached | RunCached | CopyRow | WriteRow | { kind: 'state' | 'release', id: number } | {
 *   kind: 'releaseAll' }} Task
 */

/** @type {Map<number, Loaded>} */
const sessions = new Map();

/** @type {Map<number, Cache[]>} */
const caches = new Map();

/** @type {Map<number, Map<string, SharedArrayBuffer>>} */
const sharedOutputs = new Map();

/** @param {number} id */
function loaded(id) {
  const found = sessions.get(id);
  if (!found) throw new Error(`session ${id} is not loaded`);
  return found;
}

/**
 * @template A, B
 * @param {Readonly<Record<string, A>>} record
 * @param {(a: A) => B} f
 * @returns {Record<string, B>}
 */
function mapValues(record, f) {
  return Object.fromEntries(Object.entries(record).map(([name, a]) => [name, f(a)]));
}

/**
 * @param {Value} value
 * @returns {import('onnxruntime-node').Tensor}
 */
const toOrt = ({ type, dims, data }) => Reflect.construct(ort.Tensor, [type, data, dims]);

/** @param {import('onnxruntime-node').Tensor} tensor */
const fromOrt = ({ type, dims, data }) => ({ type, dims, data });

// Copies of the weights laid out for matrix products would double the memory for some percent of speed.
const lean = { disable_prepacking: '1' };

/**
 * @param {Uint8Array} bytes
 * @param {string | undefined} folder
 * @param {object} options
 * @param {object} layout
 */
function create(bytes, folder, options, layout) {
  const place = folder ? { model_external_initializers_file_folder_path: folder } : {};
  return ort.InferenceSession.create(bytes, { ...options, extra: { session: { ...layout, ...place } } });
}

/** @param {Load} task */
async function load({ id, bytes, folder, options, kept }) {
  const session = await create(bytes, folder, options, lean);
  const inputOf = Object.fromEntries(Object.entries(kept).map(([input, { output }]) => [output, input]));
  sessions.set(id, { session, kept: mapValues(kept, ({ value }) => toOrt(value)), inputOf });
}

/** @param {Run} task */
async function run({ id, feeds }) {
  const { session, kept, inputOf } = loaded(id);
  const results = await session.run({ ...mapValues(feeds, toOrt), ...kept });
  const returned = Object.entries(results).filter(([name, tensor]) => {
    const input = inputOf[name];
    if (input) kept[input] = tensor;
    return !input;
  });
  return mapValues(Object.fromEntries(returned), fromOrt);
}

/** @param {LoadCached} task */
async function loadCached({ id, bytes, folder, options, buffers, rows, laidOut }) {
  // Generation runs the same products again and again on few rows: there laid-out copies pay.
  const session = await create(bytes, folder, options, laidOut ? {} : lean);
  const allocate = (/** @type {CacheBuffer} */ buffer) => ({
    buffer,
    data: new Float32Array(buffer.row.reduce((n, length) => n * length, rows)),
  });
  sessions.set(id, { session, kept: {}, inputOf: {} });
  caches.set(id, buffers.map(allocate));
  sharedOutputs.set(id, new Map());
}

/**
 * Writes the new tokens' rows [count·new, heads·width] into their places.
 * @param {Cache} cache
 * @param {Float32Array} fresh
 * @param {Pick<RunCached, 'first' | 'count' | 'starts'>} window
 */
function writeRows({ buffer, data }, fresh, { first, count, starts }) {
  const [heads, places, width] = buffer.row;
  const added = fresh.length / (count * heads * width);
  let from = 0;
  for (let row = 0; row < count; row++) {
    const start = starts[row] ?? 0;
    if (start < 0 || start + added > places) throw new RangeError(`place ${start + added - 1} of ${places}`);
    for (let place = start; place < start + added; place++)
      for (let head = 0; head < heads; head++) {
        const to = (((first + row) * heads + head) * places + place) * width;
        data.set(fresh.subarray(from, from + width), to);
        from += width;
      }
  }
}

/**
 * The values in memory that both threads have, the same at every run. Probabilities of a batch are as long
 * as the vocabulary times its rows: handed over anew at every step they would have the other thread collect
 * its garbage all the time.
 * @param {number} id
 * @param {string} name
 * @param {import('onnxruntime-node').Tensor} tensor
 * @returns {Value}
 */
function shared(id, name, { type, dims, data }) {
  if (!(data instanceof Float32Array)) throw new TypeError(`output ${name}: expected float32, found ${type}`);
  const own = sharedOutputs.get(id);
  const before = own?.get(name);
  const memory =
    before && before.byteLength >= data.byteLength ? before : new SharedArrayBuffer(data.byteLength);
  own?.set(name, memory);
  const view = new Float32Array(memory, 0, data.length);
  view.set(data);
  return { type, dims, data: view };
}

/** @param {RunCached} task */
async function runCached(task) {
  const { id, feeds, first, count, wanted } = task;
  const { session } = loaded(id);
  const own = caches.get(id) ?? [];
  /** @type {Record<string, import('onnxruntime-node').Tensor>} */
  const past = {};
  // onnxruntime-node copies every output, also one that is written in place: the caches are inputs, and
  // only new rows come out
  for (const { buffer, data } of own) {
    const size = buffer.row.reduce((n, length) => n * length, 1);
    const rows = data.subarray(first * size, (first + count) * size);
    past[buffer.input] = new ort.Tensor('float32', rows, [count, ...buffer.row]);
  }
  const fetches = [...own.map(({ buffer }) => buffer.output), ...wanted];
  const results = await session.run({ ...mapValues(feeds, toOrt), ...past }, fetches);
  for (const cache of own)
    writeRows(cache, /** @type {Float32Array} */ (results[cache.buffer.output]?.data), task);
  return Object.fromEntries(
    wanted.map((name) => [
      name,
      shared(id, name, /** @type {import('onnxruntime-node').Tensor} */ (results[name])),
    ]),
  );
}

/** @param {CopyRow} task */
function copyRow({ id, from, to, places }) {
  for (const { buffer, data } of caches.get(id) ?? []) {
    const [heads, capacity, width] = buffer.row;
    const row = heads * capacity * width;
    for (let head = 0; head < heads; head++) {
      const start = from * row + head * capacity * width;
      for (const target of to)
        data.copyWithin(target * row + head * capacity * width, start, start + places * width);
    }
  }
}

/** @param {WriteRow} task */
function writeRow({ id, row, fresh }) {
  for (const cache of caches.get(id) ?? []) {
    const values = fresh[cache.buffer.output];
    if (!values) throw new Error(`rows ${cache.buffer.output} are missing`);
    writeRows(cache, values, { first: row, count: 1, starts: [0] });
  }
}

/** @param {number} id */
async function release(id) {
  caches.delete(id);
  sharedOutputs.delete(id);
  await loaded(id).session.release();
  sessions.delete(id);
}

/** @param {Task} task */
export default async function perform(task) {
  switch (task.kind) {
    case 'load':
      return load(task);
    case 'run':
      return run(task);
    case 'loadCached':
      return loadCached(task);
    case 'runCached':
      return runCached(task);
    case 'copyRow':
      return copyRow(task);
    case 'writeRow':
      return writeRow(task);
    case 'state':
      return mapValues(loaded(task.id).kept, fromOrt);
    case 'release':
      return release(task.id);
    case 'releaseAll':
      for (const id of [...sessions.keys()]) await release(id);
  }
}
