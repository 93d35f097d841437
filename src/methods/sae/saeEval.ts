/**
 * How good an SAE is at a site: explained variance, active latents, and what the model loses when it reads
 * the reconstruction instead of the residual. Tokens: attention sinks left out; they keep their residual.
 */
import type { Model } from '../../models/decoder.ts';
import { assertFinite } from '../../models/finite.ts';
import { lossSession } from '../../models/sessions.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime, Session } from '../../runtime/runtime.ts';
import { type EncoderRequest, openEncoder, type SaeEncoder } from '../../saes/encoder.ts';
import type { Sae } from '../../saes/sae.ts';
import { i64, tensor, toFloat32 } from '../../tensor.ts';
import {
  gathered,
  joined,
  type PassageResiduals,
  type ResidualPass,
  residualPass,
  rowsAt,
} from '../site/residuals.ts';

export interface SaeQuality {
  /** 1 − Σ(x − x̂)²/Σ(x − mean)², mean over the same tokens */
  readonly explained: number;
  /** active latents a token */
  readonly l0: number;
  /** share of tokens at which each latent is active [N] */
  readonly density: Float64Array;
  readonly tokens: number;
  readonly sinks: number;
}

/**
 * Mean cross-entropy, nats a token, with the site's residuals as they are, reconstructed, set to zero, set
 * to their mean.
 */
export interface CrossEntropies {
  readonly original: number;
  readonly reconstructed: number;
  readonly zero: number;
  readonly mean: number;
  readonly tokens: number;
}

export interface SaeEvaluation extends SaeQuality {
  readonly crossEntropy: CrossEntropies;
}

export interface SaeEvalHooks {
  /** told of each passage's tokens, in the first pass and in the second */
  readonly onQuality?: (tokens: number) => void;
  readonly onLoss?: (tokens: number) => void;
}

/**
 * (zero − reconstructed) / (zero − original): 1 where nothing is lost, 0 where the SAE does no better than
 * the ablation.
 */
export function recovered(
  { original, reconstructed, ...ablated }: CrossEntropies,
  against: 'zero' | 'mean',
): number {
  return (ablated[against] - reconstructed) / (ablated[against] - original);
}

/** Sums over tokens, in float64. */
class Sums {
  readonly sum: Float64Array;
  readonly fired: Float64Array;
  squares = 0;
  error = 0;
  tokens = 0;
  sinks = 0;

  constructor(
    private readonly d: number,
    latents: number,
  ) {
    this.sum = new Float64Array(d);
    this.fired = new Float64Array(latents);
  }

  add(x: Float32Array, reconstruction: Float32Array, fired: Float64Array): void {
    const { d, sum } = this;
    x.forEach((v, i) => {
      sum[i % d]! += v;
      this.squares += v * v;
      this.error += (v - reconstruction[i]!) ** 2;
    });
    fired.forEach((n, i) => {
      this.fired[i]! += n;
    });
    this.tokens += x.length / d;
  }

  mean(): Float32Array {
    return Float32Array.from(this.sum, (s) => s / this.tokens);
  }

  quality(): SaeQuality {
    const { tokens, sinks, fired } = this;
    const spread = this.squares - this.sum.reduce((total, s) => total + (s * s) / tokens, 0);
    return {
      explained: 1 - this.error / spread,
      l0: fired.reduce((total, n) => total + n, 0) / tokens,
      density: fired.map((n) => n / tokens),
      tokens,
      sinks,
    };
  }
}

/** The residuals with the rows at `places` replaced; the others stay. */
function replaced(
  { activation, places }: PassageResiduals,
  d: number,
  row: (i: number) => Float32Array,
): Float32Array {
  const out = activation.slice();
  places.forEach((t, i) => {
    out.set(row(i), t * d);
  });
  return out;
}

interface Parts {
  readonly below: ResidualPass;
  readonly encoder: SaeEncoder;
  readonly above: Session;
  readonly d: number;
}

interface Passage extends PassageResiduals {
  readonly ids: readonly number[];
  /** the residuals of its places [R, d] */
  readonly rows: Float32Array;
}

/** Passages with their residuals, as many together as are worth going over the dictionary for. */
function passagesOf({ below, encoder, d }: Parts, texts: Iterable<readonly number[]>) {
  async function* read(): AsyncGenerator<Passage> {
    for (const ids of texts) {
      const passage = await below.run(ids);
      yield { ids, ...passage, rows: rowsAt(passage.activation, d, passage.places) };
    }
  }
  return gathered(read(), ({ places }) => Math.max(1, places.length), encoder.rowsAtOnce);
}

const rowsOf = (group: readonly Passage[]) => joined(group.map(({ rows }) => rows));

/** Σ −ln p of every token but the first, from these residuals on. */
async function lossFrom({ above, d }: Parts, ids: readonly number[], resid: Float32Array): Promise<number> {
  const { nll } = await above.run({
    ...treeFeeds(sequence(ids)),
    resid: tensor('f32', [ids.length, d], resid),
    rows: i64([ids.length - 1], [...ids.keys()].slice(0, -1)),
    targets: i64([ids.length - 1], ids.slice(1)),
  });
  const losses = toFloat32(nll!);
  assertFinite(losses, 'the model gives losses');
  return losses.reduce((sum, x) => sum + x, 0);
}

/** The four losses of a passage, with its places reconstructed as given [R, d]. */
async function losses(
  parts: Parts,
  passage: Passage,
  reconstruction: Float32Array,
  mean: Float32Array,
): Promise<number[]> {
  const { d } = parts;
  const zero = new Float32Array(d);
  const variants = [
    passage.activation,
    replaced(passage, d, (i) => reconstruction.subarray(i * d, (i + 1) * d)),
    replaced(passage, d, () => zero),
    replaced(passage, d, () => mean),
  ];
  const sums: number[] = [];
  for (const resid of variants) sums.push(await lossFrom(parts, passage.ids, resid));
  return sums;
}

async function measureQuality(
  parts: Parts,
  texts: readonly (readonly number[])[],
  latents: number,
  onQuality: (tokens: number) => void,
): Promise<Sums> {
  const sums = new Sums(parts.d, latents);
  for await (const group of passagesOf(parts, texts)) {
    const rows = rowsOf(group);
    const { reconstruction, fired } = await parts.encoder.encode(rows);
    sums.add(rows, reconstruction!, fired);
    for (const { ids, sinks } of group) {
      sums.sinks += sinks.length;
      onQuality(ids.length);
    }
  }
  return sums;
}

/** The first texts that predict something, until they predict so many tokens. */
function predicting(texts: readonly (readonly number[])[], tokens: number): (readonly number[])[] {
  let predicted = 0;
  return texts.filter((ids) => {
    const counts = predicted < tokens && ids.length > 1;
    if (counts) predicted += ids.length - 1;
    return counts;
  });
}

async function measureLosses(
  parts: Parts,
  texts: readonly (readonly number[])[],
  mean: Float32Array,
  onLoss: (tokens: number) => void,
): Promise<CrossEntropies> {
  const totals = [0, 0, 0, 0];
  let predicted = 0;
  for await (const group of passagesOf(parts, texts)) {
    const reconstruction = (await parts.encoder.encode(rowsOf(group))).reconstruction!;
    let from = 0;
    for (const passage of group) {
      const own = reconstruction.subarray(from, from + passage.rows.length);
      (await losses(parts, passage, own, mean)).forEach((x, i) => {
        totals[i]! += x;
      });
      from += passage.rows.length;
      predicted += passage.ids.length - 1;
      onLoss(passage.ids.length - 1);
    }
  }
  const [original, reconstructed, zero, ablated] = totals.map((x) => x / predicted) as [
    number,
    number,
    number,
    number,
  ];
  return { original, reconstructed, zero, mean: ablated, tokens: predicted };
}

/**
 * Measures over passages of token ids; cross-entropy over the first of them, until `lossTokens` tokens are
 * predicted. One of them must have two tokens or more.
 */
export async function evaluateSae(
  runtime: Runtime,
  { model, layer, sae }: { readonly model: Model; readonly layer: number; readonly sae: Sae },
  passages: readonly (readonly number[])[],
  lossTokens: number,
  { onQuality = () => {}, onLoss = () => {}, held }: SaeEvalHooks & Pick<EncoderRequest, 'held'> = {},
): Promise<SaeEvaluation> {
  const parts: Parts = {
    below: await residualPass(runtime, model, layer),
    encoder: await openEncoder(runtime, sae, { reconstruction: true, ...(held !== undefined && { held }) }),
    above: await lossSession(runtime, model, layer),
    d: model.decoder.width,
  };
  const sums = await measureQuality(parts, passages, sae.latents, onQuality);
  const crossEntropy = await measureLosses(parts, predicting(passages, lossTokens), sums.mean(), onLoss);
  await Promise.all([parts.below, parts.encoder, parts.above].map((part) => part.release()));
  return { ...sums.quality(), crossEntropy };
}
