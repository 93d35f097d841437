/** Safetensors files, alone and as the shards of a model. */
import { join } from 'node:path';
import { checkFinite } from '../../src/files/finite.ts';
import { openSafetensors, readSafetensorsHeader, readTensor } from '../../src/files/safetensors.ts';
import { type StoredTensor, sizeOf, toFloat32 } from '../../src/tensor.ts';
import { each, type Format, jsonPart, type Part, promised } from '../format.ts';
import { bytesOf, field, json, type Tree, whole } from '../tree.ts';

/** A tensor of a seed: its dtype, shape and bytes. */
export type SeedTensor = readonly [dtype: string, shape: readonly number[], bytes: Uint8Array];

export const floats = (count: number, value: (i: number) => number = (i) => Math.sin(i + 1)): Uint8Array =>
  new Uint8Array(Float32Array.from({ length: count }, (_, i) => value(i)).buffer);

export const f32Tensor = (...shape: number[]): SeedTensor => ['F32', shape, floats(sizeOf(shape))];

/** A file by the length that stands before its header, the header, and the data. */
export function safetensorsPart(
  tensors: Readonly<Record<string, SeedTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Part {
  let end = 0;
  const header = Object.entries(tensors).map(([name, [dtype, shape, bytes]]) => {
    const begin = end;
    end += bytes.length;
    return [name, { dtype, shape: [...shape], data_offsets: [begin, end] }] as const;
  });
  const tree: Tree = {
    length: 0,
    header: { ...(metadata ? { __metadata__: { ...metadata } } : {}), ...Object.fromEntries(header) },
    data: Buffer.concat(Object.values(tensors).map(([, , bytes]) => bytes)),
  };
  return { tree, write };
}

/** 0 for the length stands for the right one. */
function write(tree: Tree): Uint8Array {
  const header = Buffer.from(json(field(tree, 'header')));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(whole(field(tree, 'length'), 64) || BigInt(header.length));
  return Buffer.concat([length, header, bytesOf(field(tree, 'data'))]);
}

async function readAll(tensors: ReadonlyMap<string, StoredTensor>): Promise<void> {
  for (const stored of tensors.values()) {
    const { data, shape } = await readTensor(stored);
    promised(data.length === sizeOf(shape), `${data.length} values for the shape [${shape}]`);
  }
  await each(async () => {
    await checkFinite(tensors, 'x');
    for (const stored of tensors.values())
      if (/^b?f/.test(stored.dtype))
        promised(toFloat32(await readTensor(stored)).every(Number.isFinite), 'numbers that are not finite');
  });
}

const mixed = {
  a: f32Tensor(2, 3),
  h: ['BF16', [4], Uint8Array.from([0, 63, 128, 64, 1, 2, 3, 4])],
  g: ['F16', [2, 2], Uint8Array.from([0, 60, 0, 64, 1, 2, 3, 4])],
  d: ['F64', [2], new Uint8Array(Float64Array.of(1, -1e30).buffer)],
  i: ['I64', [2], new Uint8Array(16)],
  e: ['U8', [0, 7], new Uint8Array(0)],
  s: ['F32', [], floats(1)],
} as const;

export const safetensors: Format = {
  name: 'safetensors',
  seeds: () => [
    { 'model.safetensors': safetensorsPart(mixed, { format: 'pt' }) },
    { 'model.safetensors': safetensorsPart({ w: f32Tensor(4, 4) }) },
    {
      'model.safetensors.index.json': jsonPart({
        metadata: { total_size: 32 },
        weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
      }),
      'model-00001-of-00002.safetensors': safetensorsPart({ a: f32Tensor(4) }),
      'model-00002-of-00002.safetensors': safetensorsPart({ b: f32Tensor(2, 2), c: f32Tensor(1) }),
    },
  ],
  read: (folder) =>
    each(
      async () => readAll((await readSafetensorsHeader(join(folder, 'model.safetensors'))).tensors),
      async () => readAll(await openSafetensors(folder)),
    ),
};
