/**
 * ONNX Runtime in a thread of its own, because loading and running block the thread they are called on. Plain JavaScript, so
 * that it runs alike from source and from the build. Knows tasks only: load, run, release.
 */
import ort from 'onnxruntime-node';

/**
 * @typedef {{ type: string, dims: readonly number[], data: ArrayBufferView }} Value
 * @typedef {{ kind: 'load', id: number, bytes: Uint8Array, folder?: string, options: object }
 *   | { kind: 'run', id: number, feeds: Record<string, Value> }
 *   | { kind: 'release', id: number }} Task
 */

/** @type {Map<number, import('onnxruntime-node').InferenceSession>} */
const sessions = new Map();

/** @param {number} id */
function sessionOf(id) {
  const session = sessions.get(id);
  if (!session) throw new Error(`session ${id} is not loaded`);
  return session;
}

/** @param {Extract<Task, { kind: 'load' }>} task */
async function load({ id, bytes, folder, options }) {
  const extra = folder ? { session: { model_external_initializers_file_folder_path: folder } } : {};
  sessions.set(id, await ort.InferenceSession.create(bytes, { ...options, extra }));
}

/** @param {Extract<Task, { kind: 'run' }>} task */
async function run({ id, feeds }) {
  const values = Object.entries(feeds).map(([name, { type, dims, data }]) => [
    name,
    Reflect.construct(ort.Tensor, [type, data, dims]),
  ]);
  const results = await sessionOf(id).run(Object.fromEntries(values));
  return Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]) => [name, { type, dims, data }]),
  );
}

/** @param {Task} task */
export default async function perform(task) {
  switch (task.kind) {
    case 'load':
      return load(task);
    case 'run':
      return run(task);
    case 'release':
      await sessionOf(task.id).release();
      sessions.delete(task.id);
  }
}
