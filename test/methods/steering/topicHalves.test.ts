/** Halves by topic against prompts whose topic is known, and a principal component found another way. */
import { describe, expect, it } from 'vitest';
import { topicHalves } from '../../../src/methods/steering/topicHalves.ts';
import { draw } from '../../support/opCases.ts';

const d = 12;
const random = draw(8);
const noise = (size: number) => Array.from({ length: d }, () => size * random.normal());
const axis = noise(1);
/** Prompts of two topics that lie apart along an axis no coordinate has. */
const about = (topic: number) =>
  Float32Array.from(noise(0.3), (x, i) => 5 + x + (topic === 0 ? 1 : -1) * axis[i]!);
const sorted = (places: readonly number[]) => [...places].sort((a, b) => a - b);

/** Scores on the first principal component, by the covariance's powers. */
function scoresOf(means: readonly Float32Array[]): number[] {
  const mean = Array.from({ length: d }, (_, i) => means.reduce((sum, x) => sum + x[i]!, 0) / means.length);
  const rows = means.map((x) => Array.from(x, (v, i) => v - mean[i]!));
  let direction = noise(1);
  for (let step = 0; step < 5000; step++) {
    const next = Array<number>(d).fill(0);
    for (const row of rows) {
      const along = row.reduce((sum, x, i) => sum + x * direction[i]!, 0);
      row.forEach((x, i) => {
        next[i]! += along * x;
      });
    }
    const length = Math.hypot(...next);
    direction = next.map((x) => x / length);
  }
  return rows.map((row) => row.reduce((sum, x, i) => sum + x * direction[i]!, 0));
}

describe('the halves', () => {
  it('are the topics, that of the first prompt first, whatever the seed', () => {
    const topics = [1, 0, 0, 1, 1, 0, 1, 0];
    const means = topics.map(about);
    for (const seed of [1, 2, 3]) {
      const { one, other } = topicHalves(means, seed)!;
      expect(sorted(one)).toEqual([0, 3, 4, 6]);
      expect(sorted(other)).toEqual([1, 2, 5, 7]);
    }
  });

  it('are below and above the median of the first principal component', () => {
    const means = Array.from({ length: 9 }, () => Float32Array.from(noise(1)));
    const scores = scoresOf(means);
    const order = [...means.keys()].sort((a, b) => scores[a]! - scores[b]!);
    const { one, other } = topicHalves(means, 5)!;
    const expected = [order.slice(0, 4), order.slice(5)].map(sorted);
    expect([sorted(one), sorted(other)].sort()).toEqual(expected.sort());
    // the middle of nine is in neither
    expect([...one, ...other]).not.toContain(order[4]);
  });
});

it('there are none of one prompt, or of prompts that are alike', () => {
  expect(topicHalves([], 1)).toBeUndefined();
  expect(topicHalves([about(0)], 1)).toBeUndefined();
  const alike = about(1);
  expect(topicHalves([alike, alike, alike], 1)).toBeUndefined();
});
