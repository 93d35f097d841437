/** What a monitor comes to, in sentences: what it reaches with intervals, what stands beside it, and what speaks against it. */
import { inPercent, pText } from './finding.ts';
import type { MonitorDetector, MonitorRecord, MonitorRow, MonitorShare, MonitorTest } from './monitor.ts';
import { counted, inDecimals } from './numbers.ts';

export interface MonitorFinding {
  /** within the task */
  readonly lead: string;
  /** of each further task */
  readonly across: readonly string[];
  readonly against: readonly string[];
}

/** Fewer negatives than this tell nothing of a rate of 1 %. */
const leastNegatives = 100;
/** A threshold for 1 % that flags more than this share of the negatives elsewhere does not carry over. */
const greatestFpr = 0.03;
/** An AUC within prompts that is lower by this owes something to which prompts are asked. */
const topicShare = 0.1;

const shown = (x: number | null) => (x === null ? 'undefined' : inDecimals(x, 3));

/** `0.912 [0.881, 0.940]` */
export const monitorShareText = ({ value, low, high }: MonitorShare): string =>
  value === null || low === null || high === null
    ? shown(value)
    : `${shown(value)} [${shown(low)}, ${shown(high)}]`;

const rowIn = ({ rows }: MonitorTest, { name }: MonitorDetector): MonitorRow =>
  rows.find(({ detector }) => detector === name)!;

const isHigh = (row: MonitorRow, than: MonitorRow) => (row.auc.value ?? 0) >= (than.auc.value ?? 0);

/** The latent that is told of: of the confirmed ones, or else of all, the one with the greatest AUC on the fitting texts. */
export function leadingDetector({ detectors }: Pick<MonitorRecord, 'detectors'>): MonitorDetector {
  const latents = detectors.filter(({ kind }) => kind === 'latent');
  const confirmed = latents.filter((one) => one.confirmed);
  const among = confirmed.length > 0 ? confirmed : latents;
  return among.reduce((best, one) => ((one.fitted_auc ?? 0) > (best.fitted_auc ?? 0) ? one : best));
}

const rangeText = ({ random: { latents, auc } }: MonitorTest): string =>
  latents === 0
    ? 'no random latents stand beside it'
    : `${counted(latents, 'random latent')} reach ${shown(auc.low)} to ${shown(auc.high)}${auc.next_low === null ? '' : `, and one more is expected from ${shown(auc.next_low)} to ${shown(auc.next_high)}`}`;

const othersText = (test: MonitorTest, detectors: readonly MonitorDetector[]): string =>
  detectors
    .filter(({ kind }) => kind !== 'latent')
    .map((one) => `the ${one.name} ${monitorShareText(rowIn(test, one).auc)}`)
    .join(', ');

const textsOf = ({ completions, positives, prompts }: MonitorTest): string =>
  `${counted(completions, 'completion')} (${positives} positive) of ${counted(prompts, 'prompt')}`;

/** A test by name: `other/study`. */
export const monitorTestName = ({ of }: Pick<MonitorTest, 'of'>): string =>
  of === null ? 'within the task' : of.split(/[\\/]/).slice(-2).join('/');

export function monitorFinding(record: MonitorRecord): MonitorFinding {
  const { behaviour, detectors, tests, tokens, confirmed } = record;
  const lead = leadingDetector(record);
  const [within, ...across] = tests as [MonitorTest, ...MonitorTest[]];
  const own = rowIn(within, lead);
  const what = lead.confirmed
    ? 'which the causal test confirmed'
    : confirmed === null
      ? 'which no causal test has confirmed, for there was none'
      : 'which the causal test did not confirm, as it confirmed none';
  const where =
    within.kind === 'held-out'
      ? 'that no latent was found on'
      : 'that the latents were found on, across folds';
  return {
    lead: `The mean projection of ${tokens === 'all' ? 'all' : `the ${tokens}'s`} tokens on latent ${lead.latent}, ${what}, tells answers that show ${behaviour} from the others with AUC ${monitorShareText(own.auc)} on ${textsOf(within)} ${where}; ${rangeText(within)}; ${othersText(within, detectors)}. Within prompts it is ${monitorShareText(own.within)}. At the threshold for 1 % false alarms it flags ${shownPercent(own.tpr)} of the positives and ${shownPercent(own.fpr)} of the negatives.`,
    across: across.map((test) => {
      const row = rowIn(test, lead);
      return `On ${monitorTestName(test)}${test.behaviour === null ? '' : `, about ${test.behaviour}`}: latent ${lead.latent} ${monitorShareText(row.auc)} on ${textsOf(test)}; ${rangeText(test)}; ${othersText(test, detectors)}.`;
    }),
    against: againstOf(record, lead),
  };
}

const shownPercent = ({ value }: MonitorShare) => (value === null ? 'none' : inPercent(value));

function againstOf(record: MonitorRecord, lead: MonitorDetector): string[] {
  const { tests, detectors, tokens, fitted } = record;
  const said: string[] = [];
  const [within] = tests;
  if (!lead.confirmed)
    said.push(
      'No latent is confirmed: these are the first by delta, which may accompany the behaviour and not cause it.',
    );
  if (within!.kind === 'cross-fitted')
    said.push(
      'There are no completions that the latents were not found on: their own numbers are those of the texts that chose them.',
    );
  if (tokens === 'prompt')
    said.push(
      'It reads prompts alone: all completions of a prompt have one score, and within prompts it says nothing.',
    );
  const negatives = fitted.completions - fitted.positives;
  if (negatives < leastNegatives)
    said.push(
      `The threshold rests on ${counted(negatives, 'negative')}: with fewer than ${leastNegatives}, a rate of 1 % means no more than that none of them is flagged.`,
    );
  for (const test of tests) said.push(...againstTest(test, lead, detectors));
  return said;
}

function againstTest(
  test: MonitorTest,
  lead: MonitorDetector,
  detectors: readonly MonitorDetector[],
): string[] {
  const row = rowIn(test, lead);
  const where = test.of === null ? 'Within the task' : `On ${monitorTestName(test)}`;
  const said: string[] = [];
  const { latents } = test.random;
  if (row.auc.value === null)
    return [`${where}: there are completions of one label only, which no AUC is of.`];
  const p = (1 + row.random_as_high) / (1 + latents);
  if (latents > 0 && p > 0.05)
    said.push(
      `${where}: ${row.random_as_high} of ${counted(latents, 'random latent')} reach as much as latent ${lead.latent} (${pText(p)}): it is not shown to be better than one drawn at random.`,
    );
  const rivals = detectors.filter((one) => one.kind !== 'latent' && isHigh(rowIn(test, one), row));
  if (rivals.length > 0)
    said.push(
      `${where}: the ${rivals.map(({ name }) => name).join(' and the ')}, which ${rivals.length === 1 ? 'needs' : 'need'} no dictionary, ${rivals.length === 1 ? 'does' : 'do'} as well or better.`,
    );
  if (row.auc.high !== null && row.auc.high < 0.5)
    said.push(`${where}: the whole interval of its AUC lies below 0.5: it reads the wrong way round.`);
  else if (row.auc.low !== null && row.auc.low <= 0.5)
    said.push(`${where}: the interval of its AUC reaches 0.5, which is chance.`);
  if (
    test.completions > test.positives &&
    row.within.value !== null &&
    row.auc.value - row.within.value > topicShare
  )
    said.push(
      `${where}: between completions of one prompt the AUC is ${shown(row.within.value)} (${counted(row.within.pairs, 'pair')}): part of ${shown(row.auc.value)} comes from which prompts are asked.`,
    );
  const negatives = test.completions - test.positives;
  if (negatives < leastNegatives)
    said.push(`${where}: ${counted(negatives, 'negative')} tell little of a rate of false alarms near 1 %.`);
  if (row.fpr.value !== null && row.fpr.value > greatestFpr)
    said.push(
      `${where}: the threshold that flags 1 % of the negatives where it was fitted flags ${inPercent(row.fpr.value)} of them.`,
    );
  return said;
}
