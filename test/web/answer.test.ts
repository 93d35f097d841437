/** The overview's sentences, for every outcome of a study. */
import { describe, expect, it } from 'vitest';
import type { RankedSteeringRow } from '../../src/results.ts';
import { answerOf } from '../../src/web/views/overview/answer.ts';
import { latentRow, steered, summary } from './support/studyParts.ts';

const nothing = { behaviour: 'flattery', steering: undefined, latents: undefined, over: undefined };
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
      over: { count: 1, unit: 'pair' },
    });
    expect(plain(lead)).toBe(
      [
        'Steering has not been run, so nothing is confirmed. Latent 9 comes first of 2 by',
        'delta-attribution over 1 pair: +1.23e−2 nats per token, the same sign in 75 % of the pairs.',
      ].join(' '),
    );
    expect(more.join()).toMatch('an attribution is an estimate');
  });
});

describe('a latent outside the gray zone both ways', () => {
  it('is named with both changes, their intervals, the zone, and who proposed it', () => {
    const { lead, more } = said([...steered(320, -0.34, 0.2), ...steered(5, 0, 0.02)]);
    expect(plain(lead)).toBe(
      [
        'Latent 320 is behind flattery: steering the subject away from it changes the share of such',
        'answers from 50 % to 16 %; steering the reference toward it, from 50 % to 70 %.',
      ].join(' '),
    );
    expect(more).toEqual([
      'The 95 % intervals of the changes are −39 to −29 and +15 to +25 percentage points.',
      [
        '30 random latents, treated the same, move the subject by −10 to +10 and the reference by −10',
        'to +10 percentage points: the gray zone.',
      ].join(' '),
      'No other candidate leaves the gray zone in both directions as a cause would.',
      'It was proposed by delta-attribution (rank 1).',
    ]);
  });

  it('is named with doubt where zero lies in an interval', () => {
    const rows = steered(320, -0.34, 0.12).map((row) =>
      row.side === 'toward' ? { ...row, low: -0.03 } : row,
    );
    const { lead, more } = said(rows);
    expect(lead).toMatch(/^Latent 320 seems to be behind flattery/);
    expect(more).toContain(
      [
        'The interval toward includes zero, so the result is uncertain: more evaluation prompts would',
        'narrow it.',
      ].join(' '),
    );
  });

  it('the strongest comes first, the others after it, at most five by number', () => {
    const rows = [11, 12, 13, 14, 15, 16, 17].flatMap((latent, i) => steered(latent, -0.2 - i / 100, 0.2));
    const { lead, more } = said(rows);
    expect(lead).toMatch(/^Latent 17 /);
    expect(more.join(' ')).toMatch(
      [
        'Less strongly, latent 16, latent 15, latent 14, latent 13, latent 12 and 1 more leave the gray',
        'zone in both directions too.',
      ].join(' '),
    );
    expect(said(rows.slice(-4)).more.join(' ')).toMatch(
      'Less strongly, latent 16 leaves the gray zone in both directions too.',
    );
  });

  it('a random latent is never named', () => {
    expect(said(steered(320, -0.4, 0.4, { role: 'random' })).lead).not.toMatch('320');
  });
});

describe('nothing outside both ways', () => {
  it('the strongest on one side, and that it tests nothing', () => {
    const { lead, more } = said([
      ...steered(3, -0.15, 0.05),
      ...steered(4, 0, 0.3),
      ...steered(6, -0.2, null),
    ]);
    expect(plain(lead)).toBe(
      [
        'No latent leaves the gray zone in both directions as a cause would. The strongest on one side is latent 4:',
        'steering the reference toward it changes the share of answers that show flattery from 50 % to',
        '80 %.',
      ].join(' '),
    );
    expect(more[0]).toMatch(
      '2 candidates leave it when steered away, 1 when steered toward, none in both directions',
    );
    expect(more[1]).toBe('Its effect when steered away is 0 percentage points.');
  });

  it('says where the other side was not sampled', () => {
    expect(said(steered(6, -0.2, null)).more[1]).toBe('Its effect when steered toward was not sampled.');
  });

  it('an effect outside on the wrong side is none', () => {
    const { lead } = said(steered(3, 0.3, -0.3));
    expect(lead).toBe(
      [
        'No latent is confirmed to be behind flattery: none of 1 sampled candidate moves it as a cause',
        'would, further than random latents do.',
      ].join(' '),
    );
  });

  it('all within the zone', () => {
    const { lead, more } = said([...steered(3, -0.05, 0.05), ...steered(4, 0.02, null)]);
    expect(lead).toMatch('none of 2 sampled candidates moves it as a cause would');
    expect(more).toHaveLength(1);
  });

  it('none sampled', () => {
    const { lead, more } = said([...steered(3, null, null), ...steered(8, 0.1, 0.1, { role: 'random' })]);
    expect(lead).toBe('Steering says nothing about flattery: none of 1 candidate was sampled.');
    expect(more.join()).toMatch('--full');
  });
});
