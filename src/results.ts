/**
 * The result files of a run: their types, and bytes to values and back. Knows neither disk nor models, so that a browser can read them with
 * the same code.
 */
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { z } from 'zod';

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

type Columns<Row> = { readonly [C in keyof Row]: 'INT32' | 'FLOAT' };

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

function encodeRows<Row extends object>(rows: readonly Row[], types: Columns<Row>): ArrayBuffer {
  return parquetWriteBuffer({
    columnData: (Object.keys(types) as (keyof Row & string)[]).map((name) => {
      const values = rows.map((row) => row[name] as number);
      const type = types[name];
      return { name, type, data: type === 'INT32' ? Int32Array.from(values) : Float32Array.from(values) };
    }),
  });
}

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

/** A file or folder that went into a run, with the hash of its contents. */
const inputFile = z.object({ path: z.string(), sha256: z.string() });

/** manifest.json: what was run, on what, and what came of it, so that the run can be repeated and checked. */
export const manifestSchema = z.object({
  command: z.enum(['attribute', 'baseline', 'demo']),
  /** hash of inputs, options and versions: equal keys mean equal results */
  key: z.string(),
  created: z.iso.datetime(),
  versions: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), inputFile),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** numbers about the run, such as token counts */
  counts: z.record(z.string(), z.number()),
  /** seconds by part of the work */
  seconds: z.record(z.string(), z.number()),
});
export type Manifest = z.infer<typeof manifestSchema>;
