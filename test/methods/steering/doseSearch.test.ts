import { describe, expect, it } from 'vitest';
import { doseStep, type TriedDose } from '../../../src/methods/steering/doseSearch.ts';

const ladder = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8];

/** The whole search where doses up to `last` are within the limit. */
function search(last: number, limit = 0.1): { found: number | undefined; tried: TriedDose[] } {
  const tried: TriedDose[] = [];
  for (;;) {
    const step = doseStep(ladder, tried, limit);
    if ('found' in step) return { found: step.found, tried };
    tried.push({ dose: step.next, incoherent: step.next <= last ? limit : limit + 0.05 });
  }
}

describe('doseStep', () => {
  it.each([0, ...ladder])('finds the strongest dose within the limit: %d', (last) => {
    const { found, tried } = search(last);
    expect(found).toBe(last === 0 ? undefined : last);
    expect(tried.length).toBeLessThanOrEqual(4);
    expect(new Set(tried.map(({ dose }) => dose)).size).toBe(tried.length);
  });

  it('does not depend on the order in which doses were tried', () => {
    const { tried } = search(0.3);
    expect(doseStep(ladder, tried.toReversed(), 0.1)).toEqual({ found: 0.3 });
  });

  it('refuses a ladder without order', () => {
    expect(() => doseStep([], [], 0.1)).toThrow('expected ascending doses');
    expect(() => doseStep([0.2, 0.1], [], 0.1)).toThrow('found 0.2, 0.1');
  });
});
