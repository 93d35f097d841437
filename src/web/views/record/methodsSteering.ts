/**
 * The causal test as the methods text states it: what was done to which latents, by the stage's options,
 * the summary and the rows.
 */
import {
  bothSides,
  effectsOf,
  type RankedSteeringRow,
  type Side,
  type StageRecord,
  type SteeringSummary,
  type StudyManifest,
} from '../../../results.ts';
import { count, fixed, percent, plural, signed } from '../../format.ts';
import type { SteeringRecords } from '../../study.ts';
import { exactPercent, nameOf, numberOption, type Sentences, textOption } from './recordFields.ts';

type Rows = readonly RankedSteeringRow[];

/** `3 away and 2 toward` */
const bothWays = (of: (side: Side) => string) => bothSides.map((side) => `${of(side)} ${side}`).join(' and ');

const rowsAt = (rows: Rows, stage: RankedSteeringRow['stage'], role?: RankedSteeringRow['role']) =>
  rows.filter((row) => row.stage === stage && (role === undefined || row.role === role));

const steeredTokens: Readonly<Record<string, string>> = {
  all: 'every token',
  prompt: 'every token of the prompt',
  completion: 'every token of the completion',
};

function proposed({ rows, summary }: SteeringRecords): string {
  const candidates = effectsOf(rows).filter(({ role }) => role === 'candidate').length;
  const named = summary.selectors.map((one) => `${one.selector} (${count(one.candidates)})`).join(', ');
  return `The latents to test were proposed by ${named}: ${plural(candidates, 'candidate')} in all.`;
}

function howSteered({ options, inputs }: StageRecord, { norm, site }: SteeringSummary): string | undefined {
  const tokens = steeredTokens[textOption(options, 'tokens') ?? ''];
  if (tokens === undefined) return undefined;
  const reference = listedModel(inputs.reference, inputs.referenceAdapter);
  return [
    `A latent is steered by itself: α·s·d is added to the residual stream at ${site}, at ${tokens},`,
    `with s the mean residual norm there (${fixed(norm.away, 1)} for the subject,`,
    `${fixed(norm.toward, 1)} for the reference); away is the subject model with α < 0, toward the`,
    `reference model${reference} with α > 0.`,
  ].join(' ');
}

type Input = StageRecord['inputs'][string] | undefined;

const listedModel = (model: Input, adapter: Input) =>
  model ? ` (${nameOf(model.path)}${adapter ? `, adapter ${nameOf(adapter.path)}` : ''})` : '';

/** What the log-odds let through. */
function gated(stages: StudyManifest['stages'], { rows, summary }: SteeringRecords): string | undefined {
  const { options } = stages.steer!;
  const candidates = effectsOf(rows).filter(({ role }) => role === 'candidate').length;
  if (summary.gate === null) return 'No candidate was left out before sampling.';
  const [dose, pairs, share] = [
    numberOption(options, 'gate_dose'),
    numberOption(options, 'gate_pairs'),
    numberOption(options, 'gate_share'),
  ];
  if (dose === undefined || pairs === undefined || share === undefined) return undefined;
  const stopped = new Set(rowsAt(rows, 'log-odds', 'candidate').map(({ latent }) => latent)).size;
  const on =
    stages.attribute?.options.all_pairs === true
      ? `the pairs of at most ${plural(pairs, 'prompt')}`
      : `at most ${plural(pairs, 'pair')}`;
  return [
    `${count(stopped)} of ${plural(candidates, 'candidate')} went no further than the log-odds: their`,
    `change of the log-odds of the positive against the negative completions, at |α| = ${dose} on`,
    `${on}, lay within the central ${exactPercent(share)} of the random latents’ in one direction or`,
    `both.`,
  ].join(' ');
}

/** What calls a completion of the dose search incoherent. */
const measures: Readonly<Record<string, string>> = {
  judge: 'by the judge',
  cheap: 'by likelihood, repetition and length, without the judge',
  both: 'by the judge, or by likelihood, repetition and length',
};

const promptsFor = ({ prompts }: SteeringSummary, use: 'calibration' | 'evaluation') =>
  prompts.filter((prompt) => prompt.use === use).length;

function dosed({ options }: StageRecord, { rows, summary }: SteeringRecords): Sentences {
  const [bound, each] = [
    numberOption(options, 'incoherent'),
    numberOption(options, 'calibration_completions'),
  ];
  const measure = measures[textOption(options, 'incoherence') ?? 'judge'];
  const prompts = promptsFor(summary, 'calibration');
  const { doses } = options;
  const isKnown = bound !== undefined && each !== undefined && measure !== undefined && prompts > 0;
  if (!isKnown || !Array.isArray(doses)) return [];
  const without = (side: Side) => rowsAt(rows, 'no dose').filter((row) => row.side === side).length;
  return [
    [
      `For every other latent a dose was sought by bisection of the ladder |α| = ${doses.join(', ')}:`,
      `the strongest at which the share of incoherent completions (${measure}) on`,
      `${plural(prompts, 'calibration prompt')}, ${plural(each, 'completion')} of each, exceeds that of`,
      `completions left alone by at most ${exactPercent(bound)}.`,
    ].join(' '),
    rowsAt(rows, 'no dose').length > 0 &&
      [
        `Even the weakest dose exceeded it for some latents, which have no effect then:`,
        `${bothWays((side) => count(without(side)))}.`,
      ].join(' '),
  ];
}

/** How many of the evaluation prompts come first, as the causal test takes them. */
const firstOf = (evaluation: number, share: number) =>
  Math.min(evaluation, Math.max(1, Math.ceil(share * evaluation)));

function evaluated({ options }: StageRecord, { rows, summary }: SteeringRecords): Sentences {
  const [each, look] = [numberOption(options, 'completions'), numberOption(options, 'first_look')];
  const prompts = promptsFor(summary, 'evaluation');
  if (each === undefined || prompts === 0) return [];
  const early = (side: Side) => rowsAt(rows, 'few', 'candidate').filter((row) => row.side === side).length;
  const first = look === undefined ? prompts : firstOf(prompts, look);
  return [
    [
      `At its dose a latent was tested on ${plural(prompts, 'evaluation prompt')},`,
      `${plural(each, 'completion')} of each; none of these is a calibration prompt or a prompt of the`,
      `pairs.`,
    ].join(' '),
    options.full !== true &&
      first < prompts &&
      [
        `A candidate was decided after the first ${count(first)} of them where the 95 % interval of its`,
        `effect (Newcombe’s, over prompts) crossed no edge of the gray zone:`,
        `${bothWays((side) => count(early(side)))}.`,
      ].join(' '),
  ];
}

const range = ({ low, high }: { readonly low: number; readonly high: number }) =>
  `${signed(100 * low, 1)} to ${signed(100 * high, 1)}`;

function measured({ alone, behaviour, random, zone }: SteeringSummary): Sentences {
  const share = ({ positives, coherent }: SteeringSummary['alone']['away']) =>
    `${count(positives)} of ${plural(coherent, 'coherent completion')} (${percent(positives / coherent)})`;
  return [
    [
      `Left alone, ${share(alone.away)} of the subject and ${share(alone.toward)} of the reference on`,
      `the evaluation prompts show ${behaviour}.`,
    ].join(' '),
    [
      'The effect of a latent is the change of that share against the same prompts, with the same',
      'seeds, left alone; its 95 % interval is bootstrapped over prompts.',
    ].join(' '),
    [
      `${plural(random, 'random latent')}, none of them a candidate and together about as often active`,
      `as the candidates, went through the same search for a dose, and those with a dose through all`,
      `evaluation prompts.`,
    ].join(' '),
    `The central 95 % of their effects is the gray zone: ${bothSides
      .map(
        (side) =>
          `${range(zone[side])} percentage points ${side}, from ${plural(zone[side].effects, 'effect')}`,
      )
      .join('; ')}.`,
  ];
}

/** Of a study whose causal test is recorded. */
export function steeredSentences(stages: StudyManifest['stages'], steering: SteeringRecords): Sentences {
  const stage = stages.steer!;
  return [
    proposed(steering),
    howSteered(stage, steering.summary),
    gated(stages, steering),
    ...dosed(stage, steering),
    ...evaluated(stage, steering),
    ...measured(steering.summary),
  ];
}
