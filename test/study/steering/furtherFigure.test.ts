/** What was done beside removal and steering, in the figure and on the terminal. */
import { expect, it } from 'vitest';
import { rowsIn } from '../../../src/figure/figureData.ts';
import { figureOf } from '../../../src/figure/figureOf.ts';
import { figureLines } from '../../../src/figure/lines.ts';
import { directionEffects, furtherEffects, type RankedSteeringRow } from '../../../src/results.ts';
import { methodsText } from '../../../src/web/views/record/methodsText.ts';
import { manifest, stage, steeringRow, summary } from '../../web/support/studyParts.ts';

const rows: RankedSteeringRow[] = [
  steeringRow(3, 'remove', -0.4, { verdict: 'confirmed' }),
  steeringRow(3, 'remove', -0.2, { operation: 'remove_prompt', tokens: 'prompt', verdict: 'not shown' }),
  steeringRow(3, 'remove', -0.3, { operation: 'subtract', verdict: 'suggestive' }),
  steeringRow(9, 'remove', -0.1, { role: 'random' }),
  steeringRow(9, 'remove', -0.1, { role: 'random', operation: 'subtract' }),
  steeringRow(0, 'remove', -0.25, {
    direction: 'system message',
    latent: null,
    role: 'comparison',
    operation: 'system',
    tokens: null,
    verdict: null,
  }),
];

it('effects beside are of candidates and comparisons, in the order of their directions', () => {
  expect(
    furtherEffects(directionEffects(rows)).map(({ one, place, row }) => [one.direction, place, row.effect]),
  ).toEqual([
    ['latent 3', 'subtract', -0.3],
    ['latent 3', 'remove_prompt', -0.2],
    ['system message', 'system', -0.25],
  ]);
});

it('the figure has a row of each under a heading of its own, where removal stands', () => {
  const figure = figureOf(rows, summary());
  expect(
    figure.otherwise!.map(({ label, effects }) => [label, effects.remove!.effect, effects.remove!.verdict]),
  ).toEqual([
    ['latent 3, by the encoder', -0.3, 'suggestive'],
    ['latent 3, at the prompt', -0.2, 'not shown'],
    ['system message, in the prompt', -0.25, undefined],
  ]);
  expect(figure.comparisons).toEqual([]);
  expect(figure.candidates[0]!.effects.remove!.effect).toBe(-0.4);
  expect(rowsIn(figure)).toHaveLength(4);
  const headings = figureLines(figure).flatMap((line) => ('heading' in line ? [line.heading] : []));
  expect(headings).toEqual(['Latents, strongest first', 'Otherwise', 'Chance']);
});

it('the methods text says what was done, and that it confirms nothing', () => {
  const whole = manifest({ steer: stage({ latents: 1 }, { options: { held_tokens: 'all' } }) });
  const said = (some: readonly RankedSteeringRow[], system?: string) =>
    methodsText(whole, { rows: some, summary: summary(system === undefined ? {} : { system }) }).flat();
  expect(said(rows, 'Be brief.')).toEqual(
    expect.arrayContaining([
      'The projection was also held at every token of the prompt, beside that.',
      expect.stringContaining('a − z(a)·d, while the completion grew'),
      'Each of these is a test of its own, and confirms no latent.',
      'The subject was also sampled with the system message “Be brief.” and no direction.',
    ]),
  );
  expect(said(rows.slice(0, 1)).join(' ')).not.toMatch(
    /beside that|by the encoder|test of its own|system message/,
  );
});
