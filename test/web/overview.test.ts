/** The overview's funnel, warnings and figure. */

import { describe, expect, it } from 'vitest';
import { figureOf } from '../../src/figure/figureOf.ts';
import { pixelOf } from '../../src/figure/frame.ts';
import { layoutOf } from '../../src/figure/layout.ts';
import { widthOf } from '../../src/figure/text.ts';
import { effectsOf, verdictOf } from '../../src/results.ts';
import { leftOut, shortened } from '../../src/web/leftOut.ts';
import { pagePalette, seriesVariables } from '../../src/web/views/overview/figurePalette.ts';
import { funnelOf } from '../../src/web/views/overview/funnel.ts';
import { pointsIn } from '../../src/web/views/overview/useBrush.ts';
import { warningsOf } from '../../src/web/views/overview/warnings.ts';
import { latentRow, manifest, stage, steered, steeringRow, summary } from './support/studyParts.ts';

const zone = summary().zone;

it('verdicts of all kinds', () => {
  const of = (away: number | null, toward: number | null) =>
    verdictOf(effectsOf(steered(1, away, toward))[0]!, zone);
  expect(of(-0.2, 0.2)).toBe('both');
  expect(of(-0.2, 0.1)).toBe('away');
  expect(of(null, 0.2)).toBe('toward');
  expect(of(0.2, -0.2)).toBe('other');
  expect(of(-0.1, 0.1)).toBe('within');
  expect(of(null, null)).toBe('not sampled');
});

it('a zone that does not hold zero makes no cause of an effect on the wrong side of it', () => {
  const lifted = { ...zone, away: { ...zone.away, low: 0.05, high: 0.2 } };
  expect(verdictOf(effectsOf(steered(1, 0.02, null))[0]!, lifted)).toBe('within');
});

describe('funnel', () => {
  it('counts what is known and leaves the rest open', () => {
    const steps = funnelOf(
      manifest({ sample: stage({ prompts: 10, completions: 100, ended: 90 }) }),
      undefined,
      undefined,
    );
    expect(steps.map(({ name, count }) => [name, count])).toEqual([
      ['prompts', 10],
      ['completions', 100],
      ['graded', undefined],
      ['positive', undefined],
      ['pairs', undefined],
      ['latents', undefined],
      ['candidates', undefined],
      ['sampled', undefined],
      ['outside in both directions', undefined],
    ]);
    expect(steps[1]!.note).toMatch(/^90.% ended$/);
  });

  it('counts latents once, whatever their directions', () => {
    const rows = [
      ...steered(1, -0.3, 0.3),
      ...steered(2, -0.3, 0),
      ...steered(3, null, 0.05),
      ...steered(4, null, null),
      ...steered(9, 0.3, 0.3, { role: 'random' }),
    ];
    const steps = funnelOf(undefined, [latentRow(1, 1)], { rows, summary: summary() });
    expect(steps.slice(5).map(({ count }) => count)).toEqual([1, 4, 3, 1]);
    expect(steps.at(-1)!.note).toBe('1 away only, 0 toward only');
  });
});

describe('warnings', () => {
  const fine = manifest({
    sample: stage({ completions: 100, ended: 95 }),
    grade: stage({ grades: 100, incoherent: 5, judge_accuracy: 0.9, judge_prompts_held_out: 14 }),
    pair: stage({ pairs: 40 }),
  });
  const rows = steered(1, -0.3, 0.3);

  it('none for a study that is sound, or not there', () => {
    expect(warningsOf(fine, { rows, summary: summary() }, {})).toEqual([]);
    const sure = { first_max_p: 0.05, split_half_overlap: 0.2, split_half_chance: 0.1 };
    expect(warningsOf(manifest({ attribute: stage({ ...sure, pairs: 60 }) }), undefined, {})).toEqual([]);
    const unsure = { first_max_p: 0.12, split_half_overlap: 0.13, split_half_chance: 0.08 };
    expect(warningsOf(manifest({ attribute: stage({ ...unsure, pairs: 60 }) }), undefined, {})).toEqual([
      expect.stringContaining('by chance with p = 0.12'),
      expect.stringMatching(/share only 13.% of their first 100 latents \(by chance 8.%\)/),
    ]);
    expect(warningsOf(undefined, undefined, {})).toEqual([]);
    // what was not counted is not amiss
    expect(warningsOf(manifest({ sample: stage({ completions: 100 }) }), undefined, {})).toEqual([]);
  });

  it('one for each thing amiss', () => {
    const poor = manifest({
      sample: stage({ completions: 100, ended: 60 }),
      grade: stage(
        {
          grades: 100,
          incoherent: 30,
          judge_accuracy: 0.65,
          judge_sensitivity: 0.9,
          judge_specificity: 0.4,
          judge_prompts_held_out: 14,
        },
        { edited: ['grades.jsonl'] },
      ),
      pair: stage({ pairs: 1 }),
    });
    const both = <T>(value: T) => ({ away: value, toward: value });
    const weak = summary({
      zone: both({ ...zone.away, effects: 8 }),
      log_odds_agreement: { away: 0.5, toward: -0.2 },
      alone: both({ completions: 100, coherent: 100, positives: 1 }),
    });
    const told = warningsOf(
      { ...poor, writing: ['attribute'] },
      { rows: [...rows, ...steered(2, null, null)], summary: weak },
      { 'grades.jsonl': 'the first 100' },
    );
    const expected = [
      /^40.% of the completions were cut/,
      /^30.% of the completions are incoherent/,
      /^On 14 prompts held out the judge is right for only 65.% of the answers: 90.% of the positive ones, 40.% of the negative.* appears at 30.% of its size/,
      /^Only 1 pair:/,
      /^The gray zone is made from only 8 effects of 30 random latents/,
      /^1 candidate was left out for log-odds.*−0\.20/,
      /^Left alone, only 1.% of the subject/,
      /^Changed by hand, and accepted as they are: grades\.jsonl/,
      /^Being written now.*attribute/,
      /^To stay small, this report leaves out parts of grades\.jsonl\. Methods says/,
    ];
    expect(told).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(told[i]).toMatch(pattern);
  });
});

describe('figure', () => {
  const rows = [
    ...steered(1, -0.3, 0.2),
    ...steered(2, -0.1, null),
    ...steered(3, 0.05, 0, { ranks: { a: 2, b: 1 } }),
    // named, with intervals that reach beyond all else
    steeringRow(5, 'away', -0.2, { low: -0.6, high: 0.3 }),
    steeringRow(5, 'toward', 0.15, { low: -0.4, high: 0.55 }),
    ...steered(9, 0, -0.05, { role: 'random', ranks: {} }),
  ];
  const figure = figureOf(rows, summary());
  const all = [...figure.points, ...figure.random];

  it.each([320, 420, 720, 900])('%i pixels wide: all of it lies inside', (width) => {
    const { axes, words, labelled } = layoutOf(figure, { width, plotHeight: 300 });
    const { left, top, right, bottom } = axes.frame;
    expect([words.width, right < width, bottom < words.height]).toEqual([width, true, true]);
    expect(right - left).toBeGreaterThan(0.6 * width);
    expect(pointsIn(axes, all, axes.frame)).toEqual(all);
    for (const band of [figure.zone.away, figure.zone.toward]) {
      const at = pixelOf(axes, band.lowInterval.low, band.highInterval.high);
      expect(pixelOf(axes, band.highInterval.high, 0).x).toBeLessThan(right);
      expect([at.x > left, at.y > top]).toEqual([true, true]);
    }
    expect(labelled.map(({ latent }) => latent)).toEqual([1, 5]);
    for (const { awayInterval, towardInterval } of labelled) {
      const least = pixelOf(axes, awayInterval.low, towardInterval.low);
      const most = pixelOf(axes, awayInterval.high, towardInterval.high);
      expect([least.x > left, least.y < bottom, most.x < right, most.y > top]).toEqual(Array(4).fill(true));
    }
    for (const { x, y, words: said } of words.legend) {
      expect(x + widthOf(said, 12)).toBeLessThan(width);
      expect(y).toBeLessThan(top);
    }
  });

  it('a box finds the points in it', () => {
    const { axes } = layoutOf(figure, { width: 720, plotHeight: 420 });
    const { x, y } = pixelOf(axes, -0.3, 0.2);
    const around = { left: x - 1, right: x + 1, top: y - 1, bottom: y + 1 };
    expect(pointsIn(axes, all, around).map(({ latent }) => latent)).toEqual([1]);
  });

  it('has every colour of a page from its theme, those of the series from variables that it sets', () => {
    const { series, ...others } = pagePalette;
    for (const colour of Object.values(others)) expect(colour).toMatch(/^(var\(--[a-z-]+\)|currentColor)$/);
    expect(series).toEqual(Object.keys(seriesVariables).map((name) => `var(${name})`));
  });
});

describe('what a report leaves out', () => {
  const trimmed = {
    'pairs.jsonl': '3 of 4 pairs',
    'steered.jsonl': '1 of 2 texts',
    'latents/1.json': '2 of 3 pairs',
    'latents/2.json': '2 of 3 pairs',
    'latents/3.json': '1 of 3 pairs',
  };

  it('in a few words', () => {
    expect(shortened({})).toBeUndefined();
    expect(shortened({ 'pairs.jsonl': 'any' })).toBe('pairs.jsonl');
    expect(shortened(trimmed)).toBe('pairs.jsonl, steered.jsonl and 3 pages of latents');
  });

  it('by how much, pages that lack the same in one line', () => {
    expect(leftOut(trimmed)).toEqual([
      { what: 'pairs.jsonl', left: '3 of 4 pairs' },
      { what: 'steered.jsonl', left: '1 of 2 texts' },
      { what: '2 pages of latents', left: '2 of 3 pairs' },
      { what: 'a page of a latent', left: '1 of 3 pairs' },
    ]);
  });
});
