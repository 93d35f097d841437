/** Made-up dictionaries and rows, with the slow scores that the methods' fast ones are held against. */
import { expect } from 'vitest';
import type { DecoderRows, Dictionary } from '../../src/methods/attribution/score.ts';
import { type Draw, draw } from './opCases.ts';

export interface Made extends Dictionary {
  /** all directions [N, d] */
  readonly directions: Float32Array;
  /** the ranges read so far */
  readonly reads: [from: number, to: number][];
}

/** N random unit directions of width d, handed out as views of one array. */
export function madeDictionary(latents: number, width: number, seed = 1): Made {
  const d = draw(seed);
  const directions = Float32Array.from({ length: latents * width }, () => d.normal());
  for (let i = 0; i < latents; i++) {
    const row = directions.subarray(i * width, (i + 1) * width);
    const norm = Math.hypot(...row);
    row.forEach((x, j) => {
      row[j] = x / norm;
    });
  }
  const reads: [number, number][] = [];
  return {
    width,
    latents,
    directions,
    reads,
    async decoderRows(from, to) {
      expect(from >= 0 && to <= latents && from <= to).toBe(true);
      reads.push([from, to]);
      return directions.subarray(from * width, to * width);
    },
  };
}

/** Random rows of one contrast. */
export function madeRows(d: Draw, count: number, width: number): DecoderRows {
  const values = () => Float32Array.from({ length: count * width }, () => d.normal());
  return { gradient: values(), centred: values() };
}

function dot(x: Float32Array, row: number, { directions, width }: Made, latent: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += x[row * width + i]! * directions[latent * width + i]!;
  return sum;
}

/** −(ĝ_t·d_i)(c_t·d_i) of one row. */
export function slowToken(rows: DecoderRows, row: number, made: Made, latent: number): number {
  return -dot(rows.gradient, row, made, latent) * dot(rows.centred, row, made, latent);
}

/** −Σ_t (ĝ_t·d_i)(c_t·d_i), row by row. */
export function slowScore(rows: DecoderRows, made: Made, latent: number): number {
  const count = rows.gradient.length / made.width;
  let sum = 0;
  for (let row = 0; row < count; row++) sum += slowToken(rows, row, made, latent);
  return sum;
}
