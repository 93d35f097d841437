/**
 * Whether a Parquet file is one that culprit could have written, looked at before a library decodes it: the
 * library takes lengths and counts as they stand, and a damaged one would fill memory or never end. Flat
 * columns in version 2 pages, plain or by dictionary, as hyparquet-writer makes them. Knows no column.
 */
import type { ColumnMetaData, FileMetaData, PageHeader, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { snappyUncompress } from 'hyparquet/src/snappy.js';
import { InputError } from '../errors.ts';

/** What a byte of a file can stand for at most: Snappy makes 64 bytes of 3, runs are shorter still. */
const mostRowsPerByte = 64;
const mostExpansion = 32;

function hold(condition: boolean, fault: string): asserts condition {
  if (!condition) throw new InputError(fault);
}

const isCount = (n: unknown, most: number): n is number =>
  typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 && n <= most;

/** A count that the library gives as a number or a bigint; NaN for none. */
const countOf = (n: unknown): number =>
  typeof n === 'bigint' || typeof n === 'number' ? Number(n) : Number.NaN;

/** Throws InputError, which says no file, where the footer or a page cannot be right. */
export function checkPages(bytes: ArrayBuffer, { schema, num_rows, row_groups }: FileMetaData): void {
  const [root, ...elements] = schema;
  const rows = countOf(num_rows);
  hold(isCount(rows, bytes.byteLength * mostRowsPerByte), `${rows} rows in ${bytes.byteLength} bytes`);
  hold(root?.num_children === elements.length, 'columns within columns');
  hold(new Set(elements.map(({ name }) => name)).size === elements.length, 'a column twice');
  for (const { name, num_children, repetition_type } of elements) {
    hold(typeof name === 'string' && !num_children, 'columns within columns');
    hold(
      repetition_type === 'REQUIRED' || repetition_type === 'OPTIONAL',
      `column ${name} is ${repetition_type}`,
    );
  }
  hold(
    row_groups.reduce((sum, group) => sum + countOf(group.num_rows), 0) === rows,
    'groups of rows that are not all rows',
  );
  for (const { columns, num_rows: inGroup } of row_groups) {
    hold(columns.length === elements.length, `${columns.length} of ${elements.length} columns`);
    hold(isCount(countOf(inGroup), rows), `${inGroup} rows in a group`);
    for (const [i, { meta_data: column }] of columns.entries()) {
      const element = elements[i]!;
      hold(
        column?.path_in_schema.length === 1 && column.path_in_schema[0] === element.name,
        `no column ${element.name} where it should stand`,
      );
      checkColumn(bytes, column, element, countOf(inGroup));
    }
  }
}

function checkColumn(bytes: ArrayBuffer, column: ColumnMetaData, element: SchemaElement, rows: number): void {
  const { name } = element;
  hold(column.type === element.type, `column ${name} of two types`);
  hold(column.codec === 'SNAPPY' || column.codec === 'UNCOMPRESSED', `column ${name} in ${column.codec}`);
  // As the library has it: the dictionary comes first where there is one.
  const from = countOf(column.dictionary_page_offset || column.data_page_offset);
  const length = countOf(column.total_compressed_size);
  hold(
    isCount(from, bytes.byteLength) && isCount(length, bytes.byteLength - from),
    `column ${name} beyond the end`,
  );
  const reader = { view: new DataView(bytes, from, length), offset: 0 };
  let left = rows;
  let dictionary = 0;
  while (reader.offset < length) {
    const header = parquetHeader(reader);
    const size = header.compressed_page_size;
    hold(isCount(size, length - reader.offset), `a page of column ${name} beyond its end`);
    hold(
      isCount(header.uncompressed_page_size, size * mostExpansion + 8),
      `a page of column ${name} of ${header.uncompressed_page_size} bytes in ${size}`,
    );
    const page = new Uint8Array(bytes, from + reader.offset, size);
    reader.offset += size;
    if (header.type === 'DICTIONARY_PAGE') {
      dictionary = header.dictionary_page_header?.num_values ?? -1;
      hold(isCount(dictionary, header.uncompressed_page_size), `the dictionary of column ${name}`);
    } else left -= checkDataPage(page, header, column, element, { dictionary, left });
  }
  hold(left === 0, `column ${name} with ${rows - left} of ${rows} rows`);
}

/** The number of its rows; `left`: how many are not read yet. */
function checkDataPage(
  page: Uint8Array,
  header: PageHeader,
  { codec }: ColumnMetaData,
  { name, type, repetition_type }: SchemaElement,
  { dictionary, left }: { readonly dictionary: number; readonly left: number },
): number {
  const about = header.data_page_header_v2;
  hold(header.type === 'DATA_PAGE_V2' && about !== undefined, `a page of column ${name} of another kind`);
  const { num_values: count, num_nulls: nulls, definition_levels_byte_length: levels, encoding } = about;
  const optional = repetition_type === 'OPTIONAL';
  hold(isCount(count, left) && count > 0, `a page of column ${name} of ${count} rows`);
  hold(isCount(nulls, optional ? count : 0), `a page of column ${name} with ${nulls} nulls`);
  hold(
    isCount(levels, optional ? page.length : 0) && about.repetition_levels_byte_length === 0,
    `the levels of a page of column ${name}`,
  );
  if (optional) checkRuns(page.subarray(0, levels), 1, count, name);
  const packed = page.subarray(levels);
  const length = header.uncompressed_page_size - levels;
  hold(length >= 0, `the levels of a page of column ${name}`);
  let values = packed;
  if (about.is_compressed !== false && codec === 'SNAPPY') {
    values = new Uint8Array(length);
    snappyUncompress(packed, values);
  }
  const present = count - nulls;
  if (encoding === 'RLE_DICTIONARY') {
    hold(dictionary > 0 || present === 0, `column ${name} without its dictionary`);
    const width = values[0] ?? 0;
    hold(width <= 32, `a page of column ${name} by numbers of ${width} bits`);
    checkRuns(values.subarray(1), width, present, name);
  } else if (encoding === 'RLE') {
    hold(type === 'BOOLEAN', `column ${name} in ${encoding}`);
    checkRuns(values.subarray(4), 1, present, name);
  } else hold(encoding === 'PLAIN', `column ${name} in ${encoding}`);
  return count;
}

/** Runs of one value, and groups of 8 packed ones, that together hold `count` numbers of `width` bits. */
function checkRuns(bytes: Uint8Array, width: number, count: number, name: string): void {
  const fault = `a page of column ${name} whose runs are not its ${count} values`;
  let at = 0;
  for (let seen = 0; seen < count; ) {
    let head = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      hold(byte !== undefined && shift < 35, fault);
      head += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const isPacked = head % 2 === 1;
    const many = Math.floor(head / 2);
    seen += isPacked ? many * 8 : many;
    at += isPacked ? many * width : Math.ceil(width / 8);
    hold(many > 0 && seen < count + (isPacked ? 8 : 1) && at <= bytes.length, fault);
  }
}
