/** Rows of results as the documents of `--json` have them. */
import type { LatentRow, RankedSteeringRow } from '../results.ts';
import { type DocumentOf, finite } from './json.ts';

type Latent = DocumentOf<'attribute'>['latents'][number];
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
