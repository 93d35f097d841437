/** Which candidates the log-odds let pass: each operation by its own, from numbers made by hand. */
import { expect, it } from 'vitest';
import { vectorDirection } from '../../../src/study/steering/direction.ts';
import type { ForcedEffects } from '../../../src/study/steering/forcedEffects.ts';
import { throughGate } from '../../../src/study/steering/gate.ts';
import { options } from './madeWork.ts';

/** Log-odds of removal, of adding away, and of adding toward. */
const random: Record<string, [number, number, number]> = {
  r1: [-2, -20, 0],
  r2: [-1, -10, 3],
  r3: [0, 0, 6],
  r4: [1, 10, 9],
  r5: [2, 20, 12],
};
// the central half of five is from the second to the fourth
const range = {
  remove: { low: -1, high: 1 },
  away: { low: -10, high: 10 },
  toward: { low: 3, high: 9 },
};
const tested: Record<string, [number, number, number]> = {
  removed: [-1.1, 0, 5],
  added: [0, -11, 9.5],
  both: [1.5, 11, 2.9],
  'one side of two': [0, -11, 5],
  'the other side': [0, -5, 12],
  'at the edges': [1, 10, 9],
  nothing: [0, 0, 6],
};

const all = { ...random, ...tested };
const directions = (names: object) =>
  Object.keys(names).map((name) => vectorDirection(name, 'candidate', Float32Array.of(1)));
const forced: ForcedEffects = {
  of(side, operation, { name }) {
    const [remove, away, toward] = all[name]!;
    const found = operation === 'remove' ? remove : { away, toward }[side];
    return { log_odds: found } as ReturnType<ForcedEffects['of']>;
  },
  all: [],
};
const gate = (full: boolean) =>
  throughGate(
    {
      controls: directions(random),
      candidates: directions(tested),
      options: { ...options, full, gateShare: 0.5 },
    },
    forced,
  );

it('lets each operation have the candidates whose own log-odds stand out, adding on both sides', () => {
  const { gate: found, removed, added } = gate(false);
  expect(found).toEqual(range);
  expect(removed.map(({ name }) => name)).toEqual(['removed', 'both']);
  expect(added.map(({ name }) => name)).toEqual(['added', 'both']);
});

it('lets all pass in a full run', () => {
  const { removed, added } = gate(true);
  for (const some of [removed, added]) expect(some.map(({ name }) => name)).toEqual(Object.keys(tested));
});
