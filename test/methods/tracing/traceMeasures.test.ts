import { describe, expect, it } from 'vitest';
import {
  headOf,
  labelAuc,
  traceMeasures,
  type ValuedExample,
} from '../../../src/methods/tracing/traceMeasures.ts';

const example = (value: number, positive?: boolean, group = `${value}`): ValuedExample => ({
  value,
  group,
  positive,
  loss: -value,
});
const twenty = Array.from({ length: 20 }, (_, i) => example(i - 9, i >= 10));

describe('measures of examples by a value', () => {
  it('say what the tenth with the greatest values holds of all above 0', () => {
    // 10 + 9 of 1 + 2 + ... + 10
    expect(traceMeasures(twenty, 1).topShare).toBeCloseTo(19 / 55);
    expect(traceMeasures([example(-1), example(-2)], 1).topShare).toBeNaN();
  });

  it('say how the value goes with the loss', () => {
    expect(traceMeasures(twenty, 1).withLoss).toBeCloseTo(-1);
  });

  it('tell labelled examples apart, those without a label left out', () => {
    const { labels } = traceMeasures([...twenty, example(99), example(-99)], 1);
    expect(labels).toEqual({ auc: { value: 1, low: 1, high: 1 }, head: { examples: 2, positives: 2 } });
    expect(labelAuc([example(1, true), example(1, false), example(0, false)])).toBe(0.75);
    expect(traceMeasures([example(1, true), example(2)], 1).labels).toBeUndefined();
  });

  it('have intervals over prompts: one that speaks for all others widens them', () => {
    const noisy = Array.from({ length: 60 }, (_, i) => example(i % 7, i % 3 === 0, `${i}`));
    const clustered = noisy.map((one, i) => ({ ...one, group: `${i % 3}` }));
    const width = (examples: readonly ValuedExample[]) => {
      const { low, high } = traceMeasures(examples, 1).labels!.auc;
      return high - low;
    };
    expect(width(noisy)).toBeGreaterThan(0.1);
    expect(width(clustered)).not.toBeCloseTo(width(noisy), 3);
  });

  it('have a head of a tenth, of 1 to 100', () => {
    expect([1, 9, 10, 250, 5000].map(headOf)).toEqual([1, 1, 1, 25, 100]);
  });
});
