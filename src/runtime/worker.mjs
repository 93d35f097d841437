/**
 * ONNX Runtime in a thread of its own, because loading and running block the thread they are called on. Plain JavaScript, so
 * that it runs alike from source and from the build. Knows tasks only: load, run, release.
 */
import ort from 'onnxruntime-node';

/**
 * @typedef {{ type: string, dims: readonly number[], data: ArrayBufferView }} Value
 * @typedef {import('onnxruntime-node').InferenceSession} InferenceSession
 * @typedef {{ session: InferenceSession, kept: Record<string, import('onnxruntime-node').Tensor>, inputOf: Record<string, string> }} Loaded
 * @typedef {{ kind: 'load', id: number, bytes: Uint8Array, folder?: string, options: object, kept: Record<string, { value: Value, output: string }> }} Load
 * @typedef {{ kind: 'run', id: number, feeds: Record<string, Value> }} Run
 * @typedef {Load | Run | { kind: 'state' | 'release', id: number } | { kind: 'releaseAll' }} Task
 */

/** @type {Map<number, Loaded>} */
const sessions = new Map();

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

/** @param {Load} task */
async function load({ id, bytes, folder, options, kept }) {
  const place = folder ? { model_external_initializers_file_folder_path: folder } : {};
  const session = await ort.InferenceSession.create(bytes, {
    ...options,
    extra: { session: { ...lean, ...place } },
  });
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

/** @param {number} id */
async function release(id) {
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
    case 'state':
      return mapValues(loaded(task.id).kept, fromOrt);
    case 'release':
      return release(task.id);
    case 'releaseAll':
      for (const id of [...sessions.keys()]) await release(id);
  }
}
