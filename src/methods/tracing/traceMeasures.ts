/**
 * What a list of training examples, ordered by a value of theirs, shows: how much stands at its head, and how well the
 * value tells labelled examples apart. docs/method.md section 11.
 */
import { auc } from '../judging/raterAgreement.ts';
import { bootstrap, type Interval } from '../statistics/bootstrap.ts';
import { grouped } from '../statistics/groups.ts';
import { rankCorrelation } from '../statistics/rankCorrelation.ts';

/** An example with a value. */
export interface ValuedExample {
  readonly value: number;
  /** of its prompt */
  readonly group: string;
  /** undefined where nobody has labelled it */
  readonly positive: boolean | undefined;
  /** mean of −ln p over its completion's tokens */
  readonly loss: number;
}

export interface LabelMeasures {
  /** area under the ROC curve, with a 95 % interval over prompts */
  readonly auc: Interval & { readonly value: number };
  /** of the examples with the greatest values, how many are positive */
  readonly head: { readonly examples: number; readonly positives: number };
}

export interface TraceMeasures {
  /** of the sum of what is above 0, the share that the tenth with the greatest values holds; NaN where nothing is above */
  readonly topShare: number;
  /** Spearman's rank correlation with the loss */
  readonly withLoss: number;
  /** undefined where there are not examples of both labels */
  readonly labels: LabelMeasures | undefined;
}

/** At most this many stand at the head of a list, and at most a tenth of it. */
const headExamples = 100;

/** How many examples stand at the head of a list of `count`: a tenth, at least 1 and at most 100. */
export const headOf = (count: number): number => Math.max(1, Math.min(headExamples, Math.floor(count / 10)));

/** Greatest value first; equal ones in their order. */
export const greatestFirst = <T>(items: readonly T[], by: (item: T) => number): T[] =>
  [...items].sort((a, b) => by(b) - by(a));

type Labelled = ValuedExample & { readonly positive: boolean };

const isLabelled = (one: ValuedExample): one is Labelled => one.positive !== undefined;

/** NaN where there are not both labels. */
export function labelAuc(examples: readonly ValuedExample[]): number {
  const labelled = examples.filter(isLabelled);
  return auc(
    labelled.map(({ value }) => value),
    labelled.map(({ positive }) => positive),
  );
}

function labelMeasures(examples: readonly ValuedExample[], seed: number): LabelMeasures | undefined {
  const labelled = examples.filter(isLabelled);
  const value = labelAuc(labelled);
  if (Number.isNaN(value)) return undefined;
  const prompts = [...grouped(labelled, ({ group }) => group).values()];
  const interval = bootstrap(prompts, (items) => ({ auc: labelAuc(items) }), { seed, resamples: 1000 });
  const head = greatestFirst(labelled, (one) => one.value).slice(0, headOf(labelled.length));
  return {
    auc: { value, ...interval.auc },
    head: { examples: head.length, positives: head.filter(({ positive }) => positive).length },
  };
}

export function traceMeasures(examples: readonly ValuedExample[], seed: number): TraceMeasures {
  const above = greatestFirst(examples, (one) => one.value).map(({ value }) => Math.max(0, value));
  const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0);
  return {
    topShare: sum(above.slice(0, Math.max(1, Math.round(examples.length / 10)))) / sum(above),
    withLoss: rankCorrelation(
      examples.map(({ value }) => value),
      examples.map(({ loss }) => loss),
    ),
    labels: labelMeasures(examples, seed),
  };
}
