/** The overview's funnel, warnings and figure. */

import { describe, expect, it } from 'vitest';
import { dotsOn } from '../../src/figure/effectMarks.ts';
import { dotsIn, otherLevel, rowsIn } from '../../src/figure/figureData.ts';
import { figureOf } from '../../src/figure/figureOf.ts';
import { layoutOf, middleOf, pixelOf } from '../../src/figure/layout.ts';
import { isDots, isRow } from '../../src/figure/lines.ts';
import { widthOf } from '../../src/figure/text.ts';
import { leftOut, shortened } from '../../src/web/leftOut.ts';
import { changeText } from '../../src/web/views/overview/changeText.ts';
import { markVariables, pagePalette } from '../../src/web/views/overview/figurePalette.ts';
import { funnelOf } from '../../src/web/views/overview/funnel.ts';
import { warningsOf } from '../../src/web/views/overview/warnings.ts';
import {
  byPlace,
  bySide,
  confirmed,
  latentRow,
  manifest,
  other,
  removed,
  stage,
  steered,
  suggestive,
  summary,
} from './support/studyParts.ts';

const { zone } = summary();

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
      ['beyond the gray zone', undefined],
      ['suggestive', undefined],
      ['confirmed', undefined],
    ]);
    expect(steps[1]!.note).toMatch(/^90.% ended$/);
  });

  it('counts latents once, whatever was done; confirmed is what the test says, not what leaves the zone', () => {
    const rows = [
      ...removed(1, -0.3, confirmed),
      ...steered(1, -0.3, 0.3, suggestive),
      ...steered(2, -0.3, 0.3),
      ...removed(3, -0.05),
      ...steered(3, null, 0.05),
      ...steered(4, null, null),
      ...steered(5, -0.02, 0.01, suggestive),
      ...steered(9, 0.3, 0.3, { role: 'random', verdict: null }),
      ...other('probe', 'comparison', steered(0, -0.4, 0.4, confirmed)),
    ];
    const steps = funnelOf(undefined, [latentRow(1, 1)], { rows, summary: summary() }).slice(5);
    expect(steps.map(({ name, count }) => [name, count])).toEqual([
      ['latents', 1],
      ['candidates', 5],
      ['sampled', 4],
      ['beyond the gray zone', 2],
      ['suggestive', 1],
      ['confirmed', 1],
    ]);
    expect(steps.map(({ note }) => note).slice(1)).toEqual([
      'and 30 random',
      '2 removed, 3 steered',
      'at most 0.3 by chance',
      'q below .2',
      '1 by removal, 0 by steering',
    ]);
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
    const weak = summary({
      zone: { ...byPlace(zone.away), remove: { ...zone.remove, effects: 8 }, patch: null },
      log_odds_agreement: { remove: 0.4, away: 0.5, toward: -0.2 },
      alone: bySide({ completions: 100, coherent: 100, positives: 1 }),
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
      /^Only 1 pair;/,
      /^The gray zones of steering are made from only 8 effects of the 30 random latents/,
      /^1 candidate was left out of a test for log-odds.*−0\.20/,
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
    ...removed(1, -0.3, { ...confirmed, aside_n: 20, aside_effect: -0.25, aside_low: -0.5, aside_high: 0 }),
    ...steered(1, -0.3, 0.2),
    ...removed(2, -0.15, { ...suggestive, sign: -1 }),
    ...[3, 4, 5, 6, 7, 8, 10].flatMap((latent) => removed(latent, 0.01 * latent)),
    ...removed(11, null),
    ...removed(9, 0, { role: 'random', verdict: null }),
    ...steered(9, 0.02, -0.05, { role: 'random', verdict: null }),
    ...other('gaussian 1', 'gaussian', removed(0, 0.03)),
    ...other('latent 1 + 2', 'group', removed(0, -0.4)),
    ...other('a probe with a name so long that it has no place in full', 'comparison', steered(0, -0.6, 0.1)),
  ];
  const alone = {
    away: { completions: 90, coherent: 80, positives: 60 },
    toward: { completions: 90, coherent: 80, positives: 20 },
  };
  const figure = figureOf(rows, summary({ alone }));

  it('has a row for the strongest, what was removed together and what is compared; dots for the others', () => {
    expect(figure.candidates.map(({ label }) => label)).toEqual([
      'latent 1',
      'latent 2 (−)',
      ...[3, 4, 5, 6, 7, 8].map((latent) => `latent ${latent}`),
    ]);
    expect(figure.groups.map(({ direction }) => direction)).toEqual(['latent 1 + 2']);
    expect(figure.comparisons).toHaveLength(1);
    const names = (dots: typeof figure.others) => dots.map(({ direction }) => direction);
    expect([names(figure.others), names(figure.random), names(figure.gaussian)]).toEqual([
      ['latent 10'],
      ['latent 9'],
      ['gaussian 1'],
    ]);
    expect(figure.candidates[0]!.effects).toEqual({
      remove: {
        effect: -0.3,
        low: -0.35,
        high: expect.closeTo(-0.25, 12),
        verdict: 'confirmed',
        aside: { effect: -0.25, low: -0.5, high: 0 },
      },
      away: expect.objectContaining({ effect: -0.3, verdict: 'not shown', aside: undefined }),
      toward: expect.objectContaining({ effect: 0.2 }),
    });
  });

  it('knows where the other model is', () => {
    expect(otherLevel(figure, 'remove')).toBe(-0.5);
    expect(otherLevel(figure, 'away')).toBe(-0.5);
    expect(otherLevel(figure, 'toward')).toBe(0.5);
  });

  it.each([320, 420, 599, 600, 720, 900])('%i pixels wide: all of it lies inside', (width) => {
    const layout = layoutOf(figure, { width });
    const { panels, words, height } = layout;
    expect(words.isStacked).toBe(width < 600);
    for (const [i, place] of panels.entries()) {
      const { frame, panel } = place;
      expect(frame.left).toBeGreaterThan(layout.namesEnd);
      expect(frame.right).toBeLessThan(width);
      expect(frame.bottom).toBeLessThan(height);
      const next = panels[i + 1]?.frame;
      if (next)
        expect(words.isStacked ? next.top - frame.bottom : next.left - frame.right).toBeGreaterThan(9);
      // a point is as long in every panel
      const [one, other] = [place, panels[0]!].map((at) => pixelOf(at, 0.01) - pixelOf(at, 0));
      expect(one).toBeCloseTo(other!, 9);
      const found = rowsIn(figure).flatMap(({ effects }) => effects[panel] ?? []);
      const ends = [...found, ...found.flatMap(({ aside }) => aside ?? []), zone[panel].lowInterval];
      for (const effect of [...ends.flatMap(({ low, high }) => [low, high]), otherLevel(figure, panel)]) {
        expect(pixelOf(place, effect)).toBeGreaterThan(frame.left);
        expect(pixelOf(place, effect)).toBeLessThan(frame.right);
      }
      for (const line of layout.lines) {
        expect(middleOf(place, line)).toBeGreaterThan(frame.top);
        expect(middleOf(place, line)).toBeLessThan(frame.bottom);
      }
    }
    for (const { x, words: said } of words.legend) expect(x + widthOf(said, 11.5)).toBeLessThan(width);
  });

  it('every direction stands on one line, every dot on its own effect', () => {
    const layout = layoutOf(figure, { width: 720 });
    expect(layout.lines.filter(isRow).map(({ row }) => row)).toEqual(rowsIn(figure));
    const lines = layout.lines.filter(isDots);
    expect(lines.flatMap(({ dots }) => dots)).toEqual(dotsIn(figure));
    const [place] = layout.panels;
    for (const { dot, x } of lines.flatMap((line) => dotsOn(place!, line)))
      expect(x).toBeCloseTo(pixelOf(place!, dot.effects.remove!), 9);
  });

  it('has every colour of a page from its theme, those of the marks from variables that it sets', () => {
    const { latent, comparison, ...others } = pagePalette;
    for (const colour of Object.values(others)) expect(colour).toMatch(/^(var\(--[a-z-]+\)|currentColor)$/);
    expect([latent, comparison]).toEqual(Object.keys(markVariables).map((name) => `var(${name})`));
  });
});

it('changes in a table have a digit more where an edge of the zone would look the same', () => {
  const change = { effect: -0.112, low: -0.3, high: -0.02 };
  expect(changeText(change)).toBe('−11 [−30, −2]');
  expect(changeText(change, { low: -0.106, high: 0.1 })).toBe('−11.2 [−30, −2]');
  expect(changeText({ effect: -0.001, low: null, high: null })).toBe('0');
  expect(changeText({ effect: null, low: null, high: null })).toBe('');
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
