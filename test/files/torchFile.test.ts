/** Checkpoints: what their tensors are, and that nothing else is read, run or believed. */
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { readTorchFile } from '../../src/files/torchFile.ts';
import { isDense, toFloat32 } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  checkpoint,
  checkpointEntries,
  dictionary,
  floatTensor,
  legacyCheckpoint,
  type Made,
  type MadeTensor,
} from '../support/torchWriter.ts';
import { type ZipMember, zipFile } from '../support/zipWriter.ts';

const at = temporaryFolder();

function put(bytes: Uint8Array): string {
  writeFileSync(at('a.pt'), bytes);
  return at('a.pt');
}

const twelve = floatTensor([3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
const withView = (first: number, shape: readonly number[], strides: readonly number[]): MadeTensor => ({
  ...twelve,
  first,
  shape,
  strides,
});

describe.each([
  ['since version 1.6', checkpoint],
  ['before version 1.6', legacyCheckpoint],
])('a checkpoint %s', (_, write) => {
  it('gives tensors, values and what dictionaries hold', async () => {
    const made = dictionary({
      a: twelve,
      inner: dictionary({ b: floatTensor([2], [1.5, -2]), name: 'TopK', k: 32 }),
      none: null,
      yes: true,
      parameter: { global: ['torch._utils', '_rebuild_parameter'], args: [twelve, true, null] },
      ordered: { global: ['collections', 'OrderedDict'], args: [] },
    });
    const found = await readTorchFile(put(write(made)));
    expect([...found.tensors.keys()]).toEqual(['a', 'inner.b', 'parameter']);
    expect(Object.fromEntries(found.values)).toEqual({
      'inner.name': 'TopK',
      'inner.k': 32,
      none: null,
      yes: true,
    });
    const a = await found.read(found.tensors.get('a')!);
    expect([a.shape, [...toFloat32(a)]]).toEqual([
      [3, 4],
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ]);
    expect([...toFloat32(await found.read(found.tensors.get('inner.b')!))]).toEqual([1.5, -2]);
  });

  it.each<[string, MadeTensor, readonly number[]]>([
    ['transposed', withView(0, [4, 3], [1, 4]), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
    ['a part', withView(5, [2, 2], [4, 1]), [5, 6, 9, 10]],
    ['a part, transposed', withView(5, [2, 2], [1, 4]), [5, 9, 6, 10]],
    ['a column', withView(2, [3], [4]), [2, 6, 10]],
    ['every second row, every third column', withView(0, [2, 2], [8, 3]), [0, 3, 8, 11]],
    ['a scalar', withView(7, [], []), [7]],
    ['nothing', withView(0, [0, 4], [4, 1]), []],
  ])('reads a view: %s', async (_name, view, values) => {
    const found = await readTorchFile(put(write(dictionary({ v: view }))));
    const { shape, ...read } = await found.read(found.tensors.get('v')!);
    expect([shape, [...toFloat32({ shape, ...read })]]).toEqual([view.shape, values]);
  });

  it.each<[string, Made, string]>([
    ['a call', { global: ['posix', 'system'], args: ['true'] }, 'refers to "posix.system"'],
    [
      'a class',
      { global: ['torch.nn.modules.linear', 'Linear'] },
      'refers to "torch.nn.modules.linear.Linear"',
    ],
    ['a quantised tensor', { global: ['torch._utils', '_rebuild_qtensor'], args: [] }, '_rebuild_qtensor'],
    ['a storage as it is', { global: ['torch', 'FloatStorage'] }, 'expected a tensor or a plain value'],
    [
      'a call of a storage',
      { global: ['torch', 'FloatStorage'], args: [1] },
      'it calls "torch.FloatStorage"',
    ],
    ['a view too far', withView(10, [3], [1]), 'does not fit in its storage of 12 values'],
    ['an expanded view', withView(0, [4, 4], [0, 1]), 'does not fit'],
    ['strides for another shape', withView(0, [12], [1, 1]), 'a shape and as many strides'],
    ['a shape below 0', withView(0, [-1], [1]), 'expected a tensor of a storage'],
    ['a huge shape', withView(0, [2 ** 40, 2 ** 40], [1, 1]), 'is too large'],
    ['a storage of another type', { ...twelve, type: 'ComplexFloatStorage' }, '"torch.ComplexFloatStorage"'],
  ])('refuses %s', async (_name, value, message) => {
    await expect(readTorchFile(put(write(dictionary({ v: value }))))).rejects.toThrow(message);
  });

  it('refuses what is no dictionary, and one too deep', async () => {
    await expect(readTorchFile(put(write(twelve)))).rejects.toThrow('expected a dictionary of tensors');
    const deep = Array.from({ length: 12 }).reduce<Made>((inner) => dictionary({ a: inner }), twelve);
    await expect(readTorchFile(put(write(deep)))).rejects.toThrow('dictionaries deep, found more');
  });

  it('cut or changed anywhere, gives an InputError of one line or the same kind of thing', async () => {
    const [whole, path] = [write(dictionary({ a: twelve, s: 'text' })), at('damaged.pt')];
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255), cut: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(change, async ({ at: place, to, cut }) => {
        const bytes = cut ? whole.subarray(0, place) : Buffer.from(whole);
        if (!cut) bytes[place] = to;
        try {
          writeFileSync(path, bytes);
          const found = await readTorchFile(path);
          for (const view of found.tensors.values()) await found.read(view);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).not.toMatch(/[\n\r]/);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('types of storage', () => {
  it.each([
    ['DoubleStorage', 'f64', new Float64Array([1, 2])],
    ['HalfStorage', 'f16', new Uint16Array([0x3c00, 0x4000])],
    ['BFloat16Storage', 'bf16', new Uint16Array([0x3f80, 0x4000])],
    ['LongStorage', 'i64', new BigInt64Array([1n, 2n])],
    ['IntStorage', 'i32', new Int32Array([1, 2])],
    ['ShortStorage', 'i16', new Int16Array([1, 2])],
    ['CharStorage', 'i8', new Int8Array([1, 2])],
    ['ByteStorage', 'u8', new Uint8Array([1, 2])],
    ['BoolStorage', 'bool', new Uint8Array([1, 0])],
  ])('%s', async (type, dtype, values) => {
    const storage = new Uint8Array(values.buffer);
    const found = await readTorchFile(
      put(checkpoint(dictionary({ v: { type, storage, length: 2, shape: [2] } }))),
    );
    const read = await found.read(found.tensors.get('v')!);
    expect([read.dtype, [...read.data]]).toEqual([dtype, [...values]]);
  });
});

describe('a zip file that is no checkpoint', () => {
  const entries = checkpointEntries(dictionary({ a: twelve }));
  const data = 'made/data/0';
  const changed = (name: string, change: Partial<ZipMember>) =>
    zipFile(entries.map((entry) => (entry.name === name ? { ...entry, ...change } : entry)));

  it.each<[string, Uint8Array, string]>([
    ['without data.pkl', zipFile(entries.slice(1)), 'expected a PyTorch checkpoint with an entry data.pkl'],
    ['without a storage', zipFile(entries.filter(({ name }) => name !== data)), `"${data}" is missing`],
    ['with a short storage', changed(data, { bytes: new Uint8Array(44) }), 'expected 48 bytes, found 44'],
    ['with a compressed storage', changed(data, { deflated: true }), 'found it compressed'],
    ['big-endian', changed('made/byteorder', { bytes: Buffer.from('big') }), 'little-endian'],
    [
      'of a program',
      zipFile([...entries, { name: 'made/constants.pkl', bytes: Buffer.from('x') }]),
      'found a TorchScript program',
    ],
    [
      'with a huge pickle',
      changed('made/data.pkl', { bytes: new Uint8Array(2 ** 20 + 1) }),
      'expected at most 1048576 bytes',
    ],
    [
      'with a pickle of another checksum',
      changed('made/data.pkl', { says: { crc: 1 } }),
      'its bytes have another checksum',
    ],
  ])('%s', async (_name, bytes, message) => {
    await expect(readTorchFile(put(bytes))).rejects.toThrow(message);
  });

  it('is told from one before version 1.6 by its first bytes', async () => {
    for (const bytes of [Buffer.from('hello'), legacyCheckpoint(twelve, '00'.repeat(10))])
      await expect(readTorchFile(put(bytes))).rejects.toThrow('no magic number of the format before');
  });

  it('is whole where its tensors lie row-major', async () => {
    const found = await readTorchFile(put(zipFile(entries)));
    expect([...found.tensors.values()].every(isDense)).toBe(true);
  });
});
