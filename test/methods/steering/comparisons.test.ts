/** Directions to compare with, against matrices and means that are known. */
import { describe, expect, it } from 'vitest';
import { shuffledDictionary } from '../../../src/methods/attribution/shuffledDictionary.ts';
import { firstEigenvectors, meanDifference, unitOf } from '../../../src/methods/steering/comparisons.ts';
import { draw } from '../../support/opCases.ts';

const d = 12;
const random = draw(17);
const normals = (count: number) => Array.from({ length: count }, () => random.normal());
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

/** An orthonormal basis, by Gram and Schmidt. */
function basis(): number[][] {
  const found: number[][] = [];
  while (found.length < d) {
    let vector = normals(d);
    for (const unit of [...found, ...found]) {
      const along = dot(vector, unit);
      vector = vector.map((x, i) => x - along * unit[i]!);
    }
    const length = Math.hypot(...vector);
    found.push(vector.map((x) => x / length));
  }
  return found;
}

describe('firstEigenvectors', () => {
  const axes = basis();
  // M = −Σ λ_k u_k u_kᵀ and an antisymmetric part, which no dᵀMd sees
  const spectrum = [3, 2, 1.2, 0.5, 0.1, 0, 0, -0.3, -1, -2, -4, -5];
  const twist = Array.from({ length: d }, () => normals(d));
  const m = Float32Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    const symmetric = spectrum.reduce((sum, value, k) => sum - value * axes[k]![i]! * axes[k]![j]!, 0);
    return symmetric + twist[i]![j]! - twist[j]![i]!;
  });
  const delta = (v: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) sum -= v[i]! * m[i * d + j]! * v[j]!;
    return sum;
  };

  it('are the axes of greatest Δ, not of greatest size, orthonormal, in order', () => {
    const found = firstEigenvectors(m, 3, 1);
    found.forEach((vector, k) => {
      expect(Math.abs(dot(vector, axes[k]!))).toBeCloseTo(1, 5);
      expect(delta(vector)).toBeCloseTo(spectrum[k]!, 4);
      for (const [l, other] of found.entries()) expect(dot(vector, other)).toBeCloseTo(Number(k === l), 5);
    });
    for (let n = 0; n < 50; n++) expect(delta(unitOf(normals(d))!)).toBeLessThan(spectrum[0]!);
  });

  it('do not depend on the seed but for their sign', () => {
    const [one, other] = [firstEigenvectors(m, 2, 1), firstEigenvectors(m, 2, 2)];
    one.forEach((vector, k) => {
      expect(Math.abs(dot(vector, other[k]!))).toBeCloseTo(1, 5);
    });
    expect(firstEigenvectors(m, 2, 1)).toEqual(one);
  });
});

it('meanDifference is the difference of the means of rows', () => {
  const rows = (...values: number[][]) => values.map((row) => Float32Array.from(row));
  const found = meanDifference(rows([1, 2], [3, 6]), rows([1, 1], [0, 2], [2, 3]));
  expect([...found]).toEqual([1, 2]);
});

it('unitOf has length 1, and is none for zeros and what is not finite', () => {
  const found = unitOf([3, 0, -4])!;
  [0.6, 0, -0.8].forEach((x, i) => {
    expect(found[i]).toBeCloseTo(x, 6);
  });
  expect(unitOf([0, 0])).toBeUndefined();
  expect(unitOf([1, Number.NaN])).toBeUndefined();
});

describe('shuffledDictionary', () => {
  const latents = 9;
  const rows = Float32Array.from(normals(latents * d));
  const dictionary = {
    width: d,
    latents,
    decoderRows: async (from: number, to: number) => rows.slice(from * d, to * d),
  };
  const rowOf = (of: Float32Array, i: number) => of.subarray(i * d, (i + 1) * d);

  it('has the columns in another order, the same for every latent: norms and angles stay', async () => {
    const shuffled = shuffledDictionary(dictionary, 4);
    expect([shuffled.width, shuffled.latents]).toEqual([d, latents]);
    const found = await shuffled.decoderRows(0, latents);
    const column = (of: Float32Array, j: number) => Array.from({ length: latents }, (_, i) => of[i * d + j]!);
    const names = (of: Float32Array) => Array.from({ length: d }, (_, j) => column(of, j).join());
    expect(names(found)).not.toEqual(names(rows));
    expect(names(found).sort()).toEqual(names(rows).sort());
    for (let i = 0; i < latents; i++)
      for (let j = 0; j < latents; j++)
        expect(dot(rowOf(found, i), rowOf(found, j))).toBeCloseTo(dot(rowOf(rows, i), rowOf(rows, j)), 4);
  });

  it('gives a part of it as of the whole, by the seed', async () => {
    const shuffled = shuffledDictionary(dictionary, 4);
    const whole = await shuffled.decoderRows(0, latents);
    expect(await shuffled.decoderRows(3, 6)).toEqual(whole.slice(3 * d, 6 * d));
    expect(await shuffledDictionary(dictionary, 4).decoderRows(0, latents)).toEqual(whole);
    expect(await shuffledDictionary(dictionary, 5).decoderRows(0, latents)).not.toEqual(whole);
  });
});
