/** Rows of results as the documents of `--json` have them. */
import { type LatentPage, type LatentRow, pageFile, type RankedSteeringRow } from '../results.ts';
import { type DocumentOf, finite } from './json.ts';

type Latent = DocumentOf<'attribute'>['latents'][number];
type Page = DocumentOf<'interpret'>['latents'][number];
type Effect = NonNullable<DocumentOf<'run'>['effects']>[number];

export const latentPart = (row: LatentRow): Latent => ({
  latent: row.latent,
  rank: row.rank,
  delta: row.delta,
  standard_error: finite(row.standard_error),
  p: finite(row.p),
  q: finite(row.q),
  same_sign: row.same_sign,
  sign: row.sign,
  silent_share: finite(row.silent_share),
  deflated: row.deflated,
  exact: finite(row.exact),
  integrated: finite(row.integrated),
});

export const effectPart = (row: RankedSteeringRow): Effect => ({
  direction: row.direction,
  latent: row.latent,
  role: row.role,
  operation: row.operation,
  side: row.side,
  dose: finite(row.dose),
  n: row.n,
  effect: finite(row.effect),
  low: finite(row.low),
  high: finite(row.high),
  p: finite(row.p),
  q: finite(row.q),
  family_wise_p: finite(row.family_wise_p),
  verdict: row.verdict,
  ranks: { ...row.ranks },
});

const tokensOf = (tokens: readonly { readonly token: string }[]) => tokens.map(({ token }) => token);

export function pagePart(page: LatentPage): Page {
  const { latent, rank, delta, lens, passages, neighbours, group, explanation, labels } = page;
  return {
    latent,
    rank,
    delta,
    file: pageFile(latent),
    active: passages.active,
    tokens: passages.tokens,
    likelier: tokensOf(lens.cosine.top),
    less_likely: tokensOf(lens.cosine.bottom),
    nearest: neighbours.map((near) => ({ latent: near.latent, cosine: near.cosine })),
    group: [...group],
    labels: labels.map(({ text }) => text),
    explanation,
  };
}
