/** latents.parquet and differences.parquet: every latent of the dictionary by attribution, and by model diffing. */
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { type Columns, encodeRows } from './columns.ts';

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
}

/** A row of differences.parquet: one latent by model diffing. */
export interface DifferenceRow {
  readonly latent: number;
  /** Δ-activation: mean SAE activation on the prompts, subject minus reference, in units of the residual stream */
  readonly delta_activation: number;
  /** 1 for the greatest */
  readonly rank: number;
}

const columns = {
  latent: 'INT32',
  delta: 'FLOAT',
  rank: 'INT32',
  standard_error: 'FLOAT',
  same_sign: 'FLOAT',
} as const satisfies Columns<LatentRow>;

const differenceColumns = {
  latent: 'INT32',
  delta_activation: 'FLOAT',
  rank: 'INT32',
} as const satisfies Columns<DifferenceRow>;

/** latents.parquet, rows in the order given. */
export const encodeLatents = (rows: readonly LatentRow[]): ArrayBuffer => encodeRows(rows, columns);

/** differences.parquet, rows in the order given. */
export const encodeDifferences = (rows: readonly DifferenceRow[]): ArrayBuffer =>
  encodeRows(rows, differenceColumns);

/** The rows of a latents.parquet. */
export async function decodeLatents(file: AsyncBuffer | ArrayBuffer): Promise<LatentRow[]> {
  return (await parquetReadObjects({ file, columns: Object.keys(columns) })) as unknown as LatentRow[];
}

/** The rows of a differences.parquet. */
export async function decodeDifferences(file: AsyncBuffer | ArrayBuffer): Promise<DifferenceRow[]> {
  const columns = Object.keys(differenceColumns);
  return (await parquetReadObjects({ file, columns })) as unknown as DifferenceRow[];
}
