/**
 * A pass over blocks of a dictionary of which each token keeps the k greatest pre-activations: the greatest of every
 * block, of which the greatest of all are kept. Exact, ties too: of equal ones the lower latent's.
 */
import { input, matmul, take, topIndices } from '../graph/build.ts';
import { simplify } from '../graph/simplify.ts';
import type { Session } from '../runtime/runtime.ts';
import { dataOf, tensor, toFloat32 } from '../tensor.ts';
import {
  type BlockPass,
  type BlockWork,
  blockInputs,
  blockLatents,
  encoderBlock,
  slicesOf,
  type WeightedRows,
} from './blocks.ts';
import type { Collected } from './collected.ts';
import { preActivationsOf } from './graph.ts';
import { ranges, readAhead, type Span } from './readAhead.ts';

/** The greatest pre-activations of each row seen so far, greatest first, and their latents: [R, k]. */
interface Greatest {
  readonly k: number;
  readonly values: Float32Array;
  readonly latents: Int32Array;
}

/** Merges a row's `count` greatest of a later block, in order, into its greatest so far. */
function merge(
  { k, values, latents }: Greatest,
  row: number,
  block: { readonly values: Float32Array; readonly latents: readonly number[] },
): void {
  const own = values.slice(row * k, (row + 1) * k);
  const ownLatents = latents.slice(row * k, (row + 1) * k);
  let [a, b] = [0, 0];
  for (let at = row * k; at < (row + 1) * k; at++) {
    const isOwn = b >= block.values.length || own[a]! >= block.values[b]!;
    values[at] = isOwn ? own[a]! : block.values[b]!;
    latents[at] = isOwn ? ownLatents[a++]! : block.latents[b++]!;
  }
}

/** Sessions of the `k` greatest of a block, one for each k: a last block may have fewer latents. */
function greatestSessions({ runtime, sae, numbers }: BlockWork) {
  const { bind, feeds } = blockInputs();
  const { width, kind } = sae;
  const pre = preActivationsOf(
    input('x', ['tokens', width]),
    { width, kind, latents: blockLatents },
    numbers,
    bind,
  );
  const loaded = new Map<number, Promise<Session>>();
  return {
    feeds,
    of(k: number): Promise<Session> {
      const latents = topIndices(pre, k);
      const load = () =>
        runtime.load(simplify({ outputs: { latents, values: take(pre, latents) } }), new Map());
      const session = loaded.get(k) ?? load();
      loaded.set(k, session);
      return session;
    },
    async release() {
      for (const session of loaded.values()) await (await session).release();
    },
  };
}

type GreatestSessions = ReturnType<typeof greatestSessions>;

async function greatestOf(
  work: BlockWork,
  sessions: GreatestSessions,
  rows: WeightedRows,
): Promise<Greatest> {
  const { sae, numbers, length } = work;
  const { width: d, latents: N, kind } = sae;
  const k = numbers.counts[kind.keeps!]!;
  const count = rows.weights.length * k;
  const found = { k, values: new Float32Array(count).fill(-Infinity), latents: new Int32Array(count) };
  for await (const [[from, to], values] of readAhead(ranges(N, length), (part) => encoderBlock(work, part))) {
    const most = Math.min(k, to - from);
    const session = await sessions.of(most);
    const feeds = sessions.feeds(values, to - from);
    for (const { first, x } of slicesOf(rows, d, to - from)) {
      const greatest = await session.run({ ...feeds, x });
      const own = toFloat32(greatest.values!);
      const places = Array.from(dataOf(greatest.latents!, 'i64'), (place) => from + Number(place));
      for (let t = 0; t < x.shape[0]!; t++) {
        const [begin, end] = [t * most, (t + 1) * most];
        merge(found, first + t, { values: own.subarray(begin, end), latents: places.slice(begin, end) });
      }
    }
  }
  return found;
}

/** Their activations [R, k], of unit directions. */
const activationsOf = ({ values, latents }: Greatest, fold: Float32Array): Float32Array =>
  values.map((value, at) => (value > 0 ? value * fold[latents[at]!]! : 0));

/** Adds a block's part of what the rows decode to. */
async function decodeBlock(
  { sae }: BlockWork,
  session: Session,
  [from, to]: Span,
  directions: Float32Array,
  { greatest: { k, latents }, z }: { readonly greatest: Greatest; readonly z: Float32Array },
  rows: WeightedRows,
  into: Collected,
): Promise<void> {
  const [d, n] = [sae.width, to - from];
  for (const { first, x } of slicesOf(rows, d, n)) {
    const T = x.shape[0]!;
    const own = new Float32Array(T * n);
    for (let at = first * k; at < (first + T) * k; at++) {
      const place = latents[at]! - from;
      if (place >= 0 && place < n) own[(Math.floor(at / k) - first) * n + place] = z[at]!;
    }
    const feeds = { z: tensor('f32', [T, n], own), directions: tensor('f32', [n, d], directions) };
    into.addDecoded(first, d, toFloat32((await session.run(feeds)).decoded!));
  }
}

/** The decoder is gone over after the encoder, where it is wanted. */
export async function keptPass(work: BlockWork): Promise<BlockPass> {
  const { runtime, sae, numbers, decode, length } = work;
  const sessions = greatestSessions(work);
  const decoded = matmul(
    input('z', ['tokens', blockLatents]),
    input('directions', [blockLatents, sae.width]),
  );
  const decoder = decode ? await runtime.load({ outputs: { decoded } }, new Map()) : undefined;
  return {
    async run(rows, into) {
      const greatest = await greatestOf(work, sessions, rows);
      const z = activationsOf(greatest, numbers.fold);
      z.forEach((value, at) => {
        const row = Math.floor(at / greatest.k);
        if (value > 0) into.addActive(row, greatest.latents[at]!, value, rows.weights[row]!);
      });
      if (!decoder) return;
      const read = ([from, to]: Span) => sae.decoderRows(from, to);
      for await (const [range, directions] of readAhead(ranges(sae.latents, length), read))
        await decodeBlock(work, decoder, range, directions, { greatest, z }, rows, into);
    },
    async release() {
      await Promise.all([sessions.release(), decoder?.release()]);
    },
  };
}
