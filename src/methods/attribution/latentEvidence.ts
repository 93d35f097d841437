/**
 * What speaks for and against each latent's Δ: its sign, how far the prompts agree on it, what the encoder
 * says, and whether it is an echo of the first. docs/method.md sections 2 and 3. Shapes: P contrasts, G
 * clusters, N latents, d residual width, K first latents.
 */
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import type { ContrastRows } from '../site/contrast.ts';
import { falseDiscoveryRates } from '../statistics/falseDiscovery.ts';
import { type FlipTest, signFlips } from '../statistics/signFlips.ts';
import { type Attribution, ranking } from './attribute.ts';
import { deflatedMatrix } from './deflation.ts';
import { type EncoderEvidence, encoderEvidence } from './encoderEvidence.ts';
import { directionsOf, scoreMatrix } from './score.ts';
import { meanContrastiveGradient } from './selectors/gradientCosine.ts';
import { signsOf } from './sign.ts';
import {
  clusteredDelta,
  clusteredErrors,
  leaveOneOutRanks,
  type RankRange,
  type SplitHalf,
  splitHalf,
} from './stability.ts';

/** Latents that the columns of the first ones are of, where no more are reported token by token. */
const firstLatents = 100;

export interface LatentEvidenceRequest {
  readonly rows: readonly ContrastRows[];
  /** of each contrast the prompt that it is of [P]: contrasts of one prompt are not independent */
  readonly clusters: readonly string[];
  /** ā [d] */
  readonly baseline: Float32Array;
  readonly sae: Sae;
  /** of random flips and splits; default 0 */
  readonly seed?: number;
}

export interface LatentEvidence {
  /** g [d] */
  readonly gradient: Float32Array;
  /** σ [N] */
  readonly signs: Int8Array;
  /** G */
  readonly clusters: number;
  /** of Δ, over clusters [N] */
  readonly standardErrors: Float64Array;
  readonly flips: FlipTest;
  /** q [N], over latents that are alive; NaN for the others */
  readonly q: Float64Array;
  readonly alive: EncoderEvidence['alive'];
  readonly splitHalf: SplitHalf | null;
  /** Δ with the first latent projected out of M [N] */
  readonly deflated: Float32Array;
  /** the K first by Δ; what follows is of these */
  readonly first: readonly number[];
  readonly silentShare: readonly number[];
  readonly activationDelta: readonly number[];
  /** null for a single cluster */
  readonly ranks: readonly RankRange[] | null;
}

/** The evidence on an attribution of these rows. */
export async function latentEvidence(
  runtime: Runtime,
  { m, delta, perContrast, top }: Attribution,
  { rows, clusters, baseline, sae, seed = 0 }: LatentEvidenceRequest,
): Promise<LatentEvidence> {
  const first = Array.from(ranking(delta).subarray(0, Math.max(firstLatents, top.length)));
  const gradient = meanContrastiveGradient(rows, sae.width);
  const byCluster = clusteredDelta(perContrast, clusters);
  const ofEncoder = await encoderEvidence(runtime, rows, baseline, sae, first);
  const { alive } = ofEncoder;
  const flips = await signFlips(runtime, byCluster.sums, byCluster.sizes.length, { seed, included: alive });
  const deflated = deflatedMatrix(m, await directionsOf(sae, first.slice(0, 1)));
  return {
    gradient,
    signs: await signsOf(sae, gradient),
    clusters: byCluster.sizes.length,
    standardErrors: clusteredErrors(byCluster),
    flips,
    q: falseDiscoveryRates(flips.p.map((p, i) => (alive[i] === 1 ? p : Number.NaN))),
    splitHalf: splitHalf(byCluster, alive, { seed }),
    deflated: await scoreMatrix(runtime, deflated, sae),
    first,
    ranks: leaveOneOutRanks(byCluster, first) ?? null,
    ...ofEncoder,
  };
}
