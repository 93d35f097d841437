/**
 * Which latents point the same way: cosines of decoder directions, over the whole dictionary in chunks.
 * Shapes: n latents asked for, m of a chunk, d residual width.
 */
import { input, matmul } from '../../graph/build.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ranges, readAhead, type Span } from '../../saes/readAhead.ts';
import { tensor, toFloat32 } from '../../tensor.ts';
import { type Dictionary, directionsOf } from '../attribution/score.ts';

export interface Neighbour {
  readonly latent: number;
  /** d_i·d_j of unit directions */
  readonly cosine: number;
}

const chunkLatents = 2048;

/** Nearest first; of equal ones the lower latent. */
const nearer = (a: Neighbour, b: Neighbour) => b.cosine - a.cosine || a.latent - b.latent;

/** Whether each of the rows [m, d] is a direction at all. */
const isDirection = (rows: Float32Array, d: number) =>
  Array.from({ length: rows.length / d }, (_, j) => rows.subarray(j * d, (j + 1) * d).some((x) => x !== 0));

/**
 * The `k` nearest of each latent by cosine, itself left out, and directions of zeros, which belong to dead
 * latents; fewer where the dictionary has fewer.
 */
export async function neighbours(
  runtime: Runtime,
  dictionary: Dictionary,
  latents: readonly number[],
  k = 10,
): Promise<Neighbour[][]> {
  const d = dictionary.width;
  const product = matmul(input('own', ['n', d]), input('others', ['m', d]), { transB: true });
  const session = await runtime.load({ outputs: { product } }, new Map());
  const own = tensor('f32', [latents.length, d], await directionsOf(dictionary, latents));
  let nearest: Neighbour[][] = latents.map(() => []);
  try {
    const read = ([from, to]: Span) => dictionary.decoderRows(from, to);
    for await (const [[from, to], rows] of readAhead(ranges(dictionary.latents, chunkLatents), read)) {
      const alive = isDirection(rows, d);
      const found = toFloat32(
        (await session.run({ own, others: tensor('f32', [to - from, d], rows) })).product!,
      );
      nearest = nearest.map((before, i) => {
        // of equal ones an earlier chunk's stays
        const least = before.length < k ? -Infinity : (before.at(-1)?.cosine ?? Infinity);
        const here: Neighbour[] = [];
        alive.forEach((is, j) => {
          const cosine = found[i * (to - from) + j]!;
          if (is && cosine > least && from + j !== latents[i]) here.push({ latent: from + j, cosine });
        });
        return [...before, ...here].sort(nearer).slice(0, k);
      });
    }
  } finally {
    await session.release();
  }
  return nearest;
}

/** Cosines [n, n] of unit directions [n, d]. */
export function cosines(directions: Float32Array, n: number): number[][] {
  const d = directions.length / n;
  const row = (i: number) => directions.subarray(i * d, (i + 1) * d);
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => row(i).reduce((sum, x, at) => sum + x * row(j)[at]!, 0)),
  );
}
