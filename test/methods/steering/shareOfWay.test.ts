/** How far a change goes to the other model: by hand counts, and its interval by simulation. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { describe, expect, it } from 'vitest';
import { generatorOf } from '../../../src/methods/statistics/random.ts';
import type { Tally } from '../../../src/methods/steering/effect.ts';
import { shareOfWay, type WayTallies, wayInterval } from '../../../src/methods/steering/shareOfWay.ts';

const tally = (positives: number, coherent: number): Tally => ({
  positives,
  coherent,
  completions: coherent,
});
const prompt = (from: Tally, changed: Tally, to: Tally): WayTallies => ({ from, changed, to });

describe('shareOfWay', () => {
  it('is of the shares over all prompts, each of its own coherent completions', () => {
    // 9/12, 4/10 and 2/11
    const prompts = [
      prompt(tally(4, 4), tally(2, 4), tally(1, 4)),
      prompt(tally(5, 8), tally(2, 6), tally(1, 7)),
    ];
    expect(shareOfWay(prompts)).toBeCloseTo((9 / 12 - 4 / 10) / (9 / 12 - 2 / 11), 12);
  });

  it.each([
    [8, 0],
    [2, 1],
    [5, 0.5],
    [0, 4 / 3],
    [10, -1 / 3],
  ])('%d of 10 on the way from 8 to 2: %d', (changed, way) => {
    expect(shareOfWay([prompt(tally(8, 10), tally(changed, 10), tally(2, 10))])).toBeCloseTo(way, 12);
  });

  it('goes up as it goes down', () => {
    expect(shareOfWay([prompt(tally(2, 10), tally(5, 10), tally(8, 10))])).toBeCloseTo(0.5, 12);
  });

  it('is not a number between models that do not differ, and without coherent text', () => {
    expect(shareOfWay([prompt(tally(4, 8), tally(1, 8), tally(4, 8))])).toBeNaN();
    expect(shareOfWay([prompt(tally(4, 8), tally(0, 0), tally(1, 8))])).toBeNaN();
  });
});

it('its interval holds the truth about as often as it says, completions of a prompt being alike', () => {
  const random = generatorOf(5);
  const draw = (p: number): Tally => {
    const yes = () => Number(uniformFloat64(random) < p);
    return tally(yes() + yes() + yes(), 3);
  };
  const truth = 0.75;
  const runs = 200;
  let covered = 0;
  for (let run = 0; run < runs; run++) {
    const prompts = Array.from({ length: 40 }, () => {
      // a hard prompt is a hard one for all three
      const shift = 0.2 * (uniformFloat64(random) - 0.5);
      return prompt(draw(0.7 + shift), draw(0.7 - truth * 0.5 + shift), draw(0.2 + shift));
    });
    const { low, high } = wayInterval(prompts, run);
    if (low <= truth && truth <= high) covered++;
  }
  // three standard errors about 95 %
  expect(covered / runs).toBeGreaterThan(0.9);
  expect(covered / runs).toBeLessThan(0.997);
});

it('its interval is the same for a seed, and narrows with prompts', () => {
  const some = Array.from({ length: 12 }, (_, j) =>
    prompt(tally(6 + (j % 3), 10), tally(3 + (j % 2), 10), tally(1 + (j % 3), 10)),
  );
  expect(wayInterval(some, 3)).toEqual(wayInterval(some, 3));
  const [few, many] = [some, [...some, ...some, ...some, ...some]].map((prompts) => wayInterval(prompts, 1));
  expect(many!.high - many!.low).toBeLessThan(0.65 * (few!.high - few!.low));
});
