/**
 * A study's pairs token by token: each with the latents that count most for it, and each latent with the
 * pairs that count most for it, where it is active and where its Δ comes from.
 */
import type { TextCodec } from '../../files/textCodec.ts';
import { directionsOf, gramMatrix } from '../../methods/attribution/score.ts';
import { type TokenDeltas, tokenDeltas } from '../../methods/attribution/tokenDeltas.ts';
import type { LossKind } from '../../methods/site/contrast.ts';
import { joined } from '../../methods/site/residuals.ts';
import type { SitePass } from '../../methods/site/siteGradient.ts';
import type { DeltaTokens, LatentPair, PairTokens } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type LatentEncoder, openLatents } from '../../saes/encoder.ts';
import type { Sae } from '../../saes/sae.ts';
import type { StudyContrast } from '../open/contrasts.ts';
import { pairTokensOf } from './pairTokens.ts';

export interface LatentPairsRequest {
  readonly runtime: Runtime;
  readonly pass: SitePass;
  readonly codec: TextCodec;
  readonly sae: Sae;
  readonly contrasts: readonly StudyContrast[];
  /** Δ of each contrast alone [P, N] */
  readonly perContrast: Float32Array;
  /** ā [d] */
  readonly baseline: Float32Array;
  readonly loss: LossKind;
  /** pairs of a latent */
  readonly count: number;
}

/** The contrasts with the greatest |Δ| for a latent, greatest first. */
function weightiest(perContrast: Float32Array, latents: number, latent: number, count: number): number[] {
  const size = (p: number) => Math.abs(perContrast[p * latents + latent]!);
  return Array.from({ length: perContrast.length / latents }, (_, p) => p)
    .sort((a, b) => size(b) - size(a) || a - b)
    .slice(0, count);
}

/** What a pass over a contrast found, with activations. */
export interface SeenTokens extends TokenDeltas {
  /** SAE activations [T, n] of all latents asked for */
  readonly z: Float32Array;
}

const orNull = (x: number) => (Number.isNaN(x) ? null : x);

/** The places from `from` to before `to`, with the i-th of n latents on them. */
export function latentTokens(
  { tree, delta, z }: SeenTokens,
  [from, to]: readonly [number, number],
  { i, n }: { i: number; n: number },
  { tokenizer }: TextCodec,
): DeltaTokens {
  const places = Array.from({ length: to - from }, (_, at) => from + at);
  const sink = (t: number) => Number.isNaN(delta[t * n + i]!);
  return {
    ids: places.map((t) => tree.ids[t]!),
    tokens: places.map((t) => tokenizer.tokenText(tree.ids[t]!)),
    activations: places.map((t) => (sink(t) ? null : z[t * n + i]!)),
    delta: places.map((t) => orNull(delta[t * n + i]!)),
  };
}

/** A pair on the pages of the latents `here`, whose activations are still wanted. */
interface WaitingPair {
  readonly p: number;
  readonly contrast: StudyContrast;
  readonly found: TokenDeltas;
  /** Δ of each latent */
  readonly own: readonly number[];
  readonly here: readonly number[];
}

export interface PairsInTokens {
  /** of each latent its weightiest pairs */
  readonly byLatent: ReadonlyMap<number, LatentPair[]>;
  /** every pair, in the order of the contrasts */
  readonly lines: readonly PairTokens[];
}

/** Every pair is run once, for all latents. `onPair` is told of each. */
export async function pairsInTokens(
  request: LatentPairsRequest,
  latents: readonly number[],
  onPair: () => void,
): Promise<PairsInTokens> {
  const encoder = await openLatents(request.runtime, request.sae, latents);
  try {
    return await eachPair(request, latents, encoder, onPair);
  } finally {
    await encoder.release();
  }
}

async function eachPair(
  request: LatentPairsRequest,
  latents: readonly number[],
  encoder: LatentEncoder,
  onPair: () => void,
): Promise<PairsInTokens> {
  const { runtime, pass, codec, sae, contrasts, perContrast, baseline, loss, count } = request;
  const wanted = latents.map((latent) => weightiest(perContrast, sae.latents, latent, count));
  const pages = latents.map(() => new Map<number, LatentPair>());
  const lines: PairTokens[] = [];
  /** Pairs that wait until there are as many tokens as are worth going over the dictionary for. */
  let waiting: WaitingPair[] = [];
  async function show() {
    const z = await encoder.encode(joined(waiting.map(({ found }) => found.activation)));
    let from = 0;
    for (const { p, contrast, found, own, here } of waiting) {
      const to = from + found.tree.ids.length * latents.length;
      const seen = { ...found, z: z.subarray(from, to) };
      for (const i of here) pages[i]!.set(p, latentPairOf(contrast, seen, own[i]!, i, latents.length, codec));
      from = to;
    }
    waiting = [];
  }
  const directions = await directionsOf(sae, latents);
  const gram = await gramMatrix(runtime, sae);
  for (const [p, contrast] of contrasts.entries()) {
    const own = latents.map((latent) => perContrast[p * sae.latents + latent]!);
    const found = await tokenDeltas(pass, contrast, directions, { baseline, loss, gram });
    lines.push(pairTokensOf(contrast, found, { latents, own, loss, codec }));
    const here = [...latents.keys()].filter((i) => wanted[i]!.includes(p));
    if (here.length > 0) waiting.push({ p, contrast, found, own, here });
    const tokens = waiting.reduce((sum, one) => sum + one.found.tree.ids.length, 0);
    if (tokens >= encoder.rowsAtOnce) await show();
    onPair();
  }
  if (waiting.length > 0) await show();
  return {
    byLatent: new Map(latents.map((latent, i) => [latent, wanted[i]!.map((p) => pages[i]!.get(p)!)])),
    lines,
  };
}

/** With the contrast's first positive and its first negative. */
function latentPairOf(
  { id, positives }: StudyContrast,
  seen: SeenTokens,
  delta: number,
  i: number,
  n: number,
  codec: TextCodec,
): LatentPair {
  const { prompt, branches } = seen.tree;
  const at = (from: number, to: number) => latentTokens(seen, [from, to], { i, n }, codec);
  const [positive, negative] = [branches[0]!, branches[positives.length]!];
  return {
    pair: id,
    delta,
    prompt: at(0, prompt),
    positive: at(positive.start, positive.end),
    negative: at(negative.start, negative.end),
  };
}
