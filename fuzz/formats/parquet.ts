/** latents.parquet and steering.parquet, by their pages and footer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import {
  decodeLatents,
  decodeSteering,
  encodeLatents,
  encodeSteering,
  type LatentRow,
  type RankedSteeringRow,
} from '../../src/results.ts';
import { each, type Format, type Part, promised } from '../format.ts';
import { type Cursor, putStruct, readStruct } from '../thrift.ts';
import { bytesOf, field, items, type Tree, whole } from '../tree.ts';

const latent = (i: number): LatentRow => ({
  latent: (i * 7) % 40,
  delta: Math.sin(i),
  rank: i + 1,
  standard_error: i === 3 ? Number.NaN : 0.1,
  same_sign: 0.5,
  sign: i % 2 === 0 ? 1 : -1,
  p: 0.25,
  q: i % 3 === 0 ? null : 0.5,
  silent_share: i < 9 ? 0.1 * i : null,
  activation_delta: null,
  deflated: i,
  rank_low: i < 9 ? i : null,
  rank_high: null,
});

function steered(i: number): RankedSteeringRow {
  const numbers = [
    'estimate log_odds damage forced_dose dose effect low high effect_of_all of_all_low of_all_high',
    'effect_same_length same_length_low same_length_high effect_minus_random t p q family_wise_p way way_low',
    'way_high aside_effect aside_low aside_high mean_tokens',
  ].flatMap((names) => names.split(' '));
  return {
    ...(Object.fromEntries(
      numbers.map((name, at) => [name, (i + at) % 3 === 0 ? null : i / 8]),
    ) as unknown as RankedSteeringRow),
    direction: `latent ${i}`,
    latent: i === 2 ? null : i,
    role: i === 2 ? 'gaussian' : 'candidate',
    operation: 'add',
    side: i % 2 === 0 ? 'away' : 'toward',
    sign: 1,
    stage: 'sampled',
    dose_limited_by: null,
    n: 8,
    coherent: 7,
    positives: 3,
    alone_n: 8,
    alone_coherent: 8,
    alone_positives: 1,
    verdict: i === 1 ? 'confirmed' : null,
    aside_n: 0,
    aside_coherent: 0,
    outside: i % 2 === 0,
    ranks: { delta: i + 1, other: 2 },
  };
}

/** Where pages begin: at the offsets that the footer tells, and after one another. */
function partOf(buffer: ArrayBuffer): Part {
  const bytes = new Uint8Array(buffer);
  const length = new DataView(buffer).getUint32(bytes.length - 8, true);
  const end = bytes.length - 8 - length;
  const cursor: Cursor = { bytes, at: 4 };
  const pages: Tree[] = [];
  while (cursor.at < end) {
    const header = readStruct(cursor);
    const size = items(header).find((one) => field(one, 'id') === 3);
    const from = cursor.at;
    cursor.at += Number(whole(field(size, 'value'), 32));
    pages.push({ header, data: bytes.slice(from, cursor.at) });
  }
  const footer = readStruct({ bytes, at: end });
  return {
    tree: { magic: 'PAR1', pages, footer, length: null, end: 'PAR1' },
    write: (tree) => written(tree),
  };
}

function written(tree: Tree): Uint8Array {
  const out: number[] = [...bytesOf(field(tree, 'magic'))];
  // A header is written longer than it was: the footer's offsets are shifted with it.
  const starts: number[] = [];
  for (const page of items(field(tree, 'pages'))) {
    starts.push(out.length);
    putStruct(out, field(page, 'header'));
    for (const byte of bytesOf(field(page, 'data'))) out.push(byte);
  }
  const from = out.length;
  putStruct(out, field(tree, 'footer'));
  const length = field(tree, 'length') ?? null;
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(Number(length === null ? out.length - from : whole(length, 32)));
  return Uint8Array.from([...out, ...tail, ...bytesOf(field(tree, 'end'))]);
}

/** The seed with the offsets and sizes in its footer as its pages are written. */
function settled(buffer: ArrayBuffer): Part {
  const part = partOf(buffer);
  const pages = items(field(part.tree, 'pages'));
  const old: number[] = [];
  const now: number[] = [];
  let [at, was] = [4, 4];
  const cursor: Cursor = { bytes: new Uint8Array(buffer), at: 4 };
  for (const page of pages) {
    old.push(was);
    now.push(at);
    const head: number[] = [];
    putStruct(head, field(page, 'header'));
    cursor.at = was;
    readStruct(cursor);
    const data = bytesOf(field(page, 'data')).length;
    was = cursor.at + data;
    at += head.length + data;
  }
  old.push(was);
  now.push(at);
  const moved = (offset: Tree | undefined): number => now[old.indexOf(Number(whole(offset, 64)))]!;
  const value = (fields: Tree | undefined, id: number) =>
    items(fields).find((one) => field(one, 'id') === id);
  const groups = items(field(field(value(field(part.tree, 'footer'), 4), 'value'), 'items'));
  for (const group of groups)
    for (const column of items(field(field(value(group, 1), 'value'), 'items'))) {
      const about = field(value(column, 3), 'value');
      const [size, first, dictionary] = [7, 9, 11].map(
        (id) => value(about, id) as { value: Tree } | undefined,
      );
      const begin = dictionary ?? first;
      const stop = Number(whole(begin!.value, 64)) + Number(whole(size!.value, 64));
      const sizeNow = BigInt(moved(stop) - moved(begin!.value));
      first!.value = BigInt(moved(first!.value));
      if (dictionary) dictionary.value = BigInt(moved(dictionary.value));
      size!.value = sizeNow;
    }
  return part;
}

const plain = (rows: readonly LatentRow[], codec: 'UNCOMPRESSED' | 'SNAPPY'): ArrayBuffer =>
  parquetWriteBuffer({
    codec,
    columnData: (Object.keys(rows[0]!) as (keyof LatentRow)[]).map(
      (name): ColumnSource => ({
        name,
        data: rows.map((row) => row[name] as number | null),
        type: /^(latent|rank|rank_low|rank_high|sign)$/.test(name) ? 'INT32' : 'FLOAT',
      }),
    ),
  });

const list = <T>(count: number, of: (i: number) => T) => Array.from({ length: count }, (_, i) => of(i));

export const parquet: Format = {
  name: 'parquet',
  async seeds() {
    const latents = [encodeLatents(list(30, latent)), plain(list(30, latent), 'UNCOMPRESSED')];
    const steering = encodeSteering(list(20, steered));
    for (const buffer of latents) promised((await decodeLatents(buffer)).length === 30, 'no latents');
    promised((await decodeSteering(steering)).length === 20, 'no rows');
    return [...latents, steering, encodeLatents(list(1, latent))].map((buffer) => ({
      'a.parquet': settled(buffer),
    }));
  },
  async read(folder) {
    const bytes = Uint8Array.from(readFileSync(join(folder, 'a.parquet'))).buffer;
    await each(
      async () => {
        for (const { latent, rank, delta, sign } of await decodeLatents(bytes))
          promised(
            latent >= 0 && rank >= 1 && typeof delta === 'number' && (sign === 1 || sign === -1),
            `the row ${JSON.stringify({ latent, rank, delta, sign })}`,
          );
      },
      async () => {
        for (const { role, ranks, n } of await decodeSteering(bytes))
          promised(
            (role === null || typeof role === 'string') && typeof ranks === 'object' && n !== undefined,
            `the role ${role}`,
          );
      },
    );
  },
};
