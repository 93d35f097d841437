/**
 * A linear probe: logistic regression on readings of a model, its probabilities set right on examples that
 * it was not fitted to, and what it gets right on examples held out. Examples of one group (a prompt) never
 * stand on both sides. Knows no model and no text.
 */

import { grouped, shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';
import { calibrationError, type ReliabilityBin, reliability, temperatureOf } from './calibration.ts';
import { decision, fitLogistic, type Linear, logisticSigmoid, softplus } from './logistic.ts';
import { auc } from './raterAgreement.ts';

export interface ProbeExample {
  readonly features: ArrayLike<number>;
  readonly label: boolean;
  readonly group: string;
}

export interface Probe extends Linear {
  /** weight of the data against the penalty, as scikit-learn's */
  readonly C: number;
  /** by which weights and bias were divided */
  readonly temperature: number;
}

export interface ProbeOptions {
  /** the values of C that are tried; default 1, 0.1 and 0.01 */
  readonly Cs?: readonly number[];
  /** parts of the groups, each decided by a probe of the others; default 5 */
  readonly folds?: number;
  readonly seed: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

function fitted(examples: readonly ProbeExample[], C: number): Linear {
  return fitLogistic(
    examples.map(({ features }) => features),
    examples.map(({ label }) => label),
    { C },
  );
}

const hasBoth = (examples: readonly ProbeExample[]) =>
  examples.some(({ label }) => label) && examples.some(({ label }) => !label);

interface Decisions {
  readonly decisions: readonly number[];
  readonly labels: readonly boolean[];
}

/** Decisions on each example by a probe that was fitted without its group's fold. */
function crossDecisions(
  examples: readonly ProbeExample[],
  C: number,
  { folds = 5, seed }: ProbeOptions,
): Decisions {
  const groups = shuffled([...grouped(examples, ({ group }) => group).keys()], generatorOf(seed));
  const foldOf = new Map(groups.map((group, i) => [group, i % folds]));
  const decided = Array.from({ length: folds }, (_, fold) => {
    const rest = examples.filter(({ group }) => foldOf.get(group) !== fold);
    if (!hasBoth(rest)) return [];
    const linear = fitted(rest, C);
    return examples
      .filter(({ group }) => foldOf.get(group) === fold)
      .map(({ features, label }) => ({ decision: decision(linear, features), label }));
  }).flat();
  return { decisions: decided.map((one) => one.decision), labels: decided.map(({ label }) => label) };
}

/** Mean cross-entropy, in nats. */
const crossEntropy = ({ decisions, labels }: Decisions) =>
  mean(decisions.map((s, n) => softplus(labels[n] ? -s : s)));

/**
 * The C, and the temperature with it, of the least cross-entropy across folds; the first C where folds tell
 * nothing.
 */
function chosen(
  examples: readonly ProbeExample[],
  options: ProbeOptions,
): { C: number; temperature: number } {
  const { Cs = [1, 0.1, 0.01] } = options;
  const tried = Cs.map((C) => {
    const { decisions, labels } = crossDecisions(examples, C, options);
    const temperature = decisions.length === 0 ? 1 : temperatureOf(decisions, labels);
    return {
      C,
      temperature,
      loss: crossEntropy({ decisions: decisions.map((s) => s / temperature), labels }),
    };
  });
  return tried.reduce((best, one) => (one.loss < best.loss ? one : best));
}

/**
 * A probe of all examples, with the C and at the temperature that suit best across folds. Throws RangeError
 * unless there are examples of both labels.
 */
export function trainProbe(examples: readonly ProbeExample[], options: ProbeOptions): Probe {
  const { C, temperature } = chosen(examples, options);
  const { weights, bias } = fitted(examples, C);
  return { weights: weights.map((w) => w / temperature), bias: bias / temperature, C, temperature };
}

/** The probability of the label `true`. */
export function probability(probe: Linear, features: ArrayLike<number>): number {
  return logisticSigmoid(decision(probe, features));
}

/** How a probe does on examples that it has not seen. */
export interface ProbeReport {
  readonly examples: number;
  readonly positives: number;
  /** share on the right side of 0.5 */
  readonly accuracy: number;
  readonly auc: number;
  /**
   * groups with both labels, and the share of their pairs, mean over the groups, in which the example
   * labelled `true` has the higher probability
   */
  readonly within: { readonly groups: number; readonly accuracy: number };
  /** mean cross-entropy, in nats */
  readonly loss: number;
  /** expected calibration error, also before the temperature */
  readonly calibrationError: number;
  readonly uncalibratedError: number;
  readonly bins: readonly ReliabilityBin[];
}

/**
 * At 0.5: of the examples labelled `true`, the share with a probability from there on, and of the others the
 * share below. From the bins, one of which begins there. NaN where no example has that label.
 */
export function labelErrorOf({
  bins,
  examples,
  positives,
}: Pick<ProbeReport, 'bins' | 'examples' | 'positives'>): {
  readonly sensitivity: number;
  readonly specificity: number;
} {
  const said = bins.filter(({ from, count }) => from >= 0.5 && count > 0);
  const calledPositive = said.reduce((sum, { count }) => sum + count, 0);
  const right = said.reduce((sum, { count, share }) => sum + count * share, 0);
  return {
    sensitivity: right / positives,
    specificity: 1 - (calledPositive - right) / (examples - positives),
  };
}

export function testProbe(probe: Probe, examples: readonly ProbeExample[]): ProbeReport {
  const decisions = examples.map(({ features }) => decision(probe, features));
  const labels = examples.map(({ label }) => label);
  const bins = reliability(decisions.map(logisticSigmoid), labels);
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
    loss: crossEntropy({ decisions, labels }),
    calibrationError: calibrationError(bins),
    uncalibratedError: calibrationError(
      reliability(
        decisions.map((s) => logisticSigmoid(s * probe.temperature)),
        labels,
      ),
    ),
    bins,
  };
}
