/** Rows of plain values as Parquet columns, and back. */
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { InputError, inOneLine } from '../errors.ts';
import { checkPages } from './parquetPages.ts';

type ColumnType = 'INT32' | 'FLOAT' | 'STRING' | 'BOOLEAN';

/** The type of each column, with a question mark where it may be null. */
export type ParquetColumns<Row> = {
  readonly [C in keyof Row]: null extends Row[C] ? `${ColumnType}?` : ColumnType;
};
type AnyColumns = Readonly<Record<string, ColumnType | `${ColumnType}?`>>;

const plain = (type: ColumnType | `${ColumnType}?`) => type.replace('?', '') as ColumnType;

export function encodeRows<Row extends object>(
  rows: readonly Row[],
  types: ParquetColumns<Row>,
): ArrayBuffer {
  return parquetWriteBuffer({
    columnData: (Object.keys(types) as (keyof Row & string)[]).map((name) => ({
      name,
      type: plain(types[name]),
      data: rows.map((row) => row[name] as number | string | boolean | null),
    })),
  });
}

const isOf: Readonly<Record<ColumnType, (value: unknown) => boolean>> = {
  INT32: Number.isInteger,
  FLOAT: (value) => typeof value === 'number',
  STRING: (value) => typeof value === 'string',
  BOOLEAN: (value) => typeof value === 'boolean',
};

/** What a file holds: the names of its columns, and its rows. */
export interface ParquetRows {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/**
 * The rows of a Parquet file; `typesOf` says the types of the columns that are read, given those that are
 * there. Throws InputError, which begins with `name`, for a file that is damaged, or a value of another type.
 */
export async function decodeRows(
  bytes: ArrayBuffer,
  name: string,
  typesOf: (columns: readonly string[]) => AnyColumns,
): Promise<ParquetRows> {
  const metadata = damagedUnlessIn(name, () => parquetMetadata(bytes, { geoparquet: false }));
  damagedUnlessIn(name, () => checkPages(bytes, metadata));
  const columns = metadata.schema.slice(1).map((element) => element.name);
  const types = typesOf(columns);
  const rows = (await parquetReadObjects({ file: bytes, metadata, columns: Object.keys(types) }).catch(
    (error: unknown) => {
      throw damaged(name, error);
    },
  )) as Record<string, unknown>[];
  for (const [column, type] of Object.entries(types)) {
    const isRight = isOf[plain(type)];
    const row = rows.findIndex(({ [column]: x }) => !(isRight(x) || (x === null && type.endsWith('?'))));
    if (row >= 0)
      throw new InputError(
        `${name}: row ${row}: ${column}: expected a value of type ${type}, found ${JSON.stringify(rows[row]![column])}`,
      );
  }
  return { columns, rows };
}

/** The library tells of a damaged file by errors of any kind. */
const damaged = (name: string, error: unknown): InputError =>
  new InputError(
    `${name}: damaged: expected the Parquet that culprit writes, found ${inOneLine((error as Error).message)}`,
    {
      cause: error,
    },
  );

function damagedUnlessIn<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damaged(name, error);
  }
}
