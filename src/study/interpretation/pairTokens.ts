/** A pair as a line of pair-tokens.jsonl. */
import type { TextCodec } from '../../files/textCodec.ts';
import type { TokenDeltas } from '../../methods/attribution/tokenDeltas.ts';
import type { LossKind } from '../../methods/site/contrast.ts';
import type { PairTokens } from '../../results.ts';
import type { StudyContrast } from '../open/contrasts.ts';

/** In a study's folder. */
/** Latents of a line. */
const listed = 10;

interface Told {
  readonly latents: readonly number[];
  /** Δ of this contrast alone for each of them */
  readonly own: readonly number[];
  readonly loss: LossKind;
  readonly codec: TextCodec;
}

/** Significant digits that are kept of a δ. */
const digits = 4;
const short = (x: number) => (Number.isNaN(x) ? null : Number(x.toPrecision(digits)));

export function pairTokensOf(
  contrast: StudyContrast,
  { tree, delta, total, nll }: TokenDeltas,
  { latents, own, loss, codec }: Told,
): PairTokens {
  const n = latents.length;
  const texts = tree.ids.map((id) => codec.tokenizer.tokenText(id));
  const each = (from: number, to: number, at: (t: number) => number) =>
    Array.from({ length: to - from }, (_, k) => short(at(from + k)));
  const lossOf = (values: Float32Array) => {
    const sum = values.reduce((so, x) => so + x, 0);
    return loss === 'mean' ? sum / values.length : sum;
  };
  const ids = [...contrast.positiveIds, ...contrast.negativeIds];
  const strongest = [...latents.keys()]
    .sort((a, b) => Math.abs(own[b]!) - Math.abs(own[a]!) || a - b)
    .slice(0, listed);
  return {
    pair: contrast.id,
    prompt: { tokens: texts.slice(0, tree.prompt), total: each(0, tree.prompt, (t) => total[t]!) },
    completions: tree.branches.map(({ start, end }, b) => ({
      id: ids[b]!,
      label: b < contrast.positives.length ? 'positive' : 'negative',
      loss: lossOf(nll[b]!),
      tokens: texts.slice(start, end),
      total: each(start, end, (t) => total[t]!),
    })),
    latents: strongest.map((i) => ({
      latent: latents[i]!,
      delta: own[i]!,
      prompt: each(0, tree.prompt, (t) => delta[t * n + i]!),
      completions: tree.branches.map(({ start, end }) => each(start, end, (t) => delta[t * n + i]!)),
    })),
  };
}
