/** The pairs that count most for a latent, token by token: where in the study's own completions it is active, and where its Δ comes from. */
import type { TextCodec } from '../../files/textCodec.ts';
import { input } from '../../graph/build.ts';
import { simplify } from '../../graph/simplify.ts';
import type { Contrast, LossKind } from '../../methods/contrast.ts';
import { directionsOf } from '../../methods/score.ts';
import type { SitePass } from '../../methods/siteGradient.ts';
import { type TokenDeltas, tokenDeltas } from '../../methods/tokenDeltas.ts';
import type { DeltaTokens, LatentPair } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { activationsOn } from '../../saes/graph.ts';
import type { Sae } from '../../saes/sae.ts';
import { tensor, toFloat32 } from '../../tensor.ts';

export interface LatentPairsRequest {
  readonly runtime: Runtime;
  readonly pass: SitePass;
  readonly codec: TextCodec;
  readonly sae: Sae;
  readonly contrasts: readonly Contrast[];
  /** Δ of each contrast alone [P, N] */
  readonly perContrast: Float32Array;
  /** ā [d] */
  readonly baseline: Float32Array;
  readonly loss: LossKind;
  /** pairs of a latent */
  readonly count: number;
}

/** The contrasts with the greatest |Δ| for a latent, greatest first. */
export function weightiest(
  perContrast: Float32Array,
  latents: number,
  latent: number,
  count: number,
): number[] {
  const size = (p: number) => Math.abs(perContrast[p * latents + latent]!);
  return Array.from({ length: perContrast.length / latents }, (_, p) => p)
    .sort((a, b) => size(b) - size(a) || a - b)
    .slice(0, count);
}

/** A contrast's first positive and first negative. */
const firstPair = (contrast: Contrast): Contrast => ({
  ...contrast,
  positives: contrast.positives.slice(0, 1),
  negatives: contrast.negatives.slice(0, 1),
});

interface Seen extends TokenDeltas {
  /** SAE activations [T, n] of all latents asked for */
  readonly z: Float32Array;
}

const orNull = (x: number) => (Number.isNaN(x) ? null : x);

function tokensOf(
  { tree, delta, z }: Seen,
  [from, to]: readonly [number, number],
  { i, n, column, columns }: { i: number; n: number; column: number; columns: number },
  { tokenizer }: TextCodec,
): DeltaTokens {
  const places = Array.from({ length: to - from }, (_, at) => from + at);
  const sink = (t: number) => Number.isNaN(delta[t * n + i]!);
  return {
    ids: places.map((t) => tree.ids[t]!),
    tokens: places.map((t) => tokenizer.tokenText(tree.ids[t]!)),
    activations: places.map((t) => (sink(t) ? null : z[t * columns + column]!)),
    delta: places.map((t) => orNull(delta[t * n + i]!)),
  };
}

/** The activations [T, n] of some latents at residuals [T, d]. */
async function encoderOf({ runtime, sae }: LatentPairsRequest, latents: readonly number[]) {
  const { z, weights } = await activationsOn(input('x', ['tokens', sae.width]), sae, latents);
  const session = await runtime.load(simplify({ outputs: { z } }), weights);
  return {
    async encode(residuals: Float32Array): Promise<Float32Array> {
      const shape = [residuals.length / sae.width, sae.width];
      return toFloat32((await session.run({ x: tensor('f32', shape, residuals) })).z!);
    },
    release: () => session.release(),
  };
}

/** For each latent its weightiest pairs. Each pair is run once, for all latents that it counts for. `onPair` is told of each. */
export async function latentPairs(
  request: LatentPairsRequest,
  latents: readonly number[],
  onPair: () => void,
): Promise<Map<number, LatentPair[]>> {
  const encoder = await encoderOf(request, latents);
  try {
    return await pairsOf(request, latents, encoder.encode, onPair);
  } finally {
    await encoder.release();
  }
}

async function pairsOf(
  request: LatentPairsRequest,
  latents: readonly number[],
  encode: (residuals: Float32Array) => Promise<Float32Array>,
  onPair: () => void,
): Promise<Map<number, LatentPair[]>> {
  const { pass, codec, sae, contrasts, perContrast, baseline, loss, count } = request;
  const wanted = new Map(
    latents.map((latent) => [latent, weightiest(perContrast, sae.latents, latent, count)]),
  );
  const pages = new Map(latents.map((latent) => [latent, new Map<number, LatentPair>()]));
  for (const p of new Set([...wanted.values()].flat())) {
    const here = latents.filter((latent) => wanted.get(latent)!.includes(p));
    const found = await tokenDeltas(pass, firstPair(contrasts[p]!), await directionsOf(sae, here), {
      baseline,
      loss,
    });
    const seen = { ...found, z: await encode(found.activation) };
    const { tree } = found;
    const parts = [[0, tree.prompt], ...tree.branches.map(({ start, end }) => [start, end])] as [
      number,
      number,
    ][];
    here.forEach((latent, i) => {
      const at = { i, n: here.length, column: latents.indexOf(latent), columns: latents.length };
      const [prompt, positive, negative] = parts.map((part) => tokensOf(seen, part, at, codec));
      pages.get(latent)!.set(p, {
        pair: contrasts[p]!.id,
        delta: perContrast[p * sae.latents + latent]!,
        prompt: prompt!,
        positive: positive!,
        negative: negative!,
      });
    });
    onPair();
  }
  return new Map(
    latents.map((latent) => [latent, wanted.get(latent)!.map((p) => pages.get(latent)!.get(p)!)]),
  );
}

/** How many pairs `latentPairs` would run. */
export const pairsToRun = (
  { sae, perContrast, count }: LatentPairsRequest,
  latents: readonly number[],
): number => new Set(latents.flatMap((latent) => weightiest(perContrast, sae.latents, latent, count))).size;
