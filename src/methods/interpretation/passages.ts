/**
 * Where latents are active in a stream of passages: counts, a histogram, the greatest activations with the
 * text around them, and random samples. Memory is bounded by how many windows are kept, not by the passages
 * seen; what is kept depends on passages and seed alone, not on interruptions. Knows no model and no file.
 */
import { z } from 'zod';
import type { LatentPassages, PassageWindow } from '../../results.ts';

export interface PassagesOptions {
  /** windows of the greatest activations; default 20 */
  readonly top?: number;
  /** active passages drawn at random, from which the parts of their range are shown; default 100 */
  readonly sample?: number;
  /** parts of that range, of as many passages each, and how many are shown of each; defaults 5 and 4 */
  readonly parts?: number;
  readonly shown?: number;
  /** random windows without activity; default 20 */
  readonly zero?: number;
  /** tokens of a window before its greatest activation, and after it; defaults 24 and 15 */
  readonly before?: number;
  readonly after?: number;
  /** default 1 */
  readonly seed?: number;
}

const defaults = { top: 20, sample: 100, parts: 5, shown: 4, zero: 20, before: 24, after: 15, seed: 1 };

/** Bins of a factor of two. */
const binsPerOctave = 8;

/** A passage as it was read; z [T, n], NaN at sinks. */
export interface ReadPassage {
  readonly corpus: number;
  readonly line: number;
  readonly ids: readonly number[];
  readonly z: Float32Array;
}

const keptWindow = z.object({
  corpus: z.int(),
  line: z.int(),
  start: z.int(),
  peak: z.int(),
  ids: z.array(z.int()),
  activations: z.array(z.number().nullable()),
  /** the greatest activation in the passage */
  value: z.number(),
  /** of two windows drawn at random the one with the lower is kept */
  lot: z.number(),
});
type KeptWindow = z.infer<typeof keptWindow>;

const latentState = z.object({
  active: z.int(),
  passages: z.int(),
  sum: z.number(),
  max: z.number(),
  /** tokens by bin */
  bins: z.record(z.string(), z.int()),
  top: z.array(keptWindow),
  sample: z.array(keptWindow),
  zero: z.array(keptWindow),
});
type LatentState = z.infer<typeof latentState>;

/** All that is known after some passages, as plain JSON. */
export const passagesSnapshot = z.object({
  seen: z.int(),
  tokens: z.int(),
  latents: z.array(latentState),
  both: z.array(z.array(z.int())),
});
export type PassagesSnapshot = z.infer<typeof passagesSnapshot>;

/** A number in 0..2^32 that the given ones decide, as good as random. */
function lotOf(...numbers: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const x of numbers) {
    h = Math.imul(h ^ x, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/**
 * Puts a window into a list of at most `limit`, kept in order; `comes` says whether one stands before
 * another.
 */
function keep(
  list: KeptWindow[],
  limit: number,
  one: KeptWindow,
  comes: (a: KeptWindow, b: KeptWindow) => boolean,
) {
  let at = list.length;
  while (at > 0 && comes(one, list[at - 1]!)) at--;
  if (at >= limit) return;
  list.splice(at, 0, one);
  if (list.length > limit) list.pop();
}

const stronger = (a: KeptWindow, b: KeptWindow) => a.value > b.value;
const luckier = (a: KeptWindow, b: KeptWindow) => a.lot < b.lot;

const fresh = (n: number): PassagesSnapshot => ({
  seen: 0,
  tokens: 0,
  latents: Array.from({ length: n }, () => ({
    active: 0,
    passages: 0,
    sum: 0,
    max: 0,
    bins: {},
    top: [],
    sample: [],
    zero: [],
  })),
  both: Array.from({ length: n }, () => Array<number>(n).fill(0)),
});

export class PassageFinds {
  private readonly options: Required<PassagesOptions>;
  private readonly state: PassagesSnapshot;

  constructor(
    private readonly n: number,
    options: PassagesOptions = {},
    from?: PassagesSnapshot,
  ) {
    this.options = { ...defaults, ...options };
    this.state = from ?? fresh(n);
  }

  /** Passages added so far, and their tokens, sinks not among them. */
  get seen(): number {
    return this.state.seen;
  }

  get tokens(): number {
    return this.state.tokens;
  }

  /** Tokens at which two latents are both active [n][n]. */
  get both(): readonly (readonly number[])[] {
    return this.state.both;
  }

  snapshot(): PassagesSnapshot {
    return this.state;
  }

  add(passage: ReadPassage): void {
    const number = this.state.seen++;
    const { ids, z: values } = passage;
    const peaks = new Int32Array(this.n).fill(-1);
    for (let t = 0; t < ids.length; t++) {
      if (Number.isNaN(values[t * this.n]!)) continue;
      this.state.tokens++;
      this.addToken(values, t, peaks);
    }
    peaks.forEach((peak, i) => {
      if (peak >= 0) this.addActive(passage, number, i, peak);
      this.addZero(passage, number, i);
    });
  }

  private addToken(values: Float32Array, t: number, peaks: Int32Array): void {
    const firing: number[] = [];
    for (let i = 0; i < this.n; i++) {
      const value = values[t * this.n + i]!;
      if (!(value > 0)) continue;
      firing.push(i);
      const latent = this.state.latents[i]!;
      latent.active++;
      latent.sum += value;
      latent.max = Math.max(latent.max, value);
      const bin = `${Math.floor(binsPerOctave * Math.log2(value))}`;
      latent.bins[bin] = (latent.bins[bin] ?? 0) + 1;
      if (peaks[i]! < 0 || value > values[peaks[i]! * this.n + i]!) peaks[i] = t;
    }
    for (const i of firing) for (const j of firing) this.state.both[i]![j]!++;
  }

  /** The tokens around `at`; `peak` is where in them it stands. */
  private window(
    { corpus, line, ids, z: values }: ReadPassage,
    i: number,
    at: number,
    lot: number,
  ): KeptWindow {
    const { before, after } = this.options;
    const start = Math.max(0, at - before);
    const kept = ids.slice(start, at + after + 1);
    const activations = kept.map((_, k) => {
      const value = values[(start + k) * this.n + i]!;
      return Number.isNaN(value) ? null : value;
    });
    return {
      corpus,
      line,
      start,
      peak: at - start,
      ids: kept,
      activations,
      value: activations[at - start] ?? 0,
      lot,
    };
  }

  private addActive(passage: ReadPassage, number: number, i: number, peak: number): void {
    const latent = this.state.latents[i]!;
    const { seed, top, sample } = this.options;
    latent.passages++;
    const one = this.window(passage, i, peak, lotOf(seed, number, i, 0));
    keep(latent.top, top, one, stronger);
    keep(latent.sample, sample, one, luckier);
  }

  /** A window at a random place of the passage counts where the latent is not active in it. */
  private addZero(passage: ReadPassage, number: number, i: number): void {
    const { zero } = this.state.latents[i]!;
    const { seed, zero: limit } = this.options;
    const lot = lotOf(seed, number, i, 1);
    if (zero.length >= limit && lot >= (zero.at(-1)?.lot ?? 0)) return;
    const one = this.window(passage, i, lotOf(seed, number, i, 2) % passage.ids.length, lot);
    if (one.activations.every((x) => x === null || x === 0)) keep(zero, limit, one, luckier);
  }

  /** What is known of each latent; `textOf` gives a token's text. */
  results(textOf: (id: number) => string): LatentPassages[] {
    const { tokens, seen, latents } = this.state;
    return latents.map((latent) => ({
      tokens,
      active: latent.active,
      passages: seen,
      active_passages: latent.passages,
      mean: latent.active === 0 ? null : latent.sum / latent.active,
      max: latent.max,
      histogram: histogramOf(latent),
      top: latent.top.map((one) => shownWindow(one, textOf)),
      quantiles: this.quantiles(latent, textOf),
      zero: latent.zero.map((one) => shownWindow(one, textOf)),
    }));
  }

  private quantiles({ sample }: LatentState, textOf: (id: number) => string): LatentPassages['quantiles'] {
    const { parts, shown } = this.options;
    const rising = [...sample].sort((a, b) => a.value - b.value || a.lot - b.lot);
    const edge = (part: number) => Math.round((part * rising.length) / parts);
    return Array.from({ length: parts }, (_, part) => rising.slice(edge(part), edge(part + 1)))
      .filter((members) => members.length > 0)
      .map((members) => ({
        low: members[0]!.value,
        high: members.at(-1)!.value,
        passages: [...members]
          .sort((a, b) => a.lot - b.lot)
          .slice(0, shown)
          .map((one) => shownWindow(one, textOf)),
      }));
  }
}

function histogramOf({ bins }: LatentState): LatentPassages['histogram'] {
  const used = Object.keys(bins).map(Number);
  if (used.length === 0) return { edges: [], counts: [] };
  const [first, last] = [Math.min(...used), Math.max(...used)];
  const all = Array.from({ length: last - first + 1 }, (_, k) => first + k);
  return {
    edges: [...all, last + 1].map((bin) => 2 ** (bin / binsPerOctave)),
    counts: all.map((bin) => bins[`${bin}`] ?? 0),
  };
}

const shownWindow = (
  { corpus, line, start, peak, ids, activations }: KeptWindow,
  textOf: (id: number) => string,
): PassageWindow => ({ corpus, line, start, peak, ids, tokens: ids.map(textOf), activations });
