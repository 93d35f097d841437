/**
 * Each SVG of a causal test drawn once, for to draw one takes half a second: that it comes out the same twice
 * test/study/steering/figure.test.ts holds.
 */
import type * as figurePng from '../../src/study/steering/figurePng.ts';

export function drawnOnce({ steeringPng }: typeof figurePng): typeof figurePng {
  const drawn = new Map<string, ReturnType<typeof steeringPng>>();
  return {
    steeringPng(svg, options) {
      const key = JSON.stringify([svg, options]);
      const png = drawn.get(key) ?? steeringPng(svg, options);
      drawn.set(key, png);
      return png;
    },
  };
}
