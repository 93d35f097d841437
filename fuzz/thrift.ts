/** Thrift's compact protocol, as Parquet's footer and page headers are written, from and to trees. */
import { bytesOf, field, isFields, items, type Tree, textOf, whole } from './tree.ts';

/** Types of the protocol. */
const types = { true: 1, false: 2, double: 7, binary: 8, list: 9, struct: 12 } as const;

export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function varint(cursor: Cursor): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = cursor.bytes[cursor.at++]!;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

const zigzag = (cursor: Cursor): bigint => {
  const value = varint(cursor);
  return (value >> 1n) ^ -(value & 1n);
};

function read(cursor: Cursor, type: number): Tree {
  if (type === types.struct) return readStruct(cursor);
  if (type === types.binary) {
    const length = Number(varint(cursor));
    const from = cursor.at;
    cursor.at += length;
    return cursor.bytes.slice(from, cursor.at);
  }
  if (type === types.list) {
    const head = cursor.bytes[cursor.at++]!;
    const count = head >> 4 === 15 ? Number(varint(cursor)) : head >> 4;
    return {
      of: head & 15,
      count: null,
      items: Array.from({ length: count }, () => read(cursor, head & 15)),
    };
  }
  if (type === 3) return cursor.bytes[cursor.at++]!;
  return zigzag(cursor);
}

/** A struct as a list of fields, each with its number, type and value. */
export function readStruct(cursor: Cursor): Tree {
  const fields: Tree[] = [];
  for (let id = 0; ; ) {
    const head = cursor.bytes[cursor.at++]!;
    if (head === 0) return fields;
    id = head >> 4 === 0 ? Number(zigzag(cursor)) : id + (head >> 4);
    const type = head & 15;
    fields.push({ id, type, value: type === 1 || type === 2 ? type === 1 : read(cursor, type) });
  }
}

function putVarint(out: number[], value: bigint): void {
  let left = BigInt.asUintN(64, value);
  for (; left > 127n; left >>= 7n) out.push(Number(left & 127n) | 128);
  out.push(Number(left));
}

const putZigzag = (out: number[], tree: Tree | undefined): void => {
  const value = BigInt.asIntN(64, whole(tree, 64));
  putVarint(out, (value << 1n) ^ (value >> 63n));
};

function put(out: number[], type: number, tree: Tree | undefined): void {
  if (type === types.struct) {
    putStruct(out, tree);
    return;
  }
  if (type === types.binary) {
    const bytes = bytesOf(tree);
    putVarint(out, BigInt(bytes.length));
    for (const byte of bytes) out.push(byte);
    return;
  }
  if (type === types.list) {
    const found = items(field(tree, 'items'));
    const of = Number(whole(field(tree, 'of'), 4));
    const count = field(tree, 'count') ?? null;
    out.push(0xf0 | of);
    putVarint(out, count === null ? BigInt(found.length) : whole(count, 64));
    for (const one of found) put(out, of, one);
    return;
  }
  if (type === types.double) out.push(...new Uint8Array(Float64Array.of(Number(textOf(tree)) || 0).buffer));
  else if (type === 3) out.push(Number(whole(tree, 8)));
  else putZigzag(out, tree);
}

/** Each field with its number written out: valid, if longer than it need be. */
export function putStruct(out: number[], tree: Tree | undefined): void {
  for (const one of items(tree)) {
    if (!isFields(one)) continue;
    const type = Number(whole(one.type, 4));
    if (type === 0) continue;
    out.push(type === 1 || type === 2 ? (one.value === true ? 1 : 2) : type);
    putZigzag(out, one.id);
    if (type > 2) put(out, type, one.value);
  }
  out.push(0);
}
