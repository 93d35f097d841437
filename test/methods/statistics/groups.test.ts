/** Grouping and drawing: nothing lost, order kept, every order as likely. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drawGroups, grouped, shuffled, shuffledWithin } from '../../../src/methods/statistics/groups.ts';
import { generatorOf } from '../../../src/methods/statistics/random.ts';

it('groups keep the order of their first appearance', () => {
  const found = grouped(['b1', 'a1', 'b2', 'c1', 'a2'], (item) => item[0]!);
  expect([...found]).toEqual([
    ['b', ['b1', 'b2']],
    ['a', ['a1', 'a2']],
    ['c', ['c1']],
  ]);
});

it('shuffling keeps all items and leaves the list given as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer(), (items, seed) => {
      const before = [...items];
      const found = shuffled(items, generatorOf(seed));
      expect(items).toEqual(before);
      expect(found.toSorted()).toEqual(items.toSorted());
    }),
  );
});

it('shuffling within groups keeps the items of each, and their places', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat())), fc.integer(), (items, seed) => {
      const found = shuffledWithin(items, ([group]) => group, seed);
      expect(found.map(([group]) => group)).toEqual(items.map(([group]) => group));
      expect(found.map(String).toSorted()).toEqual(items.map(String).toSorted());
    }),
  );
  const many = Array.from({ length: 40 }, (_, i) => ['a', i] as const);
  expect(shuffledWithin(many, ([group]) => group, 1)).not.toEqual(many);
});

it('each of the six orders of three comes up as often', () => {
  const random = generatorOf(1);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = shuffled(['a', 'b', 'c'], random).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

it('draws a share of the names, at least one, by the seed', () => {
  const names = Array.from({ length: 50 }, (_, i) => `${i % 25}`);
  const drawn = drawGroups(names, 0.2, 7);
  expect(drawn.size).toBe(5);
  expect(drawGroups(names, 0.2, 7)).toEqual(drawn);
  expect(drawGroups(names, 0.2, 8)).not.toEqual(drawn);
  expect(drawGroups(['a', 'b'], 0.01, 1).size).toBe(1);
});
