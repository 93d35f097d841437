/** latents.parquet: every latent of the dictionary by attribution. */
import { InputError } from '../errors.ts';
import { decodeRows, encodeRows, type ParquetColumns } from './columns.ts';

/**
 * A row of latents.parquet: one latent of the dictionary. Columns that are null but for the first latents are
 * of the first 100 by Δ, or of as many as are reported token by token where these are more.
 */
export interface LatentRow {
  readonly latent: number;
  /** Δ in nats: positive supports the positive completions */
  readonly delta: number;
  /** 1 for the greatest Δ */
  readonly rank: number;
  /** standard error of Δ in nats, prompts being the units; NaN for a single prompt */
  readonly standard_error: number;
  /** share of pairs whose own Δ has the sign of the mean */
  readonly same_sign: number;
  /**
   * σ: adding σ d makes the positives likelier, to first order; −1 for a latent that acts through its
   * absence
   */
  readonly sign: 1 | -1;
  /** two-sided p of Δ by flipping the signs of prompts */
  readonly p: number;
  /** Benjamini and Hochberg's q over latents that are alive; null for one that is never active */
  readonly q: number | null;
  /** Σ of δ over tokens at which the latent is not active, over Σ of all; null but for the first latents */
  readonly silent_share: number | null;
  /** Δ by the latent's own activation, −mean Σ (ĝ·d) z, in nats; null but for the first latents */
  readonly activation_delta: number | null;
  /** Δ in nats with the first latent's direction projected out: near 0 for an echo of it */
  readonly deflated: number;
  /** best and worst rank with one prompt left out; null but for the first latents */
  readonly rank_low: number | null;
  readonly rank_high: number | null;
  /**
   * effect of its removal, in nats, and the same by integrated gradients: only in a ranking by it, NaN for
   * latents that were not measured
   */
  readonly exact?: number;
  readonly integrated?: number;
}

/** An echo keeps less of its Δ than this once the first latent's direction is projected out. */
const echoKeeps = 0.5;

/** Whether most of a positive Δ is that of the first latent's direction. */
export const isEcho = ({ rank, delta, deflated }: Pick<LatentRow, 'rank' | 'delta' | 'deflated'>): boolean =>
  rank > 1 && delta > 0 && deflated < echoKeeps * delta;

const columns = {
  latent: 'INT32',
  delta: 'FLOAT',
  rank: 'INT32',
  standard_error: 'FLOAT',
  same_sign: 'FLOAT',
  sign: 'INT32',
  p: 'FLOAT',
  q: 'FLOAT?',
  silent_share: 'FLOAT?',
  activation_delta: 'FLOAT?',
  deflated: 'FLOAT',
  rank_low: 'INT32?',
  rank_high: 'INT32?',
} as const satisfies ParquetColumns<Omit<LatentRow, Measured>>;

const measured = ['exact', 'integrated'] as const;
type Measured = (typeof measured)[number];

/** The columns of latents.parquet. A folder whose latents have others holds another run. */
export const latentColumns: readonly string[] = Object.keys(columns);

/** latents.parquet, rows in the order given. */
export function encodeLatents(rows: readonly LatentRow[]): ArrayBuffer {
  const also = measured.filter((name) => rows.some((row) => row[name] !== undefined));
  return encodeRows(rows, {
    ...columns,
    ...Object.fromEntries(also.map((name) => [name, 'FLOAT' as const])),
  });
}

/** The rows of a latents.parquet. Throws InputError where a column is missing or the file is damaged. */
export async function decodeLatents(file: ArrayBuffer): Promise<LatentRow[]> {
  const { rows } = await decodeRows(file, 'latents.parquet', (found) => {
    const missing = latentColumns.find((name) => !found.includes(name));
    if (missing !== undefined)
      throw new InputError(
        `latents.parquet: expected a column ${missing}, found ${found.join(', ')}: written by an older culprit; run \`culprit attribute\` again`,
      );
    const also = measured.filter((name) => found.includes(name));
    return { ...columns, ...Object.fromEntries(also.map((name) => [name, 'FLOAT' as const])) };
  });
  const wrong = rows.findIndex(
    ({ latent, rank, sign }) =>
      (latent as number) < 0 || (rank as number) < 1 || Math.abs(sign as number) !== 1,
  );
  if (wrong >= 0)
    throw new InputError(
      `latents.parquet: row ${wrong}: expected a latent from 0, a rank from 1 and a sign of 1 or -1, found ${JSON.stringify(rows[wrong])}`,
    );
  return rows as unknown as LatentRow[];
}
