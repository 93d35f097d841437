/**
 * A linear probe: logistic regression on readings of a model, its probabilities set right on examples that it was not fitted to, and what it gets right on
 * examples held out. Examples of one group (a prompt) never stand on both sides. Knows no model and no text.
 */

import { calibrationError, type ReliabilityBin, reliability, temperatureOf } from './calibration.ts';
import { grouped, shuffled } from './groups.ts';
import { decision, fitLogistic, type Linear, sigmoid, softplus } from './logistic.ts';
import { generatorOf } from './random.ts';
import { auc } from './raterAgreement.ts';

export interface ProbeExample {
  readonly features: ArrayLike<number>;
  readonly label: boolean;
  readonly group: string;
}

export interface Probe extends Linear {
  /** by which weights and bias were divided */
  readonly temperature: number;
}

export interface ProbeOptions {
  /** weight of the data against the penalty, as scikit-learn's; default 1 */
  readonly C?: number;
  /** parts of the groups, each decided by a probe of the others, that the temperature is taken from; default 5 */
  readonly folds?: number;
  readonly seed: number;
}

function fitted(examples: readonly ProbeExample[], C: number): Linear {
  return fitLogistic(
    examples.map(({ features }) => features),
    examples.map(({ label }) => label),
    { C },
  );
}

const hasBoth = (examples: readonly ProbeExample[]) =>
  examples.some(({ label }) => label) && examples.some(({ label }) => !label);

/** Decisions on each example by a probe fitted without its group's fold, and the labels. */
function crossDecisions(examples: readonly ProbeExample[], { C = 1, folds = 5, seed }: ProbeOptions) {
  const groups = shuffled([...grouped(examples, ({ group }) => group).keys()], generatorOf(seed));
  const foldOf = new Map(groups.map((group, i) => [group, i % folds]));
  const decisions: number[] = [];
  const labels: boolean[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const rest = examples.filter(({ group }) => foldOf.get(group) !== fold);
    if (!hasBoth(rest)) continue;
    const linear = fitted(rest, C);
    for (const { features, label, group } of examples)
      if (foldOf.get(group) === fold) {
        decisions.push(decision(linear, features));
        labels.push(label);
      }
  }
  return { decisions, labels };
}

/** A probe of all examples, at the temperature that suits decisions across folds. Throws RangeError unless there are examples of both labels. */
export function trainProbe(examples: readonly ProbeExample[], options: ProbeOptions): Probe {
  const { weights, bias } = fitted(examples, options.C ?? 1);
  const { decisions, labels } = crossDecisions(examples, options);
  const temperature = decisions.length === 0 ? 1 : temperatureOf(decisions, labels);
  return { weights: weights.map((w) => w / temperature), bias: bias / temperature, temperature };
}

/** The probability of the label `true`. */
export function probability(probe: Linear, features: ArrayLike<number>): number {
  return sigmoid(decision(probe, features));
}

/** How a probe does on examples that it has not seen. */
export interface ProbeReport {
  readonly examples: number;
  readonly positives: number;
  /** share on the right side of 0.5 */
  readonly accuracy: number;
  readonly auc: number;
  /** groups with both labels, and the share of their pairs, mean over the groups, in which the example labelled `true` has the higher probability */
  readonly within: { readonly groups: number; readonly accuracy: number };
  /** mean cross-entropy, in nats */
  readonly loss: number;
  /** expected calibration error, also before the temperature */
  readonly calibrationError: number;
  readonly uncalibratedError: number;
  readonly bins: readonly ReliabilityBin[];
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

export function testProbe(probe: Probe, examples: readonly ProbeExample[]): ProbeReport {
  const decisions = examples.map(({ features }) => decision(probe, features));
  const labels = examples.map(({ label }) => label);
  const bins = reliability(decisions.map(sigmoid), labels);
  const within = [...grouped(examples.keys(), (n) => examples[n]!.group).values()]
    .map((own) =>
      auc(
        own.map((n) => decisions[n]!),
        own.map((n) => labels[n]!),
      ),
    )
    .filter((share) => !Number.isNaN(share));
  return {
    examples: examples.length,
    positives: labels.filter(Boolean).length,
    accuracy: mean(decisions.map((s, n) => Number(s >= 0 === labels[n]))),
    auc: auc(decisions, labels),
    within: { groups: within.length, accuracy: mean(within) },
    loss: mean(decisions.map((s, n) => softplus(labels[n] ? -s : s))),
    calibrationError: calibrationError(bins),
    uncalibratedError: calibrationError(
      reliability(
        decisions.map((s) => sigmoid(s * probe.temperature)),
        labels,
      ),
    ),
    bins,
  };
}
