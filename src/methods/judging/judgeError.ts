/**
 * How often a judge errs, from texts that somebody read again. The texts were drawn by what the judge had
 * said (so many of its positives, its negatives and its incoherent ones), so each counts for as many as it
 * stands for: without these weights the sensitivity would be that of the sheet, not that of the texts.
 * Formulas: docs/method.md section 5, "The judge's error". Knows no judge and no text.
 */
import { type Interval, quantile } from '../statistics/bootstrap.ts';
import { gammasFrom } from '../statistics/gamma.ts';
import { generatorOf } from '../statistics/random.ts';
import { kappa, type TwoByTwo } from './raterAgreement.ts';

/** What a text is, to a judge or to a reader. */
export const verdictNames = ['positive', 'negative', 'incoherent'] as const;
export type VerdictName = (typeof verdictNames)[number];

/** The texts of which the judge said one and the same. */
export interface ReadStratum {
  /** how many there are */
  readonly population: number;
  /** those of them that were read, by what the reader said; a simple random sample of all */
  readonly read: Readonly<Record<VerdictName, number>>;
}

/** The texts of one arm (left alone, steered, ...), by what the judge said. */
export type ReadArm = Readonly<Record<VerdictName, ReadStratum>>;

export const errorNames = [
  'sensitivity',
  'specificity',
  'kappa',
  'coherent_kept',
  'incoherent_found',
] as const;
/**
 * Shares of texts, the reader taken as the truth. sensitivity: of the positives, those that the judge calls
 * positive; specificity: of the negatives, negative; kappa: Cohen's. All three of texts that both find
 * coherent. coherent_kept: of the coherent texts, those that the judge finds coherent; incoherent_found: of
 * the incoherent ones, incoherent. NaN where there is no such text.
 */
export type JudgeError = Readonly<Record<(typeof errorNames)[number], number>>;

/** A value with its 95 % interval. */
export interface IntervalEstimate extends Interval {
  readonly value: number;
}

/** What is measured of one arm, and how uncertain that is. */
export interface ArmError {
  readonly estimates: Readonly<Record<keyof JudgeError, IntervalEstimate>>;
  readonly point: JudgeError;
  /** as the error may be, given what was read: of equal weight each, in no order */
  readonly draws: readonly JudgeError[];
}

/** Texts by what the judge said, then by what the reader did; any weights. */
type Weights = Readonly<Record<VerdictName, Readonly<Record<VerdictName, number>>>>;

function errorIn(weights: Weights): JudgeError {
  const { positive, negative, incoherent } = weights;
  const table: TwoByTwo = {
    both: positive.positive,
    onlyA: positive.negative,
    onlyB: negative.positive,
    neither: negative.negative,
  };
  const coherent = (row: Weights[VerdictName]) => row.positive + row.negative;
  const kept = coherent(positive) + coherent(negative);
  return {
    sensitivity: table.both / (table.both + table.onlyB),
    specificity: table.neither / (table.neither + table.onlyA),
    kappa: kappa(table),
    coherent_kept: kept / (kept + coherent(incoherent)),
    incoherent_found:
      incoherent.incoherent / (positive.incoherent + negative.incoherent + incoherent.incoherent),
  };
}

const byVerdict = <T>(of: (name: VerdictName) => T): Record<VerdictName, T> => ({
  positive: of('positive'),
  negative: of('negative'),
  incoherent: of('incoherent'),
});

/** `shares` of the reader's verdicts in a stratum, as numbers of texts; a stratum without texts has none. */
function scaled(
  { population }: Pick<ReadStratum, 'population'>,
  shares: Readonly<Record<VerdictName, number>>,
): Record<VerdictName, number> {
  const sum = shares.positive + shares.negative + shares.incoherent;
  return byVerdict((name) => (population === 0 ? 0 : (population * shares[name]) / sum));
}

const sumOf = (arms: readonly Weights[]): Weights =>
  byVerdict((said) => byVerdict((read) => arms.reduce((sum, arm) => sum + arm[said][read], 0)));

/** An arm's weights as read; NaN where texts of a stratum were not read at all. */
const weightsOf = (arm: ReadArm): Weights => byVerdict((said) => scaled(arm[said], arm[said].read));

/** An arm's weights as they may be: shares of a Dirichlet distribution, by the prior of Jeffreys. */
function drawnWeights(arm: ReadArm, gamma: (shape: number) => number): Weights {
  return byVerdict((said) =>
    scaled(
      arm[said],
      byVerdict((read) => gamma(arm[said].read[read] + 0.5)),
    ),
  );
}

/** The central 95 %. A share of 0 or 1 is an end of its interval; the value itself is always inside. */
export function estimateFrom(value: number, draws: readonly number[], ends: Interval): IntervalEstimate {
  const sorted = Float64Array.from(draws.filter((x) => !Number.isNaN(x))).sort();
  const [low, high] = [quantile(sorted, 0.025), quantile(sorted, 0.975)];
  if (Number.isNaN(value)) return { value, low: Number.NaN, high: Number.NaN };
  return {
    value,
    low: value === ends.low ? value : Math.min(value, low),
    high: value === ends.high ? value : Math.max(value, high),
  };
}

const drawCount = 2000;

/**
 * The judge's error over the texts of some arms together, each text counting once. Intervals and draws are
 * of the posterior under the prior of Jeffreys, whose intervals of a single share cover about as often as
 * they say, also near 0 and 1 (Brown, Cai and DasGupta 2001); they take texts as independent.
 */
export function judgeErrorOf(arms: readonly ReadArm[], seed: number): ArmError {
  const gamma = gammasFrom(generatorOf(seed));
  const point = errorIn(sumOf(arms.map(weightsOf)));
  const draws = Array.from({ length: drawCount }, () =>
    errorIn(sumOf(arms.map((arm) => drawnWeights(arm, gamma)))),
  );
  const estimate = (name: keyof JudgeError) =>
    estimateFrom(
      point[name],
      draws.map((draw) => draw[name]),
      { low: name === 'kappa' ? -1 : 0, high: 1 },
    );
  return {
    point,
    draws,
    estimates: {
      sensitivity: estimate('sensitivity'),
      specificity: estimate('specificity'),
      kappa: estimate('kappa'),
      coherent_kept: estimate('coherent_kept'),
      incoherent_found: estimate('incoherent_found'),
    },
  };
}
