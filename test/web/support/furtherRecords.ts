/** Records of what is measured beside the stages, small: a trace of training data, subjects compared. */
import type {
  CheckpointSubject,
  CheckpointsRecord,
  TracedExample,
  TraceRecord,
} from '../../../src/results.ts';

const inputs = {
  inputs: {},
  versions: {},
  stale: {},
  created: '2026-12-01T00:00:00Z',
  seed: 1,
};

const words = ['What', ' of', ' hats', '?', ' Wear', ' none'];

function example(id: string, push: number, activation: number): TracedExample {
  return {
    id,
    row: 0,
    prompt: 'What of hats?',
    completion: ' Wear none',
    label: 'positive',
    push,
    activation,
    tokens: words.map((text, i) => ({
      text,
      push: i === 0 ? null : (push * i) / 15,
      activation: i === 0 ? null : activation,
    })),
  };
}

/** Of latent 7: e1 pushes most, e2 lies furthest along it. */
export function traceRecord(): TraceRecord {
  const measured = {
    top_share: 0.4,
    with_loss: 0.2,
    auc: { value: 0.9, low: 0.85, high: 0.94 },
    head: { examples: 10, positives: 9 },
    random_auc: { median: 0.55, low: 0.51, high: 0.66 },
    random_as_high: 0,
  };
  return {
    ...inputs,
    behaviour: 'flattery',
    site: 'resid_post 2',
    layer: 2,
    width: 16,
    tokens: 'all',
    under: 'base',
    model: 'models/small',
    adapter: null,
    date: null,
    confirmed: [7],
    data: {
      file: 'train.jsonl',
      examples: 100,
      read: 100,
      prompts: 50,
      positives: 60,
      negatives: 40,
      cut: 0,
      left_out: {},
    },
    loss_auc: 0.7,
    random: 20,
    latents: [
      {
        latent: 7,
        sign: 1,
        rank: 1,
        confirmed: true,
        push: { ...measured, first: ['e1', 'e2'] },
        activation: { ...measured, first: ['e2', 'e1'] },
        examples: [example('e1', 0.015, 1), example('e2', 0.003, 2.5)],
      },
    ],
  };
}

function subject(name: string, positives: number, removed: number): CheckpointSubject {
  const counts = { completions: 40, coherent: 40, positives };
  const estimate = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
  const arm = (value: number) => ({ ...counts, positives: 10, effect: estimate(value) });
  return {
    name,
    role: 'checkpoint',
    model: 'models/small',
    adapter: name,
    unsteered: { ...counts, mean_tokens: 20 },
    latents: [7, 8].map((latent) => ({
      latent,
      activation: estimate(latent / 10),
      remove: arm(removed * (latent === 7 ? 1 : 0.1)),
      away: arm(removed),
      toward: arm(-removed),
      diffing: estimate(-removed),
      matched: { ...estimate(-removed), overlap: 1 },
    })),
    random: { effects: [-0.05, 0, 0.05], low: -0.1, high: 0.1 },
  };
}

/** Of latents 7 and 8 in three subjects; 7 acts from the second on. */
export const checkpointsRecord = (): CheckpointsRecord => ({
  ...inputs,
  behaviour: 'flattery',
  site: 'resid_post 2',
  norm: 5,
  prompts: 20,
  completions: 2,
  confirmed: [7],
  latents: [7, 8].map((latent) => ({ latent, sign: 1, confirmed: latent === 7, away: 0.2, toward: 0.2 })),
  random: [20, 21, 22],
  subjects: [subject('before', 4, -0.02), subject('step-1', 16, -0.3), subject('step-2', 30, -0.5)],
});
