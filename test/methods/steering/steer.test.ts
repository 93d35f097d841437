/** Several interventions as one change of a row, against what each is to do to its own projection. */
import { describe, expect, it } from 'vitest';
import {
  combined,
  type Intervention,
  projectionsHeldAt,
  type Steering,
} from '../../../src/methods/steering/steer.ts';
import { draw } from '../../support/opCases.ts';

const d = 16;
const random = draw(41);

const vector = () => Float32Array.from({ length: d }, () => random.normal());

function unit(values: ArrayLike<number> = vector()): Float32Array {
  const norm = Math.hypot(...Array.from(values));
  return Float32Array.from(values, (x) => x / norm);
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

/** The change of a single a_t [d], as the decoding graph makes it. */
function steeredRow(a: Float32Array, { add, held }: Steering): Float32Array {
  const out = Float32Array.from(a, (x, i) => x + add[i]!);
  for (const { direction, dual, low, high } of held) {
    const p = dot(a, direction);
    const move = Math.min(Math.max(p, low), high) - p;
    for (let i = 0; i < out.length; i++) out[i] = out[i]! + move * dual[i]!;
  }
  return out;
}

const axis = (at: number) => Float32Array.from({ length: d }, (_, i) => Number(i === at));

/** Unit vectors any two of which have a cosine of 0.7 or so: far from orthogonal. */
function alike(count: number): Float32Array[] {
  const common = unit();
  return Array.from({ length: count }, () => unit(common.map((x) => x + 0.16 * random.normal())));
}

const set = (direction: Float32Array, value: number): Intervention => ({ kind: 'set', direction, value });
const cap = (direction: Float32Array, value: number): Intervention => ({ kind: 'cap', direction, value });
const add = (direction: Float32Array, amount: number): Intervention => ({ kind: 'add', direction, amount });

describe('duals', () => {
  it.each([1, 2, 5, d])('of %d directions: 1 on their own, 0 on the others, in the span', (count) => {
    const directions = alike(count);
    const { held } = combined(directions.map((one) => set(one, 0)));
    for (const [k, { dual }] of held.entries())
      for (const [l, direction] of directions.entries())
        expect(dot(dual, direction)).toBeCloseTo(Number(k === l), 4);
    // what lies outside the span is no combination of duals: an orthogonal vector has no part in them
    if (count === d) return;
    let outside = Float64Array.from(vector());
    for (let sweep = 0; sweep < 500; sweep++)
      for (const direction of directions) {
        const along = dot(outside, direction);
        outside = outside.map((x, i) => x - along * direction[i]!);
      }
    for (const { dual } of held)
      expect(Math.abs(dot(dual, outside))).toBeLessThan(1e-3 * Math.hypot(...dual));
  });

  it('of one direction, and of orthogonal ones, are the directions', () => {
    const directions = [axis(3), axis(7), axis(0)];
    const { held } = combined(directions.map((one) => cap(one, 1)));
    held.forEach(({ dual, direction }, k) => {
      expect(dual).toEqual(directions[k]);
      expect(direction).toEqual(directions[k]);
    });
  });
});

describe('set', () => {
  it('of several at once makes every projection what it is told, and moves nothing outside their span', () => {
    const directions = alike(4);
    const values = [2, -1.5, 0, 0.25];
    const a = vector();
    const out = steeredRow(a, combined(directions.map((one, k) => set(one, values[k]!))));
    directions.forEach((one, k) => {
      expect(dot(out, one)).toBeCloseTo(values[k]!, 4);
    });
    // the least change that does it lies in the span: any other change that does it is longer
    const change = out.map((x, i) => x - a[i]!);
    for (let n = 0; n < 20; n++) {
      let other = Float64Array.from(change, (x) => x + 0.3 * random.normal());
      for (let sweep = 0; sweep < 500; sweep++)
        directions.forEach((one, k) => {
          const missing = values[k]! - dot(a, one) - dot(other, one);
          other = other.map((x, i) => x + missing * one[i]!);
        });
      expect(Math.hypot(...other)).toBeGreaterThan(Math.hypot(...change));
    }
  });

  it('does not depend on the order', () => {
    const directions = alike(3);
    const a = vector();
    const all = directions.map((one, k) => set(one, k - 1));
    const [one, other] = [all, all.toReversed()].map((some) => steeredRow(a, combined(some)));
    one!.forEach((x, i) => {
      expect(x).toBeCloseTo(other![i]!, 4);
    });
  });
});

describe('cap', () => {
  it('leaves a row whose projections are lower as it is, bit for bit', () => {
    for (let n = 0; n < 50; n++) {
      const directions = alike(3);
      const a = vector();
      const steering = combined(directions.map((one) => cap(one, dot(a, one) + 0.01)));
      expect(steeredRow(a, steering)).toEqual(a);
    }
  });

  it('brings down what is higher and leaves the other projections', () => {
    const directions = alike(3);
    const a = vector();
    const [p, q, r] = directions.map((one) => dot(a, one)) as [number, number, number];
    const steering = combined([
      cap(directions[0]!, p - 2),
      cap(directions[1]!, q + 5),
      cap(directions[2]!, r + 5),
    ]);
    const out = steeredRow(a, steering);
    expect(dot(out, directions[0]!)).toBeCloseTo(p - 2, 4);
    expect(dot(out, directions[1]!)).toBeCloseTo(q, 4);
    expect(dot(out, directions[2]!)).toBeCloseTo(r, 4);
  });
});

describe('add', () => {
  it('of several is their sum, along dependent directions too', () => {
    const [u, v] = [unit(), unit()];
    const a = vector();
    const steering = combined([add(u, 2), add(v, -3), add(u, 0.5)]);
    expect(steering.held).toEqual([]);
    steeredRow(a, steering).forEach((x, i) => {
      expect(x).toBeCloseTo(a[i]! + 2.5 * u[i]! - 3 * v[i]!, 5);
    });
    expect(steeredRow(a, combined([add(u, 2), add(u, -2)]))).toEqual(a);
  });

  it('comes after what is held: projections are held of the row as it was', () => {
    const u = unit();
    const a = vector();
    const out = steeredRow(a, combined([add(u, 2), set(u, 1)]));
    expect(dot(out, u)).toBeCloseTo(3, 5);
  });

  it('is at all tokens by default, else where it is told', () => {
    expect(combined([add(unit(), 1)]).tokens).toBe('all');
    expect(combined([add(unit(), 1)], 'completion').tokens).toBe('completion');
  });
});

describe('projections held at a vector', () => {
  it.each([1, 2, 3, 5])(
    '%d of them, at angles: each is exactly the vector’s, and nothing else moves',
    (count) => {
      const directions = alike(count);
      const [a, at] = [vector(), vector()];
      const steering = projectionsHeldAt(directions, at, { tokens: 'prompt', sinkNorm: 7 });
      expect([steering.tokens, steering.sinkNorm]).toEqual(['prompt', 7]);
      expect(steering.add.every((x) => x === 0)).toBe(true);
      const out = steeredRow(a, steering);
      for (const direction of directions) expect(dot(out, direction)).toBeCloseTo(dot(at, direction), 4);
      // what is orthogonal to them all keeps its projection
      let outside = Float64Array.from(vector());
      for (let sweep = 0; sweep < 500; sweep++)
        for (const direction of directions) {
          const along = dot(outside, direction);
          outside = outside.map((x, i) => x - along * direction[i]!);
        }
      expect(dot(out, outside)).toBeCloseTo(dot(a, outside), 3);
      // the same span has the same removal, whatever vectors name it
      if (count < 2) return;
      const turned = [unit(directions[0]!.map((x, i) => x + directions[1]![i]!)), ...directions.slice(1)];
      steeredRow(a, projectionsHeldAt(turned, at)).forEach((x, i) => {
        expect(x).toBeCloseTo(out[i]!, 3);
      });
    },
  );

  it('of one direction takes (a − ā)·d out of a, at all tokens, sinks as well where no norm is told', () => {
    const [d1, a, at] = [unit(), vector(), vector()];
    const steering = projectionsHeldAt([d1], at);
    expect([steering.tokens, steering.sinkNorm]).toEqual(['all', undefined]);
    const apart = dot(a, d1) - dot(at, d1);
    steeredRow(a, steering).forEach((x, i) => {
      expect(x).toBeCloseTo(a[i]! - apart * d1[i]!, 5);
    });
  });

  it('of directions that depend on one another are refused', () => {
    const u = unit();
    expect(() => projectionsHeldAt([u, u], vector())).toThrow('lies in the span of the others');
  });
});

describe('is refused', () => {
  it('without interventions', () => {
    expect(() => combined([])).toThrow(new RangeError('steering: no interventions'));
  });

  it('where held directions depend on one another, whichever they are', () => {
    const [u, v] = [unit(), unit()];
    const between = unit(u.map((x, i) => x - 2 * v[i]!));
    const dependent: readonly (readonly Float32Array[])[] = [
      [u, u],
      [u, u.map((x) => -x)],
      [u, v, between],
      [between, u, v],
      Array.from({ length: d + 1 }, () => unit()),
    ];
    for (const directions of dependent)
      expect(() => combined(directions.map((one) => cap(one, 0)))).toThrow(
        /^steering: direction \d+ lies in the span of the others, so that their projections cannot be held one by one$/,
      );
  });

  it('but not where what depends is added only', () => {
    const u = unit();
    const held = (steering: Steering) => steering.held.length;
    expect(held(combined([set(u, 0), add(u, 1)]))).toBe(1);
  });
});
