/** Arrays of numpy in a zip file: stored or compressed, in either order; and bombs. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readNpz } from '../../src/files/npzFile.ts';
import { toFloat32 } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyFile } from '../support/npyWriter.ts';
import { type ZipMember, zipFile } from '../support/zipWriter.ts';

const at = temporaryFolder();

function put(...members: readonly ZipMember[]): string {
  writeFileSync(at('a.npz'), zipFile(members));
  return at('a.npz');
}

const six = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const matrix = npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", six);

async function values(path: string, name: string): Promise<number[]> {
  const found = await readNpz(path);
  return [...toFloat32(await found.read(found.tensors.get(name)!))];
}

describe.each([false, true])('arrays, compressed: %s', (deflated) => {
  it('row by row, and column by column', async () => {
    const columns = npyFile("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", six);
    const path = put({ name: 'a.npy', bytes: matrix, deflated }, { name: 'f.npy', bytes: columns, deflated });
    expect((await readNpz(path)).tensors.get('a')!.shape).toEqual([2, 3]);
    expect(await values(path, 'a')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await values(path, 'f')).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it('of no axis, and of version 2', async () => {
    const scalar = npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", six.subarray(0, 4), 2);
    expect(await values(put({ name: 's.npy', bytes: scalar, deflated }), 's')).toEqual([1]);
  });

  it('of another size than the header says', async () => {
    const path = put({ name: 'a.npy', bytes: matrix.subarray(0, -4), deflated });
    await expect(readNpz(path)).rejects.toThrow('entry "a.npy": expected 152 bytes, found 148');
  });
});

describe('headers', () => {
  it.each([
    ["{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", 'found ">f4"'],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", 'found "|O"'],
    ["{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }", 'found "<c8"'],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", 'expected a header with descr'],
    ["{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }", 'expected a header with descr'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2), }", 'expected a shape, found "(2)"'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", 'expected a header with descr'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740991, 3), }", 'is too large'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': __import__('os')}", 'expected a header'],
  ])('%s', async (header, message) => {
    const path = put({ name: 'a.npy', bytes: npyFile(header, six) });
    await expect(readNpz(path)).rejects.toThrow(message);
  });

  it('of other files', async () => {
    const text = put({ name: 'a.npy', bytes: Buffer.from('not an array at all') });
    await expect(readNpz(text)).rejects.toThrow('expected a .npy array, found "not an"');
    const later = npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", six, 4);
    await expect(readNpz(put({ name: 'a.npy', bytes: later }))).rejects.toThrow('version 1, 2 or 3, found 4');
  });
});

describe('zip files', () => {
  it.each<[string, readonly ZipMember[], string]>([
    [
      'that say more bytes than they hold',
      [{ name: 'a.npy', bytes: matrix, deflated: true, says: { bytes: 2 ** 31 + 1 } }],
      'compressed entries of at most 2147483648 bytes',
    ],
    [
      'with a name twice',
      [
        { name: 'a.npy', bytes: matrix },
        { name: 'a.npy', bytes: matrix },
      ],
      'stands there twice',
    ],
    [
      'encrypted',
      [{ name: 'a.npy', bytes: matrix, deflated: true, says: { flags: 1 } }],
      'found it encrypted',
    ],
    [
      'compressed otherwise',
      [{ name: 'a.npy', bytes: matrix, says: { method: 12 } }],
      'found compression method 12',
    ],
    [
      'of too many entries',
      Array.from({ length: 4097 }, (_, i) => ({ name: `${i}`, bytes: matrix.subarray(0, 1) })),
      'expected at most 4096 entries, found 4097',
    ],
    ['that lead elsewhere', [{ name: '../a.npy', bytes: matrix }], 'expected a zip file'],
  ])('%s', async (_name, members, message) => {
    await expect(readNpz(put(...members))).rejects.toThrow(message);
  });

  it('that inflate to more than they say, or to other bytes, are noticed when they are read', async () => {
    const zeros = npyFile(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000,), }",
      new Uint8Array(4e6),
    );
    const bomb = npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", new Uint8Array(4e6));
    const says = { bytes: matrix.length };
    await expect(values(put({ name: 'a.npy', bytes: bomb, deflated: true, says }), 'a')).rejects.toThrow(
      'expected 152 deflated bytes',
    );
    await expect(
      values(put({ name: 'a.npy', bytes: matrix, deflated: true, says: { crc: 7 } }), 'a'),
    ).rejects.toThrow('its bytes have another checksum');
    expect((await values(put({ name: 'z.npy', bytes: zeros, deflated: true }), 'z')).length).toBe(1e6);
  });

  it('cut short', async () => {
    writeFileSync(at('b.npz'), zipFile([{ name: 'a.npy', bytes: matrix }]).subarray(0, -30));
    await expect(readNpz(at('b.npz'))).rejects.toThrow('expected a zip file');
    await expect(readNpz(at('none.npz'))).rejects.toThrow('no such file');
  });
});
