/** Detectors on made-up residuals whose truth is known. */
import { describe, expect, it } from 'vitest';
import { decision } from '../../../src/methods/judging/logistic.ts';
import { aucOf } from '../../../src/methods/monitoring/detection.ts';
import {
  alongDirection,
  calibrated,
  differenceDetector,
  type MeasuredText,
  probabilityOf,
  scoredBy,
} from '../../../src/methods/monitoring/detectors.ts';
import { crossTried, fitMonitor, randomShares, tryMonitor } from '../../../src/methods/monitoring/fitted.ts';
import { detectionMeasures, randomRange } from '../../../src/methods/monitoring/measures.ts';
import { draw } from '../../support/opCases.ts';

const d = 12;
const unit = (i: number) => Float32Array.from({ length: d }, (_, j) => Number(i === j));
const baseline = new Float32Array(d).fill(0.25);

/** Noise, with the label along axis 0 where it is planted; four texts of each prompt. */
function made(count: number, seed: number, planted: number): MeasuredText[] {
  const r = draw(seed);
  return Array.from({ length: count }, (_, n) => {
    const label = n % 2 === 0;
    const features = Float32Array.from({ length: d }, () => r.normal());
    if (planted > 0) features[0] = (label ? planted : -planted) + 0.1 * features[0]!;
    return { features, label, group: `p${Math.floor(n / 4)}` };
  });
}

const options = {
  latents: [
    { name: 'planted', direction: unit(0), sign: 1 as const },
    { name: 'other', direction: unit(1), sign: 1 as const },
  ],
  random: Array.from({ length: 8 }, (_, i) => unit(i + 2)),
  baseline,
  seed: 1,
};

describe('a planted direction', () => {
  const fitted = fitMonitor(made(200, 1, 1), options);
  const tried = tryMonitor(fitted, made(200, 2, 1));
  const measures = tried.detectors.map((texts) => detectionMeasures(texts, { seed: 1, resamples: 100 }));

  it('is told apart by its latent, the probe and the mean difference, and by no other', () => {
    const aucs = Object.fromEntries(fitted.detectors.map(({ name }, k) => [name, measures[k]!.auc.value]));
    expect(aucs).toMatchObject({ planted: 1, probe: 1, 'mean difference': 1 });
    expect(aucs.other).toBeGreaterThan(0.35);
    expect(aucs.other).toBeLessThan(0.65);
    const { high } = randomRange(randomShares(tried).auc, 1);
    expect(high).toBeLessThan(0.65);
  });

  it('has a threshold that holds, intervals around it, and probabilities that mean what they say', () => {
    const [own, other] = measures;
    expect(own).toMatchObject({
      tpr: { value: 1 },
      fpr: { value: 0 },
      within: { value: 1, pairs: 200, groups: 50 },
    });
    expect(own!.brier).toBeLessThan(0.01);
    expect(other!.brier).toBeGreaterThan(0.2);
    for (const { auc, within } of [other!]) {
      for (const { low, value, high } of [auc, within]) {
        expect(low).toBeLessThan(value);
        expect(high).toBeGreaterThan(value);
      }
    }
  });
});

describe('labels without a cause', () => {
  const texts = made(60, 3, 0);

  it('are learnt by the probe, whose AUC and threshold are those across folds', () => {
    const { detectors } = fitMonitor(texts, options);
    const probe = detectors.find(({ kind }) => kind === 'probe')!;
    const learnt = scoredBy(probe, texts);
    expect(aucOf(learnt)).toBeGreaterThan(0.7);
    expect(probe.fittedAuc).toBeLessThan(aucOf(learnt) - 0.1);
    const greatest = Math.max(...learnt.filter(({ label }) => !label).map(({ score }) => score));
    expect(probe.threshold).toBeGreaterThan(greatest);
  });

  it('are tried with what was fitted without them, each text once', () => {
    const crossed = crossTried(texts, options)!;
    const { detectors } = fitMonitor(texts, options);
    for (const [k, own] of crossed.detectors.entries()) {
      expect(own.map(({ group }) => group).sort()).toEqual(texts.map(({ group }) => group).sort());
      // a latent is the same whatever it is fitted to
      if (detectors[k]!.kind === 'latent') expect(aucOf(own)).toBeCloseTo(detectors[k]!.fittedAuc, 12);
      else expect(aucOf(own)).toBeLessThan(aucOf(scoredBy(detectors[k]!, texts)));
    }
  });

  it('are tried in no fold whose rest has one label alone', () => {
    expect(
      crossTried(
        texts.filter(({ group }) => group === 'p0'),
        options,
      ),
    ).toBeUndefined();
  });
});

it('a score is the projection less the baseline’s, on the side of the sign', () => {
  const x = Float32Array.from({ length: d }, (_, i) => i);
  expect(decision(alongDirection(unit(3), 1, baseline), x)).toBeCloseTo(2.75, 12);
  expect(decision(alongDirection(unit(3), -1, baseline), x)).toBeCloseTo(-2.75, 12);
});

it('a random direction takes the side that is higher on the positives', () => {
  const texts = made(80, 4, 1);
  const against = fitMonitor(texts, { ...options, random: [unit(0).map((x) => -x)] });
  expect(randomShares(tryMonitor(against, made(80, 5, 1))).auc).toEqual([1]);
  expect(randomShares(tryMonitor(against, made(80, 5, 1))).tpr).toEqual([1]);
});

it('the mean difference is of length 1, and of zeros where there is none', () => {
  const at = (x: number, label: boolean): MeasuredText => ({
    features: new Float32Array(d).fill(x),
    label,
    group: 'p',
  });
  const { weights } = differenceDetector([at(3, true), at(1, true), at(1, false)], baseline);
  expect(Math.hypot(...weights)).toBeCloseTo(1, 6);
  expect([...differenceDetector([at(1, true), at(1, false)], baseline).weights]).toEqual(Array(d).fill(0));
  expect(() => differenceDetector([at(1, true)], baseline)).toThrow(RangeError);
});

it('a calibration gives the share of positives where scores tell nothing', () => {
  const texts = made(40, 6, 0).map((text, n) => ({ ...text, label: n % 4 === 0 }));
  const nothing = { weights: new Float64Array(d), bias: 0 };
  const found = calibrated(scoredBy(nothing, texts));
  expect(probabilityOf(found, 0)).toBeCloseTo(0.25, 6);
  expect(found.threshold).toBe(0);
});

it('a range of random shares, and where one more is expected', () => {
  const { median, low, high, nextLow, nextHigh } = randomRange([0.4, 0.5, 0.6], 1);
  expect([median, low, high].map((x) => x.toFixed(4))).toEqual(['0.5000', '0.4050', '0.5950']);
  // 0.5 ± t(2 degrees) 0.1 √(4/3), which is beyond 0 and below 1
  expect(nextHigh).toBeCloseTo(0.5 + 4.302653 * 0.1 * Math.sqrt(4 / 3), 5);
  expect(nextLow).toBeCloseTo(0.5 - 4.302653 * 0.1 * Math.sqrt(4 / 3), 5);
  expect(randomRange([0.9, 0.99, 1], 1).nextHigh).toBe(1);
  expect(randomRange([0.5, Number.NaN], 1).nextLow).toBeNaN();
});
