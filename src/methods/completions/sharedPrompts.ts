/**
 * Prompts of a sampler that differ in what is done to the residual at its site, and not below it: there each prompt
 * is read once, and above it once for each of the others. What comes out is, bit for bit, what reading it whole
 * gives. Knows no completion.
 */
import type { Model } from '../../models/decoder.ts';
import { type DecodingOptions, decodingGraph, logitReadings } from '../../models/decoding.ts';
import type { OnnxWeights } from '../../runtime/onnx.ts';
import type { CachedSession, Feeds, Runtime } from '../../runtime/runtime.ts';
import { type Tensor, tensor, toFloat32 } from '../../tensor.ts';

export interface SharedPrompts {
  /**
   * Reads a prompt into a row of the sampler's session: what that one would be fed to read it. The outputs of one
   * row, which hold until the next call.
   */
  read(ids: readonly number[], feeds: Feeds, into: { readonly row: number }): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** What a prompt is below the site: its residual there, keys and values. */
type Below = Readonly<Record<string, Tensor>>;

/** Bytes of prompts that are kept, where the runtime's limit allows as much; once they are used up, no further one is. */
const promptBytes = 256 * 2 ** 20;

const only = { first: 0, count: 1, starts: [0] };

const copyOf = (x: Tensor): Tensor => tensor('f32', x.shape, toFloat32(x).slice());

const bytesOf = (below: Below): number =>
  Object.values(below).reduce((sum, { data }) => sum + data.byteLength, 0);

/** `session`: the sampler's own, of the whole graph of these options. Their `steerAt` must be given. */
export async function sharedPrompts(
  runtime: Runtime,
  model: Model,
  weights: OnnxWeights,
  session: CachedSession,
  options: DecodingOptions,
): Promise<SharedPrompts> {
  async function partOf(part: 'below' | 'above') {
    const { graph, caches } = decodingGraph(model, { ...options, part });
    const buffers = caches.map(({ input, output, heads, width }) => ({
      input,
      output,
      row: [heads, options.places, width] as const,
    }));
    const loaded = await runtime.loadCached(graph, weights, buffers, 1);
    return { session: loaded, outputs: caches.map(({ output }) => output) };
  }
  const below = await partOf('below');
  const above = await partOf('above').catch(async (error: unknown) => {
    await below.session.release();
    throw error;
  });
  const kept = new Map<string, Below>();
  let left = Math.min(promptBytes, runtime.limit?.values ?? promptBytes);

  async function belowOf(ids: readonly number[], feeds: Feeds): Promise<Below> {
    const key = ids.join();
    const known = kept.get(key);
    if (known) return known;
    const found = await below.session.run(feeds, only, ['resid', ...below.outputs]);
    const read = Object.fromEntries(Object.entries(found).map(([name, x]) => [name, copyOf(x)]));
    const size = bytesOf(read);
    if (size <= left) {
      left -= size;
      kept.set(key, read);
    }
    return read;
  }

  return {
    async read(ids, feeds, { row }) {
      const read = await belowOf(ids, feeds);
      const wanted = logitReadings[options.reading ?? 'tempered'];
      const found = await above.session.run({ ...feeds, resid: read.resid! }, only, [
        ...above.outputs,
        ...wanted,
      ]);
      await session.writeRow(row, { ...read, ...found });
      return found;
    },
    async release() {
      kept.clear();
      await Promise.all([below.session.release(), above.session.release()]);
    },
  };
}
