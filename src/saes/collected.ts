/** What a pass over a dictionary's blocks finds, added up. Shapes: R rows, d width, N latents, K of them chosen. */
import type { Span } from './readAhead.ts';
import type { Sae } from './sae.ts';

/** What some rows make of a dictionary; activations in units of the unit decoder directions. */
export interface EncodedRows {
  /** Σ over the rows of each latent's activation, times the row's weight [N] */
  readonly total: Float64Array;
  /** rows at which each latent is active [N] */
  readonly fired: Float64Array;
  /** activations of the latents asked for [R, K] */
  readonly z: Float32Array;
  /** x̂ [R, d]; undefined unless asked for */
  readonly reconstruction: Float32Array | undefined;
}

export class Collected {
  readonly total: Float64Array;
  readonly fired: Float64Array;
  readonly z: Float32Array;
  /** Σ_i z_i d_i [R, d] */
  readonly decoded: Float64Array;
  /** where each chosen latent stands among the K */
  private readonly chosen: ReadonlyMap<number, readonly number[]>;
  private readonly latents: readonly number[];

  constructor({ width, latents: N }: Sae, latents: readonly number[], rows: number, decodes: boolean) {
    this.total = new Float64Array(N);
    this.fired = new Float64Array(N);
    this.z = new Float32Array(rows * latents.length);
    this.decoded = new Float64Array(decodes ? rows * width : 0);
    this.latents = latents;
    const chosen = new Map<number, number[]>();
    for (const [i, latent] of latents.entries()) chosen.set(latent, [...(chosen.get(latent) ?? []), i]);
    this.chosen = chosen;
  }

  /** The latents asked for that are in a block, each once. */
  chosenIn([from, to]: Span): number[] {
    return [...this.chosen.keys()].filter((latent) => latent >= from && latent < to);
  }

  /** Sums [n] over some rows of the latents from `from` on. */
  addSums(from: number, total: Float32Array, fired: Float32Array): void {
    for (let i = 0; i < total.length; i++) {
      this.total[from + i]! += total[i]!;
      this.fired[from + i]! += fired[i]!;
    }
  }

  /** One latent's activation at one row of some weight, above 0. */
  addActive(row: number, latent: number, z: number, weight: number): void {
    this.total[latent]! += weight * z;
    this.fired[latent]! += 1;
    this.setChosen(row, latent, z);
  }

  /** One latent's activation at one row, if it was asked for. */
  setChosen(row: number, latent: number, z: number): void {
    for (const i of this.chosen.get(latent) ?? []) this.z[row * this.latents.length + i] = z;
  }

  /** A block's part [T, d] of what the rows from `first` on decode to. */
  addDecoded(first: number, width: number, part: Float32Array): void {
    for (let at = 0; at < part.length; at++) this.decoded[first * width + at]! += part[at]!;
  }
}
