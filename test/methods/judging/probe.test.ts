/** Probes on made-up features whose best probabilities are known. */
import { describe, expect, it } from 'vitest';
import { logisticSigmoid } from '../../../src/methods/judging/logistic.ts';
import { type ProbeExample, probability, testProbe, trainProbe } from '../../../src/methods/judging/probe.ts';
import { type Draw, draw } from '../../support/opCases.ts';

/**
 * Two answers to a prompt, features of which only the first tells the label: P(true) = sigmoid(2 · first),
 * about.
 */
function pairs(d: Draw, prompts: number, noise = 30): ProbeExample[] {
  return Array.from({ length: prompts }, (_, group) =>
    [true, false].map((label) => ({
      features: [(label ? 1 : -1) + d.normal(), ...Array.from({ length: noise }, () => d.normal())],
      label,
      group: `${group}`,
    })),
  ).flat();
}

const options = { seed: 1, Cs: [1] };

describe('trainProbe', () => {
  const d = draw(2);
  const [train, test] = [pairs(d, 80), pairs(d, 1000)];
  const probe = trainProbe(train, options);
  const report = testProbe(probe, test);

  it('finds what tells the labels apart', () => {
    // The best decision there is gets Φ(1) = 0.841 right, and Φ(√2) = 0.921 within pairs.
    expect(report.accuracy).toBeGreaterThan(0.74);
    expect(report.accuracy).toBeLessThan(0.86);
    expect(report.within.groups).toBe(1000);
    expect(report.within.accuracy).toBeGreaterThan(0.82);
    expect(report.within.accuracy).toBeLessThan(0.94);
    expect(report).toMatchObject({ examples: 2000, positives: 1000 });
  });

  it('is less sure once its temperature is set on examples that it has not seen', () => {
    expect(probe.temperature).toBeGreaterThan(1.3);
    expect(report.calibrationError).toBeLessThan(0.05);
    expect(report.calibrationError).toBeLessThan(report.uncalibratedError / 2);
    const raw = {
      ...probe,
      weights: probe.weights.map((w) => w * probe.temperature),
      bias: probe.bias * probe.temperature,
      temperature: 1,
    };
    expect(testProbe(raw, test).calibrationError).toBeCloseTo(report.uncalibratedError, 12);
    expect(testProbe(raw, test).accuracy).toBe(report.accuracy);
    expect(testProbe(raw, test).loss).toBeGreaterThan(report.loss);
  });

  it('takes the C of the least loss on examples that it has not seen', () => {
    const losses = [1, 0.1, 0.001].map((C) => testProbe(trainProbe(train, { seed: 1, Cs: [C] }), test).loss);
    const free = trainProbe(train, { seed: 1, Cs: [1, 0.1, 0.001] });
    expect(free.C).toBe([1, 0.1, 0.001][losses.indexOf(Math.min(...losses))]);
    expect(free).toEqual(trainProbe(train, { seed: 1, Cs: [free.C] }));
    expect(free.C).not.toBe(1);
  });

  it('is the same for a seed', () => {
    expect(trainProbe(train, options)).toEqual(probe);
    expect(trainProbe(train, { ...options, seed: 2 }).temperature).not.toBe(probe.temperature);
  });

  it('on labels that nothing tells, learns to say so', () => {
    const blind = train.map((example, i) => ({
      ...example,
      label: i % 2 === (i >> 1) % 2,
      features: [d.normal(), d.normal()],
    }));
    expect(Math.abs(probability(trainProbe(blind, options), [1, 1]) - 0.5)).toBeLessThan(0.2);
  });

  it('never lets a group be decided by a probe that has seen it', () => {
    // Each group has a feature of its own that gives away its label: only examples of other groups could
    // not use it.
    const leaky = Array.from({ length: 40 }, (_, g) =>
      [0, 1, 2].map(() => ({
        features: Array.from({ length: 40 }, (_, i) => (i === g ? (g % 2 ? 5 : -5) : 0)),
        label: g % 2 === 1,
        group: `${g}`,
      })),
    ).flat();
    // Across groups the features say nothing: the coldest useful temperature is the hottest there is.
    expect(trainProbe(leaky, options).temperature).toBeGreaterThan(5);
  });
});

describe('testProbe', () => {
  const probe = { weights: Float64Array.of(1), bias: 0, C: 1, temperature: 1 };
  const example = (x: number, label: boolean, group: string): ProbeExample => ({
    features: [x],
    label,
    group,
  });

  it('counts by hand', () => {
    const report = testProbe(probe, [
      example(2, true, 'a'),
      example(1, false, 'a'),
      example(-1, false, 'b'),
      example(-1, true, 'b'),
      example(-3, false, 'c'),
    ]);
    expect(report).toMatchObject({ examples: 5, positives: 2, accuracy: 3 / 5 });
    // In a the pair is right, b is a tie; c has no pair.
    expect(report.within).toEqual({ groups: 2, accuracy: 0.75 });
    expect(report.auc).toBeCloseTo((1 + 1 + 1 + 0 + 0.5 + 1) / 6, 12);
    const losses = [
      -Math.log(logisticSigmoid(2)),
      -Math.log(logisticSigmoid(-1)),
      -Math.log(logisticSigmoid(1)),
      -Math.log(logisticSigmoid(-1)),
      -Math.log(logisticSigmoid(3)),
    ];
    expect(report.loss).toBeCloseTo(losses.reduce((sum, x) => sum + x, 0) / 5, 12);
  });
});
