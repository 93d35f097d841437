/** The overview's sentences, for every outcome of a study. */
import { describe, expect, it } from 'vitest';
import type { RankedSteeringRow } from '../../src/results.ts';
import { answerOf, zoneText } from '../../src/web/views/overview/answer.ts';
import { confirmed, latentRow, other, removed, steered, suggestive, summary } from './support/studyParts.ts';

const nothing = {
  behaviour: 'flattery',
  steering: undefined,
  latents: undefined,
  over: undefined,
  running: false,
};
const said = (rows: RankedSteeringRow[], more: Parameters<typeof summary>[0] = {}) =>
  answerOf({ ...nothing, steering: { rows, summary: summary(more) } });
/** Without the narrow space before a percent sign. */
const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('before any causal test', () => {
  it('nothing was run', () => {
    const { lead, more } = answerOf(nothing);
    expect(lead).toMatch('Nothing is known yet');
    expect(more.join()).toMatch('culprit run');
    expect(answerOf({ ...nothing, latents: [] }).lead).toBe(lead);
  });

  it('attribution alone names the first, and says that it tests nothing', () => {
    const { lead, more } = answerOf({
      ...nothing,
      latents: [latentRow(7, 2), latentRow(9, 1, 0.0123)],
      over: { count: 4, unit: 'pair' },
    });
    expect(plain(lead)).toBe(
      [
        'Steering has not been run, so nothing is confirmed. Latent 9 comes first of 2 by',
        'delta-attribution over 4 pairs: +1.23×10⁻² nats per token, the same sign in 3 of them.',
      ].join(' '),
    );
    expect(more.join()).toMatch('an attribution is an estimate');
    const running = answerOf({ ...nothing, latents: [latentRow(7, 1)], running: true });
    expect(running.lead).toMatch(/^The study is running, and nothing is confirmed yet\. Latent 7 /);
    expect(running.more.join()).not.toMatch('culprit run');
  });
});

describe('after it', () => {
  const prompts = Array.from({ length: 24 }, (_, i) => ({
    id: `${i}`,
    use: i < 16 ? ('evaluation' as const) : ('aside' as const),
    prompt: 'p',
  }));
  const again = { aside_n: 20, aside_effect: -0.3, aside_low: -0.45, aside_high: -0.1 };
  const told = (rows: RankedSteeringRow[]) => said(rows, { prompts });

  it('a latent confirmed by its removal is named with change, interval, way, p and prompts', () => {
    const { outcome, lead, evidence, more, against } = told([
      ...removed(320, -0.34, { ...confirmed, ...again }),
      ...steered(320, -0.2, 0.15),
      ...removed(5, 0),
    ]);
    expect(outcome).toBe('Confirmed by removal, not by steering');
    expect([lead, ...evidence!].join(' ')).toBe(
      [
        'Removing latent 320 from the subject changes the share of answers that show flattery from 50 % to 16 %',
        '(−34 points [−39, −29]), 68 % of the way to the reference [58 %, 78 %]. On 16 prompts, family-wise',
        'p = .012 over 2 candidates. Measured again on 8 prompts kept aside: −30 points [−45, −10].',
      ].join(' '),
    );
    expect(more).toEqual([
      [
        'Steering the subject away from latent 320 changes the share of answers that show flattery from 50 % to',
        '30 % (−20 points [−25, −15]); steering the reference toward it, from 50 % to 65 % (+15 points',
        '[+10, +20]).',
      ].join(' '),
    ]);
    expect(against).toEqual([]);
  });

  it('what breaks the text, does more, or is no more than chance speaks against it', () => {
    const { against, more } = told([
      ...removed(320, -0.3, { ...confirmed, coherent: 80, positives: 16 }),
      ...steered(320, -0.05, 0.2),
      ...other('probe', 'comparison', [...removed(0, -0.4), ...steered(0, -0.01, 0.1)]),
    ]);
    expect(against).toEqual([
      'Removed, incoherent answers go from 0 % to 20 %; shares are of the coherent ones.',
      'Without any latent, probe does more when removed: −40 points against −30.',
      'When steered away it does no more than random latents do: −10 to +10 points.',
    ]);
    expect(more.at(-1)).toMatch(
      /^Directions that need no latent do more than latent 320: probe \(removed\)\.$/,
    );
  });

  it('a latent outside the gray zone both ways that the test does not confirm is not called confirmed', () => {
    const { outcome, lead, evidence } = told(steered(320, -0.34, 0.2, suggestive));
    expect(outcome).toBeUndefined();
    expect(lead).toMatch(/^Suggestive only, not confirmed: Steering the subject away from latent 320 /);
    expect(evidence![0]).toMatch(/family-wise p = \.200/);
    expect(told(steered(320, -0.34, 0.2)).lead).toMatch(/^Nothing is shown\. The strongest candidate: /);
  });

  it('the least family-wise p comes first; a random latent or another direction is never named', () => {
    const rows = [
      ...removed(4, -0.4, { ...confirmed, family_wise_p: 0.03 }),
      ...removed(6, -0.2, { ...confirmed, family_wise_p: 0.001 }),
      ...removed(7, -0.5, { role: 'random', verdict: null, family_wise_p: null }),
      ...other('probe', 'comparison', removed(0, -0.5, { ...confirmed, family_wise_p: 0.0005 })),
    ];
    expect(told(rows).lead).toMatch(/^Removing latent 6 /);
    expect(told(rows.slice(2)).lead).toBe('Nothing is shown: no candidate was sampled.');
  });

  it('none sampled', () => {
    const { lead, more } = told([...steered(3, null, null), ...steered(8, 0.1, 0.1, { role: 'random' })]);
    expect(lead).toBe('Nothing is shown: no candidate was sampled.');
    expect(more.join()).toMatch('--full');
  });
});

it('the gray zones in words, apart from what was measured beside them', () => {
  const rows = steered(3, -0.3, 0.2, { low: -0.1129 });
  const zone = summary().zone;
  const beside = { rows, summary: summary({ zone: { ...zone, away: { ...zone.away, low: -0.1126 } } }) };
  expect(zoneText(beside)).toBe(
    [
      'The gray zone is where the effect of one more random latent is expected with 95 % probability, by 30 random',
      'latents: −10 to +10 percentage points when it is removed, −11.26 to +10 when the subject is steered away from',
      'it, −10 to +10 when the reference is steered toward it. An effect is outside where its estimate lies beyond',
      'an edge of the zone, though its 95 % interval may reach into it.',
    ].join(' '),
  );
});
