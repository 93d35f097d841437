import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { pieceBytes, piecesOf } from '../../src/files/bytes.ts';
import {
  openSafetensors,
  readSafetensorsHeader,
  readTensor,
  writeSafetensors,
  writeSafetensorsStream,
} from '../../src/files/safetensors.ts';
import {
  allocate,
  bytesPerElement,
  type DType,
  f32,
  i64,
  sizeOf,
  type Tensor,
  tensor,
} from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import { damage, outcome } from '../support/hostile.ts';
import { inShared, shared } from '../support/shared.ts';

const at = temporaryFolder();
afterEach(() => {
  vi.restoreAllMocks();
});

/** A file with this JSON (or these bytes) as header, and `dataBytes` zero bytes behind it. */
function fileBytes(header: unknown, dataBytes = 0): Buffer {
  const json =
    header instanceof Uint8Array ? header : typeof header === 'string' ? header : JSON.stringify(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.from(json as string).length));
  return Buffer.concat([length, Buffer.from(json as string), Buffer.alloc(dataBytes)]);
}

function put(name: string, bytes: Uint8Array | string): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), bytes);
  return at(name);
}

const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(bytesPerElement) as DType[])),
    fc.array(fc.nat({ max: 3 }), { maxLength: 4 }),
    fc.nat({ max: 255 }),
  )
  .map(([dtype, shape, seed]) => {
    const data = allocate(dtype, sizeOf(shape));
    new Uint8Array(data.buffer).forEach((_, i, bytes) => {
      bytes[i] = seed + i * 7;
    });
    return tensor(dtype, shape, data);
  });

const bytesOf = (t: Tensor) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength);

describe('safetensors', () => {
  it('gives back what was written: every dtype, any shape and name, aligned', async () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '', '0', 'ä\n"'));
    const tensors = fc
      .uniqueArray(fc.tuple(name, anyTensor), { selector: ([n]) => n, maxLength: 6 })
      .filter((pairs) => pairs.every(([n]) => n !== '__metadata__'));
    const metadata = fc.dictionary(name, fc.string());
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (pairs, text) => {
        await writeSafetensors(at('x.safetensors'), pairs, text);
        const file = await readSafetensorsHeader(at('x.safetensors'));
        expect(Object.entries(file.metadata).sort()).toEqual(Object.entries(text).sort());
        expect([...file.tensors.keys()].sort()).toEqual(pairs.map(([n]) => n).sort());
        for (const [n, written] of pairs) {
          const stored = file.tensors.get(n)!;
          expect(stored.offset % bytesPerElement[stored.dtype]).toBe(0);
          const read = await readTensor(stored);
          expect([read.dtype, read.shape]).toEqual([written.dtype, written.shape]);
          expect(bytesOf(read).equals(bytesOf(written))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('writes the layout of the format: length, JSON padded with spaces, data from a multiple of 64', async () => {
    await writeSafetensors(
      at('x.safetensors'),
      { b: i64([1], [-2]), a: f32([2, 1], [1, 2]) },
      { made: 'here' },
    );
    const bytes = readFileSync(at('x.safetensors'));
    const length = Number(bytes.readBigUInt64LE());
    expect((length + 8) % 64).toBe(0);
    expect(
      bytes
        .subarray(8, 8 + length)
        .toString()
        .trimEnd(),
    ).toBe(
      '{"__metadata__":{"made":"here"},"b":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
        '"a":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]}}',
    );
    expect(bytes.subarray(8 + length).toString('hex')).toBe('feffffffffffffff' + '0000803f' + '00000040');
  });

  it('reads a file whose data are not aligned', async () => {
    const header =
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}';
    const bytes = fileBytes(`${header} `, 5);
    bytes.writeFloatLE(1.5, bytes.length - 4);
    const { tensors } = await readSafetensorsHeader(put('x.safetensors', bytes));
    expect(tensors.get('b')!.offset % 4).not.toBe(0);
    expect(await readTensor(tensors.get('b')!)).toEqual(f32([], [1.5]));
  });

  it('reads a tensor of several pieces', async () => {
    const elements = pieceBytes + 5;
    const bytes = fileBytes({ a: { dtype: 'U8', shape: [elements], data_offsets: [0, elements] } });
    put('x.safetensors', bytes);
    truncateSync(at('x.safetensors'), bytes.length + elements);
    const file = await open(at('x.safetensors'), 'r+');
    await file.write(Uint8Array.of(7, 8, 9), 0, 3, bytes.length + pieceBytes - 1);
    await file.close();
    const { data } = await readTensor((await openSafetensors(at('x.safetensors'))).get('a')!);
    expect([data.length, ...data.subarray(pieceBytes - 2)]).toEqual([elements, 0, 7, 8, 9, 0, 0, 0]);
  });

  it('takes arrays of more than 4 GiB in pieces that one read can fill', () => {
    const array = new Float32Array(2 ** 30 + 1);
    const pieces = [...piecesOf(array.subarray(1))];
    expect(pieces.map(({ byteOffset }) => byteOffset)).toEqual(pieces.map((_, i) => 4 + i * pieceBytes));
    expect(pieces.map(({ length }) => length)).toEqual(Array(16).fill(pieceBytes));
    expect(pieceBytes).toBeLessThan(2 ** 31);
  });
});

describe('a model in a folder', () => {
  const index = (weightMap: unknown) =>
    put(
      'model/model.safetensors.index.json',
      JSON.stringify({ metadata: { total_size: 8 }, weight_map: weightMap }),
    );

  it('is found as one file', async () => {
    mkdirSync(at('model'));
    await writeSafetensors(at('model/model.safetensors'), { a: f32([1], [3]) });
    expect([...(await openSafetensors(at('model'))).keys()]).toEqual(['a']);
  });

  it('is found as shards, also behind symbolic links', async () => {
    index({ b: 'two.safetensors', a: 'one.safetensors' });
    mkdirSync(at('blobs'));
    await writeSafetensors(at('blobs/1'), { a: f32([1], [3]) });
    symlinkSync(at('blobs/1'), at('model/one.safetensors'));
    await writeSafetensors(at('model/two.safetensors'), { b: f32([1], [4]), unlisted: f32([1], [5]) });
    const tensors = await openSafetensors(at('model'));
    expect([...tensors.keys()]).toEqual(['b', 'a']);
    expect((await readTensor(tensors.get('a')!)).data).toEqual(Float32Array.of(3));
    expect((await readTensor(tensors.get('b')!)).data).toEqual(Float32Array.of(4));
  });

  it.each([
    ['../outside.safetensors', /expected a file in this folder/],
    ['sub/../../outside.safetensors', /expected a file in this folder/],
    ['/outside.safetensors', /expected a file in this folder/],
    ['', /expected a file in this folder/],
    ['.', /expected a file in this folder/],
    ['a\0b', /NUL/],
    [7, /expected a file in this folder, found 7/],
    [{ toString: 1 }, /expected a file in this folder, found an object/],
    ['none.safetensors', /none\.safetensors: no such file/],
    ['one.safetensors', /one\.safetensors: tensor "a" is missing, though .*index\.json lists it/],
  ])('refuses the shard %j', async (shard, message) => {
    index({ a: shard });
    await writeSafetensors(at('model/one.safetensors'), { b: f32([1], [3]) });
    await writeSafetensors(at('outside.safetensors'), { a: f32([1], [3]) });
    await expect(openSafetensors(at('model'))).rejects.toThrow(message);
    await expect(openSafetensors(at('model'))).rejects.toThrow(InputError);
  });

  it('refuses an index that is none', async () => {
    for (const [json, message] of [
      ['[]', /expected a JSON object/],
      ['{}', /weight_map: expected an object/],
      ['{"weight_map":{"a":"x","a":"y"}}', /"a" stands twice/],
      ['{"weight_map"', /expected JSON/],
    ] as const) {
      put('model/model.safetensors.index.json', json);
      await expect(openSafetensors(at('model'))).rejects.toThrow(message);
    }
  });

  it('refuses a folder without a model, and what is no file', async () => {
    mkdirSync(at('empty'));
    await expect(openSafetensors(at('empty'))).rejects.toThrow(/expected model.safetensors or/);
    await expect(openSafetensors(at('none'))).rejects.toThrow(/none: no such file/);
    await expect(openSafetensors('/dev/zero')).rejects.toThrow(/expected a file, found a folder or device/);
    await expect(openSafetensors('a\0b')).rejects.toThrow(/NUL/);
  });
});

describe('a malformed safetensors file is refused', () => {
  const a = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const length = (n: bigint) => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(n);
    return bytes;
  };
  const cases: [string, Buffer, RegExp][] = [
    ['empty', Buffer.alloc(0), /expected 8 bytes or more, found 0/],
    ['header length 2^63', length(2n ** 63n), /its header would take 9223372036854775808 bytes/],
    ['header longer than the file', length(9n), /truncated: expected 17 bytes or more, found 16/],
    ['header of no bytes', length(0n), /expected JSON/],
    ['no JSON', fileBytes('{"a":'), /expected JSON/],
    ['no object', fileBytes('[1]'), /expected a JSON object/],
    ['invalid UTF-8', fileBytes(Buffer.from([0x7b, 0xff, 0x7d])), /UTF-8/],
    ['nested 1e6 deep', fileBytes('['.repeat(1e6)), /nested too deeply/],
    ['an array of arrays', fileBytes({ a: { ...a, shape: [[2]] } }, 8), /nested too deeply/],
    ['a truncated file', fileBytes({ a }, 7), /tensor "a": truncated: expected \d+ bytes or more, found \d+/],
    ['bytes left over', fileBytes({ a }, 9), /expected \d+ bytes, found \d+/],
    ['bytes but no tensor', fileBytes({}, 9), /expected 10 bytes, found 19/],
    ['a hole', fileBytes({ a: { ...a, data_offsets: [8, 16] } }, 16), /leaves a hole/],
    ['an overlap', fileBytes({ a, b: { ...a, data_offsets: [4, 12] } }, 12), /"b" overlaps/],
    ['the same bytes twice', fileBytes({ a, b: a }, 8), /overlaps/],
    [
      'a key twice',
      fileBytes(`{"a":${JSON.stringify(a)},"\\u0061":${JSON.stringify(a)}}`, 8),
      /"a" stands twice/,
    ],
    ['a field twice', fileBytes('{"a":{"dtype":"F32","dtype":"F32"}}', 8), /"dtype" stands twice/],
    ['a broken key', fileBytes('{"\\x":1}'), /expected JSON, found the key/],
    [
      'an unknown dtype',
      fileBytes({ a: { ...a, dtype: 'F8_E4M3' } }, 8),
      /tensor "a": expected a dtype .* found "F8_E4M3"/,
    ],
    ['a dtype in lower case', fileBytes({ a: { ...a, dtype: 'f32' } }, 8), /expected a dtype/],
    ['a dtype of the prototype', fileBytes({ a: { ...a, dtype: '__PROTO__' } }, 8), /expected a dtype/],
    [
      'no dtype',
      fileBytes({ a: { shape: [2], data_offsets: [0, 8] } }, 8),
      /expected a dtype .* found nothing/,
    ],
    [
      'a negative dimension',
      fileBytes({ a: { ...a, shape: [-1, -2] } }, 8),
      /shape: expected integers .* found -1/,
    ],
    ['a fraction', fileBytes({ a: { ...a, shape: [0.5, 4] } }, 8), /shape: expected integers/],
    ['a dimension of 2^53', fileBytes({ a: { ...a, shape: [2 ** 53] } }, 8), /shape: expected integers/],
    ['an overflowing shape', fileBytes({ a: { ...a, shape: [2 ** 32, 2 ** 32] } }, 8), /too large/],
    [
      'an overflow times 0',
      fileBytes(
        {
          a: {
            ...a,
            shape: Array(99)
              .fill(2 ** 50)
              .concat(0),
          },
        },
        8,
      ),
      /too large/,
    ],
    ['a shape of another size', fileBytes({ a: { ...a, shape: [3] } }, 8), /f32 \[3\] takes 12 bytes, .* 8/],
    [
      'negative offsets',
      fileBytes({ a: { ...a, data_offsets: [-8, 0] } }, 8),
      /data_offsets: expected integers/,
    ],
    ['offsets reversed', fileBytes({ a: { ...a, data_offsets: [8, 0] } }, 8), /expected data_offsets/],
    ['three offsets', fileBytes({ a: { ...a, data_offsets: [0, 8, 9] } }, 8), /expected data_offsets/],
    [
      'offsets past any file',
      fileBytes({ a: { ...a, data_offsets: [0, 1e300] } }, 8),
      /data_offsets: expected integers/,
    ],
    ['a tensor that is a string', fileBytes({ a: 'F32' }), /tensor "a": expected an object/],
    ['a tensor that is null', fileBytes('{"__proto__":null}'), /tensor "__proto__": expected an object/],
    ['metadata of numbers', fileBytes({ __metadata__: { a: 1 } }), /__metadata__ "a": expected a string/],
    ['metadata that is an array', fileBytes({ __metadata__: [] }), /__metadata__: expected an object/],
    ['a name with line breaks', fileBytes({ 'a\nb': {} }), /tensor "a\\nb"/],
  ];

  it.each(cases)('%s', async (_, bytes, message) => {
    const path = put('x.safetensors', bytes);
    expect(await outcome(() => readSafetensorsHeader(path))).toBe('refused');
    await expect(readSafetensorsHeader(path)).rejects.toThrow(message);
    await expect(readSafetensorsHeader(path)).rejects.toThrow(path);
  });

  it('and one that was cut after its header was read', async () => {
    await writeSafetensors(at('x.safetensors'), { a: f32([4], [1, 2, 3, 4]) });
    const stored = (await openSafetensors(at('x.safetensors'))).get('a')!;
    truncateSync(at('x.safetensors'), stored.offset + 12);
    const message = `truncated: expected ${stored.offset + 16} bytes or more, found ${stored.offset + 12}`;
    await expect(readTensor(stored)).rejects.toThrow(message);
  });

  it('and a tensor larger than any array', async () => {
    const elements = 2 ** 42;
    const path = put(
      'x.safetensors',
      fileBytes({ a: { dtype: 'U8', shape: [elements], data_offsets: [0, elements] } }),
    );
    truncateSync(path, readFileSync(path).length + elements);
    const stored = (await openSafetensors(path)).get('a')!;
    await expect(readTensor(stored)).rejects.toThrow(
      /a tensor of 4398046511104 bytes does not fit in memory/,
    );
  });

  it('whatever bytes are changed, cut off or put in', async () => {
    const tensors = {
      'a.weight': f32([2, 3], [1, 2, 3, 4, 5, 6]),
      b: i64([2], [7, 8]),
      none: f32([0, 4], []),
    };
    await writeSafetensors(at('x.safetensors'), tensors, { format: 'pt' });
    const bytes = readFileSync(at('x.safetensors'));
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(damage(bytes.length), async (damaged) => {
        const path = put('y.safetensors', damaged(bytes));
        seen[
          await outcome(async () => {
            for (const stored of (await openSafetensors(path)).values()) await readTensor(stored);
          })
        ]++;
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(0);
  });
});

describe('writing safetensors', () => {
  const one = { name: 'a', dtype: 'f32', shape: [3] } as const;

  it('takes a tensor in pieces and says the checksum of the data', async () => {
    async function* pieces() {
      yield Float32Array.of(1, 2);
      yield Uint8Array.of(0, 0, 64, 64);
    }
    const bytes = { name: 'b', dtype: 'u8', shape: [2], produce: async () => Uint8Array.of(1, 2) } as const;
    await writeSafetensorsStream(at('x'), [bytes, { ...one, produce: pieces }], { k: 'v' }, 'sum');
    const { tensors, metadata } = await readSafetensorsHeader(at('x'));
    expect(await readTensor(tensors.get('a')!)).toEqual(f32([3], [1, 2, 3]));
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    const data = readFileSync(at('x')).subarray(tensors.get('a')!.offset);
    expect(metadata.sum).toBe(createHash('sha256').update(data).digest('hex'));
    expect(metadata.k).toBe('v');
  });

  it.each([2, 4])('refuses %i values for a shape of 3, and leaves the old file', async (n) => {
    await writeSafetensors(at('x'), { old: f32([1], [1]) });
    const produce = async () => new Float32Array(n);
    await expect(writeSafetensorsStream(at('x'), [{ ...one, produce }])).rejects.toThrow(
      /takes 12 bytes, found/,
    );
    expect([...(await openSafetensors(at('x'))).keys()]).toEqual(['old']);
    expect(readdirSync(at())).toEqual(['x']);
  });

  it('refuses names that repeat', async () => {
    const pair = ['a', f32([1], [1])] as const;
    await expect(writeSafetensors(at('x'), [pair, pair])).rejects.toThrow(RangeError);
    await expect(writeSafetensors(at('x'), [['__metadata__', pair[1]]])).rejects.toThrow(RangeError);
  });

  it('says that the disk is full, and leaves the old file and nothing else', async () => {
    await writeSafetensors(at('x'), { old: f32([1], [1]) });
    const handle = await open(at('x'));
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    const write = vi.spyOn(Object.getPrototypeOf(handle), 'write').mockRejectedValue(full);
    await handle.close();
    await expect(writeSafetensors(at('x'), { a: f32([1], [1]) })).rejects.toThrow(InputError);
    await expect(writeSafetensors(at('x'), { a: f32([1], [1]) })).rejects.toThrow(/x: not enough disk space/);
    expect(write).toHaveBeenCalledTimes(2);
    expect([...(await openSafetensors(at('x'))).keys()]).toEqual(['old']);
    expect(readdirSync(at())).toEqual(['x']);
  });

  it('says that the folder is missing', async () => {
    await expect(writeSafetensors(at('none/x'), {})).rejects.toThrow(/x: no such file or folder/);
  });
});

describe.skipIf(!shared)('needs ../shared: safetensors of the reference library', () => {
  it('are read, and say the same when written again', async () => {
    const fixtures = readdirSync(inShared('fixtures'), { recursive: true, encoding: 'utf8' });
    const files = fixtures.filter((name) => name.endsWith('.safetensors'));
    expect(files.length).toBeGreaterThan(20);
    for (const name of files) {
      const tensors = new Map<string, Tensor>();
      for (const [key, stored] of await openSafetensors(inShared('fixtures', name)))
        tensors.set(key, await readTensor(stored));
      await writeSafetensors(at('again'), tensors);
      const again = await openSafetensors(at('again'));
      for (const [key, { dtype, shape, data }] of tensors) {
        const read = await readTensor(again.get(key)!);
        expect([read.dtype, read.shape]).toEqual([dtype, shape]);
        expect(Buffer.compare(bytesOf(read), bytesOf({ dtype, shape, data }))).toBe(0);
      }
    }
  });
});
