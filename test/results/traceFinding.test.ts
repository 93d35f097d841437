/** What a trace's sentences say, and when something speaks against them. */
import { describe, expect, it } from 'vitest';
import { type TraceMeasured, type TraceRecord, traceFinding } from '../../src/results.ts';

const measured: TraceMeasured = {
  top_share: 0.4,
  with_loss: 0.2,
  auc: { value: 0.9, low: 0.85, high: 0.94 },
  head: { examples: 40, positives: 38 },
  random_auc: { median: 0.55, low: 0.51, high: 0.66 },
  random_as_high: 0,
  first: [],
};
const latent = (over: Partial<TraceMeasured> = {}, confirmed = true): TraceRecord['latents'][number] => ({
  latent: 320,
  sign: 1,
  rank: 1,
  confirmed,
  push: { ...measured, ...over },
  activation: measured,
  examples: [],
});
const record = (over: Partial<TraceRecord> = {}): TraceRecord => ({
  behaviour: 'harm',
  site: 'resid_post 1',
  layer: 1,
  width: 8,
  tokens: 'all',
  under: 'base',
  model: 'models/small',
  adapter: null,
  date: null,
  seed: 1,
  confirmed: [320],
  data: {
    file: 'train.jsonl',
    examples: 400,
    read: 400,
    prompts: 90,
    positives: 300,
    negatives: 100,
    cut: 0,
    left_out: {},
  },
  loss_auc: 0.7,
  random: 50,
  latents: [latent()],
  stale: {},
  inputs: {},
  versions: {},
  created: '2026-12-01T00:00:00Z',
  ...over,
});

describe('the finding of a trace', () => {
  it('gives the head’s share beside that of all, and what random latents and the loss reach', () => {
    const { lead, against } = traceFinding(record());
    expect(lead).toBe(
      '400 training examples read by the subject without its adapter (small) for harm. Of the 40 examples that push the model most along latent 320 when they are learnt, 95 % are positive, of all labelled ones 75 %; AUC 0.900 [0.850, 0.940] (50 random latents, each on its better side: 0.510 to 0.660; the loss alone: 0.700).',
    );
    expect(against).toHaveLength(1);
    expect(against[0]).toContain('first order');
  });

  const saying = (over: Partial<TraceRecord>) => traceFinding(record(over)).against.slice(1);

  it.each<[string, Partial<TraceRecord>, RegExp]>([
    ['none is confirmed', { confirmed: [], latents: [latent({}, false)] }, /confirmed no latent/],
    ['there was no causal test', { confirmed: null, latents: [latent({}, false)] }, /there was none/],
    ['the subject read them', { under: 'subject' }, /read by the subject itself/],
    ['the loss does as well', { loss_auc: 0.86 }, /loss alone tells them apart about as well \(AUC 0\.860\)/],
    ['so it does the other way round', { loss_auc: 0.14 }, /loss alone/],
    [
      'the push goes with the loss',
      { latents: [latent({ with_loss: 0.6 })] },
      /rank correlation 0\.60.* hard/,
    ],
    ['random latents do as well', { latents: [latent({ random_as_high: 9 })] }, /^9 of 50 random latents/],
    [
      'the interval reaches chance',
      { latents: [latent({ auc: { value: 0.55, low: 0.48, high: 0.62 } })], loss_auc: 0.4 },
      /By push the interval of the AUC reaches 0\.5/,
    ],
    [
      'the positive come last',
      { latents: [latent({ auc: { value: 0.3, low: 0.2, high: 0.4 } })], loss_auc: 0.5 },
      /positive examples come last/,
    ],
    ['texts were cut', { data: { ...record().data, cut: 3 } }, /3 completions ended/],
  ])('says so where %s', (_, over, said) => {
    expect(saying(over).filter((text) => said.test(text))).toHaveLength(1);
  });

  it('without labels speaks of what the first tenth holds', () => {
    const none = { auc: null, head: null, random_auc: null, random_as_high: null };
    const { lead, against } = traceFinding(
      record({
        data: { ...record().data, positives: 0, negatives: 0 },
        loss_auc: null,
        latents: [{ ...latent(none), activation: { ...measured, ...none } }],
      }),
    );
    expect(lead).toMatch(/The tenth that pushes the model most along latent 320 holds 40 % of all/);
    expect(against.join(' ')).toContain('no labels of both kinds');
  });
});
