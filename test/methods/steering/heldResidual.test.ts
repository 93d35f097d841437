/** Projections held and vectors added on rows: what is promised of each projection, and of all that is orthogonal. */
import { describe, expect, it } from 'vitest';
import { steeredAt } from '../../../src/methods/steering/heldResidual.ts';
import { combined, latentSubtracted, projectionsHeldAt } from '../../../src/methods/steering/steer.ts';
import { draw } from '../../support/opCases.ts';
import { normal } from '../../support/tinyModel.ts';

const [d, T] = [12, 5];
const random = draw(71);
const unit = () => {
  const { data } = normal(random, [d], 1);
  const length = Math.hypot(...data);
  return data.map((x) => x / length);
};
const directions = [unit(), unit(), unit()];
const rows = normal(random, [T, d], 2).data;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
const rowOf = (all: Float32Array, t: number) => all.subarray(t * d, (t + 1) * d);

/** What is left of a row outside the span of the directions, by solving the normal equations. */
function outside(row: ArrayLike<number>): number[] {
  const left = Array.from(row);
  const basis: number[][] = [];
  for (const one of directions) {
    const v = Array.from(one);
    for (const b of basis) {
      const p = dot(v, b);
      v.forEach((_, i) => {
        v[i]! -= p * b[i]!;
      });
    }
    const length = Math.hypot(...v);
    basis.push(v.map((x) => x / length));
  }
  for (const b of basis) {
    const p = dot(left, b);
    left.forEach((_, i) => {
      left[i]! -= p * b[i]!;
    });
  }
  return left;
}

describe('steeredAt', () => {
  it('holds every projection at the baseline’s, whatever the angles, and moves nothing outside their span', () => {
    const at = normal(random, [d], 1).data;
    const found = steeredAt(projectionsHeldAt(directions, at), [0, 2, 3, 4])(rows.slice());
    for (const t of [0, 2, 3, 4]) {
      for (const one of directions) expect(dot(rowOf(found, t), one)).toBeCloseTo(dot(at, one), 4);
      outside(rowOf(rows, t)).forEach((x, i) => {
        expect(outside(rowOf(found, t))[i]).toBeCloseTo(x, 4);
      });
    }
    expect(rowOf(found, 1)).toEqual(rowOf(rows, 1));
  });

  it('caps what is above a bound, and leaves the rest', () => {
    const [one] = directions as [Float32Array];
    const all = Array.from({ length: T }, (_, t) => dot(rowOf(rows, t), one));
    const bound = all.toSorted((a, b) => a - b)[2]!;
    const steering = combined([{ kind: 'cap', direction: one, value: bound }]);
    const found = steeredAt(steering, [...Array(T).keys()])(rows.slice());
    for (const [t, p] of all.entries()) {
      expect(dot(rowOf(found, t), one)).toBeCloseTo(Math.min(p, bound), 5);
      if (p <= bound) expect(rowOf(found, t)).toEqual(rowOf(rows, t));
    }
  });

  it('adds a vector', () => {
    const [one] = directions as [Float32Array];
    const steering = combined([{ kind: 'add', direction: one, amount: 3 }]);
    const found = steeredAt(steering, [1])(rows.slice());
    expect(dot(rowOf(found, 1), one)).toBeCloseTo(dot(rowOf(rows, 1), one) + 3, 5);
  });

  it('refuses what needs an encoder', () => {
    expect(() => steeredAt(latentSubtracted(1, directions[0]!), [0])).toThrow(/by its encoder/);
  });
});
