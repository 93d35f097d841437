/** monitor.json: detectors of a behaviour that read a model's residuals, and what each reaches, within and across tasks. */
import { z } from 'zod';
import { estimate, madeFrom } from './madeFrom.ts';
import { tokenParts } from './steered.ts';

const count = z.int().min(0);
const nullable = z.number().nullable();

export type MonitorShare = z.output<typeof estimate>;

const detector = z.strictObject({
  /** unique in the file; the row of monitor.safetensors is its place in the list */
  name: z.string(),
  kind: z.enum(['latent', 'probe', 'difference']),
  /** null but for a latent, as are sign, rank and confirmed */
  latent: count.nullable(),
  /** σ of the attribution: the score rises along σ d */
  sign: z.literal([1, -1]).nullable(),
  /** by Δ, 1 the first */
  rank: z.int().min(1).nullable(),
  confirmed: z.boolean().nullable(),
  /** of a probe, weight of the data against the penalty */
  C: nullable,
  /** flagged where the score is above */
  threshold: z.number(),
  /** probability of a positive: sigmoid(slope · score + intercept) */
  slope: z.number(),
  intercept: z.number(),
  /** on the texts that it was fitted to, of probe and mean difference across folds */
  fitted_auc: nullable,
});
export type MonitorDetector = z.output<typeof detector>;

const row = z.strictObject({
  detector: z.string(),
  auc: estimate,
  /** of pairs of one prompt */
  within: z.strictObject({ ...estimate.shape, pairs: count, prompts: count }),
  tpr: estimate,
  fpr: estimate,
  brier: nullable,
  calibration_error: nullable,
  /** random latents whose AUC is as high */
  random_as_high: count,
});
export type MonitorRow = z.output<typeof row>;

const range = z.strictObject({
  median: nullable,
  low: nullable,
  high: nullable,
  next_low: nullable,
  next_high: nullable,
});
export type MonitorRange = z.output<typeof range>;

/**
 * `held-out`: unsteered completions of the causal test; `cross-fitted`: the discovery completions, each by what was
 * fitted without its prompt; `study` and `file`: of `--on`.
 */
export const monitorTests = ['held-out', 'cross-fitted', 'study', 'file'] as const;

const test = z.strictObject({
  kind: z.enum(monitorTests),
  /** the study or file; null of this study's own texts */
  of: z.string().nullable(),
  /** the behaviour that the labels are of; null where a file does not say */
  behaviour: z.string().nullable(),
  /** the model that read them */
  model: z.string(),
  adapter: z.string().nullable(),
  prompts: count,
  completions: count,
  positives: count,
  /** texts without a token that could be read */
  unread: count,
  /** Brier score of always saying the share of positives among the fitting texts */
  brier_of_share: nullable,
  rows: z.array(row),
  random: z.strictObject({ latents: count, auc: range, within: range, tpr: range }),
});
export type MonitorTest = z.output<typeof test>;

export const monitorSchema = z.strictObject({
  behaviour: z.string(),
  /** residual stream after this block */
  site: z.string(),
  layer: count,
  width: z.int().min(1),
  /** whose mean is taken, attention sinks left out */
  tokens: z.enum(tokenParts),
  model: z.string(),
  adapter: z.string().nullable(),
  /** what chat templates print; null where they print no date */
  date: z.string().nullable(),
  seed: count,
  /** null: there was no causal test */
  confirmed: z.array(count).nullable(),
  fitted: z.strictObject({ prompts: count, completions: count, positives: count, unread: count }),
  detectors: z.array(detector),
  tests: z.array(test),
  ...madeFrom,
});
export type MonitorRecord = z.output<typeof monitorSchema>;
