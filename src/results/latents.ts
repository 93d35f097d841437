/** latents.parquet: every latent of the dictionary by attribution. */
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { encodeRows, type ParquetColumns } from './columns.ts';

/** A row of latents.parquet: one latent of the dictionary. */
export interface LatentRow {
  readonly latent: number;
  /** Δ in nats: positive supports the positive completions */
  readonly delta: number;
  /** 1 for the greatest Δ */
  readonly rank: number;
  /** standard error of Δ over pairs, in nats */
  readonly standard_error: number;
  /** share of pairs whose own Δ has the sign of the mean */
  readonly same_sign: number;
  /**
   * effect of its removal, in nats, and the same by integrated gradients: only in a ranking by it, NaN for
   * latents that were not measured
   */
  readonly exact?: number;
  readonly integrated?: number;
}

const columns = {
  latent: 'INT32',
  delta: 'FLOAT',
  rank: 'INT32',
  standard_error: 'FLOAT',
  same_sign: 'FLOAT',
} as const satisfies ParquetColumns<Omit<LatentRow, Measured>>;

const measured = ['exact', 'integrated'] as const;
type Measured = (typeof measured)[number];

/** latents.parquet, rows in the order given. */
export function encodeLatents(rows: readonly LatentRow[]): ArrayBuffer {
  const also = measured.filter((name) => rows.some((row) => row[name] !== undefined));
  return encodeRows(rows, {
    ...columns,
    ...Object.fromEntries(also.map((name) => [name, 'FLOAT' as const])),
  });
}

/** The rows of a latents.parquet. */
export async function decodeLatents(file: AsyncBuffer | ArrayBuffer): Promise<LatentRow[]> {
  return (await parquetReadObjects({ file })) as unknown as LatentRow[];
}
