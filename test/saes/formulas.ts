/**
 * A dictionary of seeded numbers, what publishers' formulas make of it in float64, and how its files are written.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { referenceRuntime } from '../../src/runtime/reference.ts';
import type { SaeSaid } from '../../src/saes/formats/format.ts';
import { saeFormats } from '../../src/saes/formats/formats.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { checkpoint, dictionary, floatTensor, type Made } from '../support/torchWriter.ts';
import { runGraph } from './runGraph.ts';

export const runtime = referenceRuntime();

export const [d, N, T, k] = [4, 7, 5, 3];

/** Numbers in −1..1 of a seed. */
function numbers(count: number, seed: number): number[] {
  let state = seed * 7919 + 1;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return Math.fround((2 * state) / 2147483647 - 1);
  });
}

/** Rows of a matrix. */
export const matrix = (values: readonly number[], columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) => values.slice(i * columns, (i + 1) * columns));
export const flipped = (rows: readonly number[][]): number[][] =>
  rows[0]!.map((_, j) => rows.map((row) => row[j]!));
export const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, v, i) => sum + v * b[i]!, 0);
export const norm = (a: readonly number[]) => Math.hypot(...a);
export const relu = (v: number) => Math.max(0, v);

/** Encoder [N, d], decoder rows [N, d], biases, and x [T, d]. */
export const E = matrix(numbers(N * d, 1), d);
export const D = matrix(numbers(N * d, 2), d);
export const [b, e, m, r] = [numbers(d, 3), numbers(N, 4), numbers(N, 5), numbers(N, 6)];
export const t = numbers(N, 7).map(Math.abs);
export const X = matrix(
  numbers(T * d, 8).map((v) => 3 * v + 1),
  d,
);

export const less = (x: readonly number[], by: readonly number[]) => x.map((v, j) => v - by[j]!);
export const pre = (x: readonly number[], bias: readonly number[] = e) =>
  E.map((row, i) => dot(row, x) + bias[i]!);
export const decoded = (a: readonly number[], bias = b) => bias.map((v, j) => v + dot(a, flipped(D)[j]!));
export const kept = (p: readonly number[]) => {
  const least = p.toSorted((one, other) => other - one)[k - 1]!;
  return p.map((v) => (v >= least ? relu(v) : 0));
};
export const above = (p: readonly number[], limits: readonly number[]) =>
  p.map((v, i) => (v > limits[i]! ? relu(v) : 0));

/** a [N] of decoder rows as published, and x̂ [d]. */
export type Formula = (x: readonly number[]) => { readonly a: number[]; readonly made: number[] };
export const plainly =
  (encode: (x: readonly number[]) => number[]): Formula =>
  (x) => {
    const a = encode(x);
    return { a, made: decoded(a) };
  };

export async function expectFormula(path: string, formula: Formula, said: SaeSaid = {}, scale = 1) {
  const sae = await openSae(path, saeFormats, said);
  const { z, reconstruction } = await runGraph(runtime, sae, Float32Array.from(X.flat()));
  const wanted = X.map(formula);
  const unit = wanted.flatMap(({ a }) => a.map((v, i) => (v * norm(D[i]!)) / scale));
  const error = (found: Float32Array, exact: readonly number[]) =>
    Math.max(...exact.map((v, i) => Math.abs(v - found[i]!)));
  expect([...z].map((v) => v > 0)).toEqual(unit.map((v) => v > 0));
  expect(error(z, unit)).toBeLessThan(1e-5);
  expect(
    error(
      reconstruction,
      wanted.flatMap(({ made }) => made),
    ),
  ).toBeLessThan(1e-5);
  return sae;
}

/** A matrix as it stands, or a vector, as a tensor of a checkpoint. */
export const torch = (rows: readonly number[][] | readonly number[]): Made => {
  const shape = Array.isArray(rows[0]) ? [rows.length, (rows[0] as number[]).length] : [rows.length];
  return floatTensor(shape, rows.flat());
};
export const scalar = (value: number): Made => floatTensor([], [value]);
export const wholeNumber = (value: number): Made => ({
  type: 'LongStorage',
  storage: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
  length: 1,
  shape: [],
});
/** Files in a folder, and checkpoints. */
export function filesIn(at: (...parts: string[]) => string) {
  function put(name: string, bytes: Uint8Array | string): string {
    const path = at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return path;
  }
  const save = (name: string, tensors: Readonly<Record<string, Made>>) =>
    put(name, checkpoint(dictionary(tensors)));
  return { put, save };
}

/** The activations of a gated SAE of the biases e and m. */
export function gatedOf(x: readonly number[]): number[] {
  const product = pre(less(x, b), Array(N).fill(0));
  return product.map((p, i) => (p + e[i]! > 0 ? relu(p * Math.exp(r[i]!) + m[i]!) : 0));
}
