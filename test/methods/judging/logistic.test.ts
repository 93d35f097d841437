/**
 * Logistic regression against scikit-learn's numbers and against the objective itself, by finite
 * differences.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decision,
  fitLogistic,
  type Linear,
  logisticSigmoid,
} from '../../../src/methods/judging/logistic.ts';
import { expectClose } from '../../support/close.ts';
import { draw } from '../../support/opCases.ts';

/** The third feature never changes. */
const rows = [
  [1, 20, 5],
  [2, 10, 5],
  [0.5, 15, 5],
  [3, 40, 5],
  [2.5, 25, 5],
  [4, 5, 5],
  [1.5, 35, 5],
  [3.5, 30, 5],
  [2.2, 12, 5],
];
const labels = [0, 0, 0, 1, 1, 0, 1, 1, 1].map(Boolean);

describe('equals scikit-learn 1.9.1, LogisticRegression(C, tol=1e-14, solver="newton-cg") behind StandardScaler', () => {
  it.each([
    [1, [0.44158830985091324, 0.09786270897485062, 0], -2.719711795521826, 0.420463905896499],
    [0.05, [0.05667850083506247, 0.012460233377370568, 0], -0.16840996139689549, 0.534314276969789],
    [100, [1.3564696552853461, 0.28609571525707544, 0], -7.656107066414225, 0.3594566750537804],
  ])('C = %f', (C, weights, bias, first) => {
    const fitted = fitLogistic(rows, labels, { C });
    expectClose(fitted.weights, weights, 1e-9);
    expect(fitted.bias).toBeCloseTo(bias, 8);
    expect(logisticSigmoid(decision(fitted, rows[0]!))).toBeCloseTo(first, 9);
  });

  it('C is 1 by default', () => {
    expect(fitLogistic(rows, labels)).toEqual(fitLogistic(rows, labels, { C: 1 }));
  });
});

interface Case {
  readonly x: number[][];
  readonly y: boolean[];
}

/** Rows of many sizes and spreads, more features than rows among them. */
function someCase(seed: number): Case {
  const d = draw(seed);
  const [count, width] = [2 + d.below(30), 1 + d.below(40)];
  const spread = Array.from({ length: width }, () => 10 ** (d.below(7) - 3));
  const x = Array.from({ length: count }, () => spread.map((s) => s * (d.normal() + 3)));
  const y = x.map((row, n) => (n < 2 ? n === 0 : d.normal() + row[0]! / spread[0]! > 3));
  return { x, y };
}

/** F as the header of logistic.ts states it, of a decision on features as they are. */
function objective({ x, y }: Case, { weights, bias }: Linear, C: number): number {
  const scale = Array.from(weights, (_, i) => {
    const column = x.map((row) => row[i]!);
    const mean = column.reduce((sum, v) => sum + v, 0) / x.length;
    return Math.sqrt(column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length);
  });
  const penalty = scale.reduce((sum, s, i) => sum + (weights[i]! * s) ** 2, 0) / 2;
  const margin = (row: number[]) => row.reduce((sum, v, i) => sum + v * weights[i]!, bias);
  return (
    penalty + C * x.reduce((sum, row, n) => sum + Math.log1p(Math.exp((y[n] ? -1 : 1) * margin(row))), 0)
  );
}

it('at the optimum the objective has no slope in any direction', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(0.1, 1, 10), (seed, C) => {
      const given = someCase(seed);
      const found = fitLogistic(given.x, given.y, { C });
      const d = draw(seed + 1);
      // A direction in units of each feature's spread; the bias keeps the margins' mean.
      const size = given.x[0]!.map((_, i) => Math.max(...given.x.map((row) => Math.abs(row[i]!))));
      const step = size.map((s) => (1e-4 * d.normal()) / s);
      const biasStep = 1e-4 * d.normal();
      const moved = (sign: number): Linear => ({
        weights: found.weights.map((w, i) => w + sign * step[i]!),
        bias: found.bias + sign * biasStep,
      });
      const [above, at, below] = [moved(1), found, moved(-1)].map((m) => objective(given, m, C)) as [
        number,
        number,
        number,
      ];
      // Central difference, against the curvature along the same direction: a minimum, and flat.
      expect(Math.abs(above - below)).toBeLessThan(1e-3 * (above + below - 2 * at) + 1e-11 * at);
      expect(above + below - 2 * at).toBeGreaterThan(0);
    }),
    { numRuns: 60 },
  );
});

it('classes that a line separates end at finite weights, and a shift or scale of a feature changes no decision', () => {
  const x = Array.from({ length: 20 }, (_, n) => [n, (n * 7) % 5]);
  const y = x.map(([first]) => first! >= 10);
  const fitted = fitLogistic(x, y);
  const moved = x.map(([a, b]) => [1e6 + 1e-3 * a!, -50 * b!]);
  const other = fitLogistic(moved, y);
  expect(x.map((row) => decision(fitted, row) > 0)).toEqual(y);
  expectClose(
    moved.map((row) => decision(other, row)),
    x.map((row) => decision(fitted, row)),
    1e-6,
  );
});

it('needs both labels', () => {
  expect(() => fitLogistic([[1], [2]], [true, true])).toThrow(RangeError);
  expect(() => fitLogistic([], [])).toThrow(RangeError);
});
