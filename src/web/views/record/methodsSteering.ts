/**
 * The causal test as the methods text states it: what was done along which directions, and how it was decided,
 * by the stage's options, the summary and the rows.
 */
import {
  bothSides,
  directionEffects,
  type EffectVerdictName,
  effectsOf,
  type Side,
  type StageRecord,
  type SteeredPrompt,
  type SteeringSummary,
  type StudyManifest,
  verdictUnder,
} from '../../../results.ts';
import { count, fixed, lastPart, percent, plural, signed } from '../../format.ts';
import type { SteeringRecords } from '../../study.ts';
import { steeringEngineSentences } from './methodsEngine.ts';
import { exactPercent, numberOption, type Sentences, textOption } from './recordFields.ts';

type Records = SteeringRecords;

/** `3 away and 2 toward` */
const bothWays = (of: (side: Side) => string) => bothSides.map((side) => `${of(side)} ${side}`).join(' and ');

const candidatesIn = ({ rows }: Records) => effectsOf(rows).filter(({ role }) => role === 'candidate');

const steeredTokens: Readonly<Record<string, string>> = {
  all: 'every token',
  prompt: 'every token of the prompt',
  completion: 'every token of the completion',
};

function proposed(records: Records): string {
  const { selectors } = records.summary;
  const named = selectors.map((one) => `${one.selector} (${count(one.candidates)})`).join(', ');
  return `The latents to test were proposed by ${named}: ${plural(candidatesIn(records).length, 'candidate')} in all.`;
}

function howRemoved({ options }: StageRecord, { rows, summary: { site } }: Records): Sentences {
  const tokens = steeredTokens[textOption(options, 'held_tokens') ?? ''];
  if (tokens === undefined) return [];
  const groups = directionEffects(rows).filter(({ role }) => role === 'group');
  const patched = directionEffects(rows).some(({ patch }) => patch !== undefined);
  return [
    [
      `A direction d is removed from the subject by setting the projection of the residual stream at ${site}`,
      `on it to that of the baseline, at ${tokens} but the attention sinks.`,
    ].join(' '),
    groups.length > 0 &&
      `The span of several latents was removed too: ${groups.map(({ direction }) => direction).join('; ')}.`,
    patched &&
      'A direction is patched by setting the projection in the reference to the mean of the subject’s.',
  ];
}

const furtherSentences = {
  remove_all: 'The projection was also held at every token, beside that.',
  remove_prompt: 'The projection was also held at every token of the prompt, beside that.',
  remove_completion: 'The projection was also held at every token of the completion, beside that.',
  subtract:
    'Latents were also removed by the encoder: at the same tokens as before, a latent’s own activation z(a) was subtracted along its direction, a − z(a)·d, while the completion grew.',
} as const;

/** What was done beside removal and steering. */
function howOtherwise({ rows, summary: { system, greedy } }: Records): Sentences {
  const done = (['remove_all', 'remove_prompt', 'remove_completion', 'subtract'] as const).filter(
    (operation) => rows.some((row) => row.operation === operation),
  );
  return [
    ...done.map((operation) => furtherSentences[operation]),
    done.length > 0 && 'Each of these is a test of its own, and confirms no latent.',
    greedy !== undefined &&
      [
        'A group was built one by one on the calibration prompts, each time with the candidate whose removal together',
        `with those before left the least share of positives: ${greedy.map(({ latent }) => latent).join(', ')}.`,
      ].join(' '),
    system !== undefined &&
      `The subject was also sampled with the system message “${system}” and no direction.`,
  ];
}

function howSteered({ options, inputs }: StageRecord, records: Records): Sentences {
  const { norm, site } = records.summary;
  const tokens = steeredTokens[textOption(options, 'tokens') ?? ''];
  if (tokens === undefined) return [];
  const reference = listedModel(inputs.reference, inputs.referenceAdapter);
  const absent = candidatesIn(records).filter((one) => (one.remove ?? one.away)?.sign === -1).length;
  return [
    [
      `A direction is steered by itself: α·s·σ·d is added to the residual stream at ${site}, at ${tokens},`,
      `with s the mean residual norm there (${fixed(norm.away, 1)} for the subject,`,
      `${fixed(norm.toward, 1)} for the reference) and σ = ±1 such that adding σ·d makes the positives`,
      `likelier to first order; away is the subject model with α < 0, toward the reference model${reference}`,
      `with α > 0.`,
    ].join(' '),
    absent > 0 && `σ is −1 for ${plural(absent, 'candidate')}: less of these goes with the behaviour.`,
  ];
}

type Input = StageRecord['inputs'][string] | undefined;

const listedModel = (model: Input, adapter: Input) =>
  model ? ` (${lastPart(model.path)}${adapter ? `, adapter ${lastPart(adapter.path)}` : ''})` : '';

/** What the log-odds let through. */
function gated(stages: StudyManifest['stages'], records: Records): Sentences {
  const { options } = stages.steer!;
  const candidates = candidatesIn(records);
  if (records.summary.gate === null) return ['No candidate was left out before sampling.'];
  const [dose, pairs, share] = [
    numberOption(options, 'gate_dose'),
    numberOption(options, 'gate_pairs'),
    numberOption(options, 'gate_share'),
  ];
  if (dose === undefined || pairs === undefined || share === undefined) return [];
  const stopped = (place: 'remove' | 'away') =>
    count(candidates.filter((one) => one[place]?.stage === 'log-odds').length);
  const on =
    stages.attribute?.options.all_pairs === true
      ? `the pairs of at most ${plural(pairs, 'prompt')}`
      : `at most ${plural(pairs, 'pair')}`;
  return [
    [
      `Of ${plural(candidates.length, 'candidate')}, ${stopped('remove')} went without removal and`,
      `${stopped('away')} without steering: their change of the log-odds of the positive against the negative`,
      `completions, removed or at |α| = ${dose}, on ${on}, lay within the central ${exactPercent(share)} of`,
      `the random latents’, for steering on one side or both.`,
    ].join(' '),
    'Whoever is not sampled counts in the tests as one more candidate that shows nothing.',
  ];
}

/** What calls a completion of the dose search incoherent. */
const measures: Readonly<Record<string, string>> = {
  judge: 'by the judge',
  cheap: 'by likelihood, repetition and length, without the judge',
  both: 'by the judge, or by likelihood, repetition and length',
};

const promptsFor = ({ prompts }: SteeringSummary, use: SteeredPrompt['use']) =>
  prompts.filter((prompt) => prompt.use === use).length;

function dosed({ options }: StageRecord, { rows, summary }: Records): Sentences {
  const [bound, each] = [
    numberOption(options, 'incoherent'),
    numberOption(options, 'calibration_completions'),
  ];
  const measure = measures[textOption(options, 'incoherence') ?? 'judge'];
  const prompts = promptsFor(summary, 'calibration');
  const { doses } = options;
  const isKnown = bound !== undefined && each !== undefined && measure !== undefined && prompts > 0;
  if (!isKnown || !Array.isArray(doses)) return [];
  const without = rows.filter(({ stage }) => stage === 'no dose');
  return [
    [
      `For every latent and random direction that was steered a dose was sought by bisection of the ladder`,
      `|α| = ${doses.join(', ')}: the strongest at which the share of incoherent completions (${measure}) on`,
      `${plural(prompts, 'calibration prompt')}, ${plural(each, 'completion')} of each, exceeds that of`,
      `unsteered completions by at most ${exactPercent(bound)}.`,
    ].join(' '),
    without.length > 0 &&
      [
        `Even the weakest dose exceeded it for some, which have no effect then:`,
        `${bothWays((side) => count(without.filter((row) => row.side === side).length))}.`,
      ].join(' '),
  ];
}

function evaluated({ options }: StageRecord, { rows, summary }: Records): Sentences {
  const each = numberOption(options, 'completions');
  const prompts = promptsFor(summary, 'evaluation');
  const aside = promptsFor(summary, 'aside');
  if (each === undefined || prompts === 0) return [];
  const again = new Set(rows.filter((row) => row.aside_n > 0).map(({ direction }) => direction)).size;
  return [
    [
      `What was removed or steered was tested on ${plural(prompts, 'evaluation prompt')},`,
      `${plural(each, 'completion')} of each, all of them, whatever came out on the first; none of these is a`,
      `calibration prompt or a prompt of the pairs.`,
    ].join(' '),
    aside > 0 &&
      again > 0 &&
      [
        `${plural(aside, 'further prompt')} had been kept aside: on them the candidates that moved the share`,
        `most, and the groups, ${count(again)} in all, were measured again.`,
      ].join(' '),
  ];
}

const range = ({ low, high }: { readonly low: number; readonly high: number }) =>
  `${signed(100 * low, 1)} to ${signed(100 * high, 1)}`;

const zoneNames = { remove: 'removed', away: 'away', toward: 'toward' } as const;

function measured({ alone, behaviour, random, zone }: SteeringSummary): Sentences {
  const share = ({ positives, coherent }: SteeringSummary['alone']['away']) =>
    `${count(positives)} of ${plural(coherent, 'coherent completion')} (${percent(positives / coherent)})`;
  return [
    [
      `Left alone, ${share(alone.away)} of the subject and ${share(alone.toward)} of the reference on`,
      `the evaluation prompts show ${behaviour}.`,
    ].join(' '),
    [
      'An effect is the change of that share against the same prompts, with the same seeds, unsteered; its',
      '95 % interval is bootstrapped over prompts.',
    ].join(' '),
    [
      'The way of a removal is its effect in parts of what lies between the subject and the reference, both',
      'unsteered.',
    ].join(' '),
    [
      `${plural(random, 'random latent')}, none of them a candidate and together about as often active`,
      `as the candidates, were removed, and steered after the same search for a dose, on all evaluation`,
      `prompts.`,
    ].join(' '),
    `The gray zone is the 95 % prediction interval of the effect of one more random latent: ${(
      ['remove', 'away', 'toward'] as const
    )
      .map(
        (place) =>
          `${range(zone[place])} percentage points ${zoneNames[place]}, from ${plural(zone[place].effects, 'effect')}`,
      )
      .join('; ')}.`,
  ];
}

function comparedWith({ summary: { gaussian, comparisons } }: Records): Sentences {
  if (gaussian === 0 && comparisons.length === 0) return [];
  const named = comparisons.map(({ direction }) => direction).join(', ');
  return [
    gaussian > 0 && `${plural(gaussian, 'random direction')} of the residual stream went through the same.`,
    comparisons.length > 0 &&
      [
        `So did, at the dose of the first candidate that has one, ${plural(comparisons.length, 'direction')} to`,
        `compare with: ${named}.`,
      ].join(' '),
  ];
}

function decided(records: Records): Sentences {
  const candidates = candidatesIn(records);
  const tally = (operation: 'remove' | 'add', verdict: EffectVerdictName) =>
    count(candidates.filter((one) => verdictUnder(one, operation) === verdict).length);
  return [
    [
      'Removal and steering are a test each, one-sided, against two null hypotheses, of which the greater p',
      'counts: that a candidate moves the share as a random latent does, by draws with the random latents’',
      'spread, and that it changes nothing, by exchanging steered and unsteered completions within prompts;',
      'steering must move both sides.',
    ].join(' '),
    [
      'A candidate is confirmed at a family-wise p below .05, over all candidates and both tests, and',
      'suggestive at a q below .2 (Benjamini and Hochberg).',
    ].join(' '),
    [
      `Of ${plural(candidates.length, 'candidate')}, removal confirms ${tally('remove', 'confirmed')} and leaves`,
      `${tally('remove', 'suggestive')} suggestive; steering confirms ${tally('add', 'confirmed')} and leaves`,
      `${tally('add', 'suggestive')} suggestive.`,
    ].join(' '),
  ];
}

/** Of a study whose causal test is recorded. */
export function steeredSentences(stages: StudyManifest['stages'], steering: SteeringRecords): Sentences {
  const stage = stages.steer!;
  return [
    proposed(steering),
    ...howRemoved(stage, steering),
    ...howOtherwise(steering),
    ...howSteered(stage, steering),
    ...gated(stages, steering),
    ...dosed(stage, steering),
    ...evaluated(stage, steering),
    ...steeringEngineSentences(stage, textOption(stage.options, 'tokens')),
    ...measured(steering.summary),
    ...comparedWith(steering),
    ...decided(steering),
  ];
}
