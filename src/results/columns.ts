/** Rows of plain values as Parquet columns. */
import { parquetWriteBuffer } from 'hyparquet-writer';

type ColumnType = 'INT32' | 'FLOAT' | 'STRING' | 'BOOLEAN';
export type ParquetColumns<Row> = { readonly [C in keyof Row]: ColumnType };

export function encodeRows<Row extends object>(
  rows: readonly Row[],
  types: ParquetColumns<Row>,
): ArrayBuffer {
  return parquetWriteBuffer({
    columnData: (Object.keys(types) as (keyof Row & string)[]).map((name) => ({
      name,
      type: types[name],
      data: rows.map((row) => row[name] as number | string | boolean | null),
    })),
  });
}
