/** latents.parquet: every latent of the dictionary by attribution. */
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { InputError } from '../errors.ts';
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
   * σ: adding σ d makes the positives likelier, to first order; −1 for a latent that acts through its
   * absence
   */
  readonly sign: 1 | -1;
}

const columns = {
  latent: 'INT32',
  delta: 'FLOAT',
  rank: 'INT32',
  standard_error: 'FLOAT',
  same_sign: 'FLOAT',
  sign: 'INT32',
} as const satisfies ParquetColumns<LatentRow>;

/** The columns of latents.parquet. A folder whose latents have others holds another run. */
export const latentColumns: readonly string[] = Object.keys(columns);

/** latents.parquet, rows in the order given. */
export const encodeLatents = (rows: readonly LatentRow[]): ArrayBuffer => encodeRows(rows, columns);

/** The rows of a latents.parquet. Throws InputError where a column is missing. */
export async function decodeLatents(file: AsyncBuffer | ArrayBuffer): Promise<LatentRow[]> {
  const metadata = await parquetMetadataAsync(file);
  const found = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = latentColumns.find((name) => !found.includes(name));
  if (missing !== undefined)
    throw new InputError(
      `latents.parquet: expected a column ${missing}, found ${found.join(', ')}: written by an older culprit; run \`culprit attribute\` again`,
    );
  return (await parquetReadObjects({
    file,
    metadata,
    columns: [...latentColumns],
  })) as unknown as LatentRow[];
}
