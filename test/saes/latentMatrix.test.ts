/** Parts of a matrix of latents, of every float type and both ways it may lie in a file, against the whole of it. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { readTensorFile } from '../../src/files/readTensorFile.ts';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import { storedMatrix, wholeEncoder } from '../../src/saes/latentMatrix.ts';
import { renamed, type StoredWeights } from '../../src/saes/weights.ts';
import { type ArrayOf, tensor } from '../../src/tensor.ts';
import { temporaryFolder } from '../support/folder.ts';

const [d, N] = [5, 120];
const types = ['f64', 'f32', 'f16', 'bf16'] as const;
type Type = (typeof types)[number];

/** Small whole numbers, which every type holds. */
const valueAt = (latent: number, j: number) => ((latent * 7 + j * 3) % 13) - 6;

/** The bits of a whole number from −6 to 6. */
function stored(type: Type, values: readonly number[]): ArrayOf[Type] {
  if (type === 'f64') return Float64Array.from(values);
  if (type === 'f32') return Float32Array.from(values);
  const wide = new Uint32Array(Float32Array.from(values).buffer);
  if (type === 'bf16') return Uint16Array.from(wide, (bits) => bits >>> 16);
  return Uint16Array.from(wide, (bits) => {
    const exponent = (bits >>> 23) & 0xff;
    const magnitude = exponent === 0 ? 0 : ((exponent - 112) << 10) | ((bits >>> 13) & 0x3ff);
    return ((bits >>> 16) & 0x8000) | magnitude;
  });
}

const at = temporaryFolder();

/** A file with the matrix as [N, d] and as [d, N]. */
async function weightsOf(
  type: Type,
  change: (values: number[]) => number[] = (v) => v,
): Promise<StoredWeights> {
  const path = at(`${type}.safetensors`);
  const byLatent = Array.from({ length: N * d }, (_, i) => valueAt(Math.floor(i / d), i % d));
  const byPlace = Array.from({ length: N * d }, (_, i) => valueAt(i % N, Math.floor(i / N)));
  await writeSafetensors(path, {
    rows: tensor(type, [N, d], stored(type, change(byLatent)) as never),
    columns: tensor(type, [d, N], stored(type, change(byPlace)) as never),
  });
  return { ...(await readTensorFile(path)), where: path };
}

/** Decoder rows [n, d], or encoder columns [d, n]. */
function wanted(axis: 0 | 1, latents: readonly number[]): number[] {
  const places = [...Array(d).keys()];
  return axis === 0
    ? latents.flatMap((latent) => places.map((j) => valueAt(latent, j)))
    : places.flatMap((j) => latents.map((latent) => valueAt(latent, j)));
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe.each(types)('of %s', (type) => {
  it.each([
    ['a decoder by rows', 0, 'rows'],
    ['a decoder by columns', 0, { transposed: 'columns' }],
    ['an encoder by rows', 1, 'columns'],
    ['an encoder by columns', 1, { transposed: 'rows' }],
  ] as const)('%s', async (_, axis, source) => {
    const weights = await weightsOf(type);
    const own = renamed(weights, { W: source }, ['rows', 'columns']);
    // 50 latents are held at once, so that parts begin, end and stand within what is held
    const held = 50 * d * (weights.tensors.get('rows')!.bytes / (N * d));
    const matrix = storedMatrix(own, 'W', axis, { held });
    for (const [from, to] of [
      [0, N],
      [0, 45],
      [45, 110],
      [10, 60],
      [60, N],
      [3, 4],
      [7, 7],
    ] as const)
      expect([...(await matrix.block(from, to))]).toEqual(wanted(axis, range(from, to)));
    for (const latents of [[119, 0, 64, 64], [5], [], range(20, 90).reverse()])
      for (const one of [matrix, storedMatrix(own, 'W', axis, { alone: 0 })])
        expect([...(await one.of(latents))]).toEqual(wanted(axis, latents));
  });
});

it('a value that is not finite is told at its own place, however the matrix lies', async () => {
  // latent 101's third value by rows; latent 28's fifth by columns
  const weights = await weightsOf('f32', (values) => values.with(508, Number.NaN));
  const of = (axis: 0 | 1, W: string | { transposed: string }) =>
    storedMatrix(renamed(weights, { W }, ['rows', 'columns']), 'W', axis, { held: 50 * d * 4 });
  await expect(of(0, 'rows').block(99, 110)).rejects.toThrow('found NaN at [101,3]');
  await expect(of(1, { transposed: 'rows' }).block(60, 115)).rejects.toThrow('found NaN at [3,101]');
  await expect(of(1, 'columns').block(5, 95)).rejects.toThrow('found NaN at [4,28]');
  await expect(of(0, { transposed: 'columns' }).of([3, 28])).rejects.toThrow(
    new InputError(`${weights.where}: tensor W: expected finite values in float32, found NaN at [28,4]`),
  );
  expect((await of(0, 'rows').block(0, 101)).length).toBe(101 * d);
});

it('an encoder in memory is read once', async () => {
  let reads = 0;
  const matrix = wholeEncoder(3, async () => {
    reads++;
    return Float32Array.of(1, 2, 3, 4, 5, 6);
  });
  expect(reads).toBe(0);
  expect([...(await matrix.block(1, 3))]).toEqual([2, 3, 5, 6]);
  expect([...(await matrix.of([2, 0]))]).toEqual([3, 1, 6, 4]);
  expect(reads).toBe(1);
});
