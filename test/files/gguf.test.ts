import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packings, type WeightType } from '../../src/files/dequantise.ts';
import { readGguf } from '../../src/files/gguf.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  array,
  entry,
  floatTensor,
  ggufBytes,
  packedTensor,
  type TestGguf,
  type TestTensor,
  text,
  valueTypes as types,
  u32,
  u64,
} from '../support/ggufWriter.ts';
import { damage, outcome } from '../support/hostile.ts';
import { realModel, shared } from '../support/shared.ts';

const at = temporaryFolder();

function put(file: TestGguf | Uint8Array): string {
  writeFileSync(at('x.gguf'), file instanceof Uint8Array ? file : ggufBytes(file));
  return at('x.gguf');
}

const metadataOf = async (...entries: Buffer[]) =>
  Object.fromEntries((await readGguf(put({ metadata: entries }))).metadata);

describe('a GGUF file', () => {
  it('gives its metadata, every type of value', async () => {
    const f32 = Buffer.alloc(4);
    f32.writeFloatLE(0.1);
    const f64 = Buffer.alloc(8);
    f64.writeDoubleLE(-0.1);
    const found = await metadataOf(
      entry('u8', types.u8, Uint8Array.of(255)),
      entry('i8', types.i8, Uint8Array.of(255)),
      entry('u16', types.u16, Uint8Array.of(1, 255)),
      entry('i16', types.i16, Uint8Array.of(1, 255)),
      entry('u32', types.u32, u32(2 ** 32 - 1)),
      entry('i32', types.i32, u32(2 ** 32 - 1)),
      entry('f32', types.f32, f32),
      entry('no', types.bool, Uint8Array.of(0)),
      entry('yes', types.bool, Uint8Array.of(1)),
      entry('string', types.string, text('häß\n')),
      entry('empty', types.string, text('')),
      entry('u64', types.u64, u64(2 ** 53 - 1)),
      entry('large', types.u64, u64(2n ** 64n - 1n)),
      entry('i64', types.i64, u64(2n ** 64n - 7n)),
      entry('f64', types.f64, f64),
      entry('strings', types.array, array(types.string, [text('a'), text('')])),
      entry('integers', types.array, array(types.i32, [u32(1), u32(2 ** 32 - 2)])),
      entry('longs', types.array, array(types.u64, [u64(5)])),
      entry('booleans', types.array, array(types.bool, [Uint8Array.of(1), Uint8Array.of(0)])),
      entry('none', types.array, array(types.f32, [])),
      entry(
        'nested',
        types.array,
        array(types.array, [array(types.u8, [Uint8Array.of(3)]), array(types.string, [])]),
      ),
    );
    expect(found).toEqual({
      u8: 255,
      i8: -1,
      u16: 0xff01,
      i16: 0xff01 - 65536,
      u32: 2 ** 32 - 1,
      i32: -1,
      f32: Math.fround(0.1),
      no: false,
      yes: true,
      string: 'häß\n',
      empty: '',
      u64: 2 ** 53 - 1,
      large: 2n ** 64n - 1n,
      i64: -7,
      f64: -0.1,
      strings: ['a', ''],
      integers: Int32Array.of(1, -2),
      longs: BigUint64Array.of(5n),
      booleans: [true, false],
      none: new Float32Array(0),
      nested: [Uint8Array.of(3), []],
    });
  });

  it.each([
    [2, undefined],
    [3, undefined],
    [3, 64],
    [3, 1],
    [3, 8192],
  ])('gives its tensors: version %i, alignment %s', async (version, alignment) => {
    const tensors = [
      floatTensor('norm', [3], [1, 2, 3]),
      packedTensor('__proto__', 'Q4_K', [2, 512]),
      floatTensor('s', [], [4]),
    ];
    const file = await readGguf(put({ version, ...(alignment && { alignment }), tensors }));
    const bytes = readFileSync(file.path);
    expect([file.version, file.path]).toEqual([version, at('x.gguf')]);
    expect([...file.tensors.keys()]).toEqual(['norm', '__proto__', 's']);
    for (const { name, type, shape, data } of tensors) {
      const found = file.tensors.get(name)!;
      expect([found.type, found.shape, found.bytes]).toEqual([type, shape, data.length]);
      expect((found.offset - file.dataStart) % (alignment ?? 32)).toBe(0);
      expect(bytes.subarray(found.offset, found.offset + found.bytes).equals(data)).toBe(true);
    }
  });

  it('may hold more metadata than one window of reading, and values across its edges', async () => {
    const words = Array.from({ length: 300_000 }, (_, i) => `token ${i}`);
    const long = 'x'.repeat(3 * 2 ** 20);
    const found = await metadataOf(
      entry('words', types.array, array(types.string, words.map(text))),
      entry('long', types.string, text(long)),
      entry('last', types.u8, Uint8Array.of(9)),
    );
    expect(found.words).toEqual(words);
    expect(found.long === long && found.last).toBe(9);
  });

  it('may hold empty tensors and a metadata key that a tensor has too', async () => {
    const tensors = [floatTensor('a', [0, 4], []), floatTensor('b', [1], [5])];
    const file = await readGguf(put({ tensors, metadata: [entry('a', types.u8, Uint8Array.of(1))] }));
    expect(file.tensors.get('a')).toMatchObject({ shape: [0, 4], bytes: 0 });
    expect(file.tensors.get('b')).toMatchObject({ shape: [1], bytes: 4 });
  });
});

describe('a malformed GGUF file is refused', () => {
  const huge = 2n ** 60n;
  const a = floatTensor('a', [8], [1, 2, 3, 4, 5, 6, 7, 8]);
  const withTensor = (change: Partial<TestTensor>): TestGguf => ({ tensors: [{ ...a, ...change }] });
  const value = (type: number, bytes: Uint8Array): TestGguf => ({ metadata: [entry('key', type, bytes)] });
  const nested = (depth: number) =>
    Buffer.concat([...Array(depth).fill(array(types.array, [], 1)), array(types.u8, [])]);
  const valid = ggufBytes({ tensors: [a] });
  const bigEndian = Buffer.from(valid);
  bigEndian.writeUInt32BE(3, 4);

  const cases: [string, TestGguf | Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /expected the magic bytes "GGUF" of 4 bytes, found 0/],
    ['another format', Buffer.from('PK\x03\x04 and more'), /not a GGUF file/],
    ['cut in the header', valid.subarray(0, 30), /truncated or damaged/],
    [
      'cut in the data',
      valid.subarray(0, -1),
      new RegExp(`tensor "a": truncated: expected ${valid.length} .*found ${valid.length - 1}`),
    ],
    ['big-endian', bigEndian, /big-endian GGUF is not supported/],
    ['version 1', { version: 1 }, /expected GGUF version 2 or 3, found 1/],
    ['version 0', { version: 0 }, /expected GGUF version 2 or 3, found 0/],
    ['2^60 tensors', { counts: { tensors: huge } }, /the number of tensors is 1152921504606846976/],
    ['2^40 tensors', { counts: { tensors: 2 ** 40 } }, /expected 1099511627776 tensors, found \d+ bytes/],
    ['2^60 metadata entries', { counts: { metadata: huge } }, /the number of metadata entries is/],
    ['one metadata entry too many', { counts: { metadata: 1 } }, /truncated or damaged/],
    [
      'a key of 2^60 bytes',
      { metadata: [Buffer.concat([u64(huge), u32(0), u64(0)])] },
      /bytes of the key of metadata entry 0/,
    ],
    [
      'a string of 2^60 bytes',
      value(types.string, u64(huge)),
      /bytes of metadata "key" is 1152921504606846976/,
    ],
    ['a string of 2^63 bytes', value(types.string, u64(2n ** 63n)), /is 9223372036854775808/],
    [
      'an array of 2^60 elements',
      value(types.array, array(types.u64, [], huge)),
      /elements of metadata "key" is/,
    ],
    [
      'an array of 2^40 strings',
      value(types.array, array(types.string, [], 2 ** 40)),
      /expected 1099511627776 elements/,
    ],
    ['arrays 5 deep', value(types.array, nested(4)), /nests arrays more than 4 deep/],
    ['arrays 10000 deep', value(types.array, nested(10000)), /nests arrays more than 4 deep/],
    ['an unknown value type', value(13, u64(0)), /metadata "key" has the unknown value type 13/],
    ['an unknown element type', value(types.array, array(99, [], 0)), /unknown value type 99/],
    ['a boolean of 2', value(types.bool, Uint8Array.of(2)), /boolean of value 2/],
    [
      'invalid UTF-8',
      value(types.string, text(Uint8Array.of(0xc3, 0x28))),
      /metadata "key" is not valid UTF-8/,
    ],
    [
      'an invalid key',
      { metadata: [entry(Uint8Array.of(0xff), 0, Uint8Array.of(0))] },
      /metadata entry 0 is not valid UTF-8/,
    ],
    [
      'a key twice',
      { metadata: [entry('k', 0, Uint8Array.of(0)), entry('k', 0, Uint8Array.of(0))] },
      /"k" stands twice/,
    ],
    ['a tensor twice', { tensors: [a, a] }, /tensor "a" stands twice/],
    ['overlapping tensors', { tensors: [a, { ...a, name: 'b', offset: 0 }] }, /tensor "b" overlaps another/],
    [
      'an offset past the end',
      withTensor({ offset: 2 ** 40 }),
      /tensor "a": truncated: expected \d+ bytes or more, found \d+/,
    ],
    ['an offset of 2^64 - 32', withTensor({ offset: 2n ** 64n - 32n }), /the offset of tensor "a" is/],
    ['an offset that is not aligned', withTensor({ offset: 4 }), /multiple of 32, found 4/],
    [
      'an unread type',
      withTensor({ type: 16 }),
      /tensor "a": expected a type of F32 .* found type 16 \(IQ2_XXS\)/,
    ],
    ['an unknown type', withTensor({ type: 1000 }), /found type 1000 \(unknown\)/],
    ['a removed type', withTensor({ type: 4 }), /found type 4 \(unknown\)/],
    ['5 dimensions', withTensor({ shape: [1, 1, 1, 1, 8] }), /at most 4 dimensions, found 5/],
    [
      '2^32 - 1 dimensions',
      Buffer.from(valid).fill(0xff, 24 + 9, 24 + 13),
      /at most 4 dimensions, found 4294967295/,
    ],
    ['a dimension of 2^63', withTensor({ shape: [2n ** 63n] }), /a dimension of tensor "a" is/],
    ['an overflowing shape', withTensor({ shape: [2 ** 50, 2 ** 50] }), /too large/],
    ['an overflow times 0', withTensor({ shape: [2 ** 50, 2 ** 50, 2 ** 50, 0] }), /too large/],
    [
      'a row of half a block',
      { tensors: [packedTensor('q', 'Q4_0', [2, 16])] },
      /rows of a multiple of 32 for Q4_0, found 16/,
    ],
    [
      'alignment 0',
      { metadata: [entry('general.alignment', types.u32, u32(0))] },
      /power of two up to 2\^31, found 0/,
    ],
    ['alignment 24', { metadata: [entry('general.alignment', types.u32, u32(24))] }, /power of two/],
    [
      'alignment that is text',
      { metadata: [entry('general.alignment', types.string, text('32'))] },
      /found a string/,
    ],
    ['a name with line breaks', withTensor({ name: 'a\nb', offset: 4 }), /tensor "a\\nb"/],
  ];

  it.each(cases)('%s', async (_, file, message) => {
    const path = put(file);
    expect(await outcome(() => readGguf(path))).toBe('refused');
    await expect(readGguf(path)).rejects.toThrow(message);
    await expect(readGguf(path)).rejects.toThrow(path);
  });

  it('and a header of more bytes than any model has', async () => {
    const head = ggufBytes({ counts: { metadata: 1 }, metadata: [entry('k', types.string, u64(2 ** 30))] });
    const path = put(head);
    truncateSync(path, 2 ** 31);
    expect(await outcome(() => readGguf(path))).toBe('refused');
    await expect(readGguf(path)).rejects.toThrow(/the 67108864 bytes allowed for a header/);
  });

  it('whatever bytes are changed, cut off or put in', async () => {
    const bytes = ggufBytes({
      alignment: 32,
      metadata: [
        entry('general.name', types.string, text('tiny')),
        entry('tokens', types.array, array(types.string, ['a', 'b', ''].map(text))),
        entry('nested', types.array, array(types.array, [array(types.u8, [Uint8Array.of(1)])])),
        entry('rope', types.f32, u32(0x3f800000)),
      ],
      tensors: [
        ...(Object.keys(packings) as WeightType[]).map((type) => packedTensor(type, type, [1, 256])),
        floatTensor('z', [0], []),
      ],
    });
    const headerBytes = (await readGguf(put(bytes))).dataStart;
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(damage(headerBytes), async (damaged) => {
        const path = put(damaged(bytes));
        seen[await outcome(() => readGguf(path))]++;
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(0);
  });
});

describe.skipIf(!shared)('needs ../shared: the GGUF file of the real model', () => {
  it('is read', async () => {
    const { metadata, tensors, version } = await readGguf(`${realModel()}/SmolLM2-135M-Instruct.Q4_1.gguf`);
    expect(version).toBe(3);
    expect(metadata.get('general.architecture')).toBe('llama');
    expect((metadata.get('tokenizer.ggml.tokens') as string[]).slice(0, 3)).toEqual([
      '<|endoftext|>',
      '<|im_start|>',
      '<|im_end|>',
    ]);
    expect(tensors.get('blk.29.attn_k.weight')).toMatchObject({
      type: 'Q4_1',
      shape: [192, 576],
      bytes: 69120,
    });
    expect(tensors.get('output_norm.weight')).toMatchObject({ type: 'F32', shape: [576], bytes: 2304 });
  });
});
