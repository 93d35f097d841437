/** What a monitor is said to come to: its numbers with what stands beside them, and each thing that speaks against it. */
import { describe, expect, it } from 'vitest';
import {
  leadingDetector,
  type MonitorDetector,
  type MonitorRecord,
  type MonitorRow,
  type MonitorTest,
  monitorFinding,
} from '../../src/results.ts';

const share = (value: number | null, low = value, high = value) => ({ value, low, high });

const detector = (name: string, over: Partial<MonitorDetector> = {}): MonitorDetector => ({
  name,
  kind: 'latent',
  latent: Number(name.replace(/\D/g, '')),
  sign: 1,
  rank: 1,
  confirmed: true,
  C: null,
  threshold: 1,
  slope: 1,
  intercept: 0,
  fitted_auc: 0.8,
  ...over,
});
const other = { latent: null, sign: null, rank: null, confirmed: null };
const detectors = [
  detector('latent 5', { fitted_auc: 0.7 }),
  detector('latent 9', { fitted_auc: 0.9 }),
  detector('latent 2', { confirmed: false, fitted_auc: 0.99 }),
  detector('probe', { kind: 'probe', ...other }),
];

const row = (name: string, auc: number, over: Partial<MonitorRow> = {}): MonitorRow => ({
  detector: name,
  auc: share(auc, auc - 0.05, auc + 0.05),
  within: { ...share(auc), pairs: 40, prompts: 9 },
  tpr: share(0.6),
  fpr: share(0.01),
  brier: 0.1,
  calibration_error: 0.05,
  random_as_high: 0,
  ...over,
});

const test = (over: Partial<MonitorTest> = {}): MonitorTest => ({
  kind: 'held-out',
  of: null,
  behaviour: 'flattery',
  model: 'm',
  adapter: null,
  prompts: 30,
  completions: 300,
  positives: 100,
  unread: 0,
  brier_of_share: 0.22,
  rows: [row('latent 5', 0.7), row('latent 9', 0.9), row('latent 2', 0.95), row('probe', 0.85)],
  random: {
    latents: 50,
    auc: { median: 0.5, low: 0.4, high: 0.7, next_low: 0.35, next_high: 0.72 },
    within: { median: 0.5, low: 0.4, high: 0.7, next_low: null, next_high: null },
    tpr: { median: 0, low: 0, high: 0.1, next_low: null, next_high: null },
  },
  ...over,
});

const record = (over: Partial<MonitorRecord> = {}): MonitorRecord => ({
  behaviour: 'flattery',
  site: 'resid_post 3',
  layer: 3,
  width: 16,
  tokens: 'completion',
  model: 'm',
  adapter: null,
  date: null,
  seed: 1,
  confirmed: [5, 9],
  fitted: { prompts: 60, completions: 500, positives: 200, unread: 0 },
  detectors,
  tests: [test()],
  stale: {},
  inputs: {},
  versions: {},
  created: '2026-11-30T00:00:00.000Z',
  ...over,
});

/** What speaks against a record whose leading latent's row is changed. */
const against = (over: Partial<MonitorRow>, of: Partial<MonitorTest> = {}) => {
  const rows = test().rows.map((one) => (one.detector === 'latent 9' ? { ...one, ...over } : one));
  return monitorFinding(record({ tests: [test({ rows, ...of })] })).against;
};

describe('the latent that is told of', () => {
  it('is the confirmed one that did best where it was fitted, else the best of all', () => {
    expect(leadingDetector({ detectors }).name).toBe('latent 9');
    const none = detectors.map((one) => (one.kind === 'latent' ? { ...one, confirmed: false } : one));
    expect(leadingDetector({ detectors: none }).name).toBe('latent 2');
  });
});

describe('a finding', () => {
  it('has the AUC with its interval, random latents and the probe beside it, and what the threshold does', () => {
    const { lead, across, against: said } = monitorFinding(record());
    expect(lead).toBe(
      "The mean projection of the completion's tokens on latent 9, which the causal test confirmed, tells answers that show flattery from the others with AUC 0.900 [0.850, 0.950] on 300 completions (100 positive) of 30 prompts that no latent was found on; 50 random latents reach 0.400 to 0.700, and one more is expected from 0.350 to 0.720; the probe 0.850 [0.800, 0.900]. Within prompts it is 0.900 [0.900, 0.900]. At the threshold for 1 % false alarms it flags 60 % of the positives and 1 % of the negatives.",
    );
    expect({ across, said }).toEqual({ across: [], said: [] });
  });

  it('tells of each further task by itself', () => {
    const elsewhere = test({ kind: 'study', of: '/a/b/harm', behaviour: 'harm' });
    const { across } = monitorFinding(record({ tests: [test(), elsewhere] }));
    expect(across).toEqual([
      'On b/harm, about harm: latent 9 0.900 [0.850, 0.950] on 300 completions (100 positive) of 30 prompts; 50 random latents reach 0.400 to 0.700, and one more is expected from 0.350 to 0.720; the probe 0.850 [0.800, 0.900].',
    ]);
  });

  it.each([
    [
      'random latents reach as much',
      { random_as_high: 2 },
      {},
      '2 of 50 random latents reach as much as latent 9 (p = .059): it is not shown',
    ],
    [
      'a probe does as well',
      { auc: share(0.85, 0.8, 0.9) },
      {},
      'the probe, which needs no dictionary, does as well or better',
    ],
    [
      'the interval reaches chance',
      { auc: share(0.86, 0.49, 0.99) },
      {},
      'the interval of its AUC reaches 0.5, which is chance.',
    ],
    [
      'it reads the wrong way',
      {},
      {
        rows: test().rows.map((one) => ({
          ...one,
          auc: share(one.detector === 'probe' ? 0.2 : 0.3, 0.1, 0.4),
        })),
      },
      'Within the task: the whole interval of its AUC lies below 0.5: it reads the wrong way round.',
    ],
    [
      'prompts tell',
      { within: { ...share(0.6), pairs: 40, prompts: 9 } },
      {},
      'between completions of one prompt the AUC is 0.600 (40 pairs)',
    ],
    ['the threshold does not carry over', { fpr: share(0.2) }, {}, 'flags 20 % of them'],
    ['few negatives are tried', {}, { positives: 250 }, 'Within the task: 50 negatives tell little'],
    ['one label alone', { auc: share(null) }, {}, 'completions of one label only'],
    [
      'latents were found on the texts',
      {},
      { kind: 'cross-fitted' as const },
      'no completions that the latents were not found on',
    ],
  ])('says where %s', (_, over, of, words) => {
    expect(against(over, of)).toEqual([expect.stringContaining(words)]);
  });

  it('says that nothing is confirmed, that prompts are read, and how few negatives a threshold rests on', () => {
    const none = detectors.map((one) => (one.kind === 'latent' ? { ...one, confirmed: false } : one));
    const found = monitorFinding(
      record({
        detectors: none,
        confirmed: null,
        tokens: 'prompt',
        fitted: { prompts: 9, completions: 90, positives: 50, unread: 0 },
      }),
    );
    expect(found.lead).toContain('on latent 2, which no causal test has confirmed, for there was none,');
    expect(found.against).toEqual([
      expect.stringContaining('No latent is confirmed'),
      expect.stringContaining('It reads prompts alone'),
      expect.stringContaining('The threshold rests on 40 negatives'),
    ]);
    const tested = monitorFinding(record({ detectors: none, confirmed: [] }));
    expect(tested.lead).toContain('which the causal test did not confirm, as it confirmed none,');
  });
});
