/**
 * How strongly and how often latents are active: SAE activations summed over tokens, text by text, so that
 * memory does not grow with their number. The difference between two models on the same prompts is diff.ts's.
 */
import { packTree, placesOf, sequence, type Tree } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { openEncoder, type SaeEncoder } from '../../saes/encoder.ts';
import type { Sae } from '../../saes/sae.ts';
import type { Contrast } from './contrast.ts';
import { joined, rowsAt } from './residuals.ts';
import { rowNorms, sinkFactor, sinksOf } from './sinks.ts';
import type { SitePass } from './siteGradient.ts';

type Activations = Pick<SitePass, 'activation'>;

/** Over the tokens of a set, all alike whatever text they stand in. N latents. */
export interface ActivationMeans {
  /** mean activation [N], in units of the unit decoder direction */
  readonly mean: Float32Array;
  /** share of tokens with an activation above 0 [N] */
  readonly frequency: Float32Array;
  readonly tokens: number;
}

/** Sums over the tokens added so far. */
export interface ActivationSums {
  /**
   * Adds tokens by their residuals [R, d], each counting `weight` in the total; default 1. Throws RangeError where
   * these are no whole number of rows.
   */
  add(rows: Float32Array, weight?: number): Promise<void>;
  /** Σ of weight · activation [N] */
  total(): Promise<Float64Array>;
  /** Throws RangeError where no token was added. */
  means(): Promise<ActivationMeans>;
}

/** A dictionary's encoder, opened. */
export interface Encoder {
  /** d */
  readonly width: number;
  /** N */
  readonly latents: number;
  /** Sums that hold nothing yet. */
  sums(): ActivationSums;
  release(): Promise<void>;
}

function meansOf(total: Float64Array, fired: Float64Array, tokens: number): ActivationMeans {
  if (tokens === 0) throw new RangeError('activations: no tokens to take the mean over');
  const perToken = (sums: Float64Array) => Float32Array.from(sums, (x) => x / tokens);
  return { mean: perToken(total), frequency: perToken(fired), tokens };
}

function addTo(sums: Float64Array, values: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += values[i]!;
}

/** Rows wait until there are as many as are worth going over the dictionary for. */
function emptySums(encoder: SaeEncoder, { width: d, latents }: Sae): ActivationSums {
  const [total, fired] = [new Float64Array(latents), new Float64Array(latents)];
  let waiting: { readonly rows: Float32Array; readonly weights: Float32Array }[] = [];
  let [held, tokens] = [0, 0];
  async function encodeWaiting() {
    const [rows, weights] = [joined(waiting.map((of) => of.rows)), joined(waiting.map((of) => of.weights))];
    [waiting, held] = [[], 0];
    if (rows.length === 0) return;
    const found = await encoder.encode(rows, weights);
    addTo(total, found.total);
    addTo(fired, found.fired);
  }
  return {
    async add(rows, weight = 1) {
      const count = rows.length / d;
      if (!Number.isInteger(count))
        throw new RangeError(`activations: ${rows.length} values are no whole number of rows of width ${d}`);
      waiting.push({ rows: rows.slice(), weights: new Float32Array(count).fill(weight) });
      held += count;
      tokens += count;
      if (held >= encoder.rowsAtOnce) await encodeWaiting();
    },
    async total() {
      await encodeWaiting();
      return total;
    },
    async means() {
      await encodeWaiting();
      return meansOf(total, fired, tokens);
    },
  };
}

/** Opens the dictionary's encoder; `held` as openEncoder has it. */
export async function loadEncoder(runtime: Runtime, sae: Sae, held?: number): Promise<Encoder> {
  const encoder = await openEncoder(runtime, sae, { ...(held !== undefined && { held }) });
  return {
    width: sae.width,
    latents: sae.latents,
    sums: () => emptySums(encoder, sae),
    release: () => encoder.release(),
  };
}

/**
 * Residuals of the places that are kept: of `wanted`, those that are no sink of the sequence that `places`
 * are.
 */
function keptRows(
  activation: Float32Array,
  d: number,
  places: readonly number[],
  wanted: (place: number) => boolean,
  factor: number,
): Float32Array {
  const sinks = new Set(sinksOf(rowNorms(activation, d), places, factor));
  const kept = places.filter((place) => wanted(place) && !sinks.has(place));
  return rowsAt(activation, d, kept);
}

/**
 * Means over the tokens of prompts (token ids each), sinks left out. Throws RangeError where no token is
 * left.
 */
export async function promptActivations(
  pass: Activations,
  encoder: Encoder,
  prompts: readonly (readonly number[])[],
  factor = sinkFactor,
): Promise<ActivationMeans> {
  const sums = encoder.sums();
  for (const ids of prompts) {
    const activation = await pass.activation(sequence(ids));
    await sums.add(keptRows(activation, encoder.width, [...ids.keys()], () => true, factor));
  }
  return sums.means();
}

/** Means over the tokens of positive completions, and of negative ones. */
export interface CompletionActivations {
  readonly positive: ActivationMeans;
  readonly negative: ActivationMeans;
}

/** The residuals of one completion's own tokens, sinks of its sequence left out. */
function branchRows(activation: Float32Array, d: number, tree: Tree, b: number, factor: number) {
  return keptRows(activation, d, placesOf(tree, b), (place) => place >= tree.prompt, factor);
}

/**
 * Means over the completions' own tokens behind their prompts, positives and negatives apart; all tokens of a
 * side count alike. Throws RangeError where a side has no token left.
 */
export async function completionActivations(
  pass: Activations,
  encoder: Encoder,
  contrasts: readonly Contrast[],
  factor = sinkFactor,
): Promise<CompletionActivations> {
  const [positive, negative] = [encoder.sums(), encoder.sums()];
  for (const { prompt, positives, negatives } of contrasts) {
    const tree = packTree(prompt, [...positives, ...negatives]);
    const activation = await pass.activation(tree);
    for (const b of tree.branches.keys())
      await (b < positives.length ? positive : negative).add(
        branchRows(activation, encoder.width, tree, b, factor),
      );
  }
  return { positive: await positive.means(), negative: await negative.means() };
}

/**
 * Share of tokens at which each latent is active [N], over the tokens of all sets together. Throws RangeError
 * without sets.
 */
export function pooledFrequency(sets: readonly ActivationMeans[]): Float32Array {
  const [first] = sets;
  if (!first) throw new RangeError('pooledFrequency: no token sets');
  const tokens = sets.reduce((total, set) => total + set.tokens, 0);
  return first.frequency.map(
    (_, i) => sets.reduce((total, set) => total + set.frequency[i]! * set.tokens, 0) / tokens,
  );
}
