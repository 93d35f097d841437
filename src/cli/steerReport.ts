/** What `culprit steer` shows: each prompt, and under it the text left alone beside the steered ones. */

import type { SteeredTokens } from '../methods/steering/steer.ts';
import { type Prompt, promptText } from '../results.ts';
import type { SteeredGroup } from '../study/playground/groupSteering.ts';
import {
  type AskedIntervention,
  type SteerRequest,
  type SteerTarget,
  steerDefaults,
} from '../study/playground/steerRequest.ts';
import type { Said, SteerComparison, SteerResult } from '../study/playground/steerRun.ts';
import { harmless, sideBySide } from './sideBySide.ts';
import { pc } from './table.ts';
import { paragraph } from './wrap.ts';

/** Two decimals, or as many as it takes. */
function decimals(x: number): string {
  const two = Math.abs(x).toFixed(2);
  return Number(two) === Math.abs(x) ? two : `${Math.abs(x)}`;
}

const withSign = (x: number) => `${x < 0 ? '−' : '+'}${decimals(x)}`;

const nameOf = (target: SteerTarget, { vectors }: SteerResult) =>
  'latent' in target ? `${target.latent}` : vectors.get(target.vector)!.name;

const unitOf = ({ scale = 'norm' }: SteerRequest) => (scale === 'norm' ? ' s' : '');

/** What is done, without what it is done to: `× −0.30 s`. */
function changeText(asked: AskedIntervention, request: SteerRequest): string {
  switch (asked.kind) {
    case 'add':
      return `× ${withSign(asked.dose)}${unitOf(request)}`;
    case 'ablate':
      return 'set to the baseline';
    case 'set':
      return `set to ${withSign(asked.value)}${unitOf(request)}`;
    case 'cap':
      return `at most ${withSign(asked.value)}${unitOf(request)}`;
  }
}

const cutMark = '[…]';

function shownText({ text, stop }: Said): string {
  const shown = harmless(text).trim();
  return `${shown === '' ? '(nothing)' : shown}${stop === 'length' ? ` ${cutMark}` : ''}`;
}

const promptLines = (prompt: Prompt) =>
  harmless(promptText(prompt))
    .split('\n')
    .flatMap((line) => paragraph(line))
    .map((line) => pc.cyan(line));

function comparisonText(comparison: SteerComparison, result: SteerResult, request: SteerRequest): string {
  const { seed, unsteered, steered } = comparison;
  const { samples = steerDefaults.samples } = request;
  const cards = steered.map(({ interventions, ...said }) => ({
    heading: interventions.map((one) => `${nameOf(one, result)} ${changeText(one, request)}`).join(', '),
    text: shownText(said),
  }));
  return [
    ...(samples > 1 ? [pc.dim(`seed ${seed}`)] : []),
    sideBySide([{ heading: 'unsteered', text: shownText(unsteered) }, ...cards]),
    '',
  ].join('\n');
}

const tokensSaid: Readonly<Record<SteeredTokens, string>> = {
  all: 'every token',
  prompt: 'every token of the prompt',
  completion: 'every token of the completion',
};

/** One intervention in a sentence, for one who reads such a heading for the first time. */
function explained(asked: AskedIntervention, result: SteerResult, request: SteerRequest): string {
  const name = nameOf(asked, result);
  const { scale = 'norm', tokens = 'all' } = request;
  const direction = `the direction of ${'latent' in asked ? `latent ${name}` : name}`;
  const at = `at ${tokensSaid[tokens]}`;
  const heading = changeText(asked, request);
  switch (asked.kind) {
    case 'add': {
      const amount =
        scale === 'norm' ? `${decimals(asked.dose)} s` : `${decimals(asked.dose)} times its published length`;
      return `${heading}: the residual stream is shifted by ${amount} ${asked.dose < 0 ? 'against' : 'along'} ${direction}, ${at}.`;
    }
    case 'cap':
      return `${heading}: the component of the residual stream along ${direction} is limited to this, ${at}.`;
    default:
      return `${heading}: the component of the residual stream along ${direction} is set to this, ${at}.`;
  }
}

const groupNote = ({ latent, members, part }: SteeredGroup, { variants }: SteerRequest) =>
  `Latent ${latent} alone, then its group: ${members.join(', ')}${variants[0]![0]!.kind === 'add' ? `, each with ${part} of the dose, so that together they shift it equally far` : ''}.`;

function legend(result: SteerResult, request: SteerRequest, group: SteeredGroup | undefined): string[] {
  const { layer, norm, vectors, comparisons } = result;
  const { maxTokens = steerDefaults.maxTokens } = request;
  const cut = comparisons.some(({ unsteered, steered }) =>
    [unsteered, ...steered].some(({ stop }) => stop === 'length'),
  );
  return [
    explained(request.variants[0]![0]!, result, request),
    ...(group === undefined ? [] : [groupNote(group, request)]),
    `s = ${norm.toPrecision(4)}: the mean norm of the residual stream after block ${layer}, where it is steered, over ${request.norm === undefined ? 'the tokens of the prompts' : "the texts of the study's causal test"}.`,
    ...Array.from(
      vectors.values(),
      ({ name, norm: length }) => `${name}: norm ${length.toPrecision(4)} as published.`,
    ),
    'Texts in one block were drawn with the same random numbers: the steering makes the difference.',
    ...(cut ? [`${cutMark} cut at ${maxTokens} tokens.`] : []),
  ];
}

/** The comparisons as text. Nothing in it but colours of our own is obeyed by a terminal. */
export function steerReport(result: SteerResult, request: SteerRequest, group?: SteeredGroup): string {
  const { comparisons } = result;
  const blocks = comparisons.flatMap((comparison, i) => {
    const isNew = comparison.prompt !== comparisons[i - 1]?.prompt;
    return [
      ...(isNew ? [...promptLines(comparison.prompt), ''] : []),
      comparisonText(comparison, result, request),
    ];
  });
  const notes = legend(result, request, group).flatMap((line) =>
    paragraph(harmless(line)).map((one) => pc.dim(one)),
  );
  return ['', ...blocks, ...notes, ''].join('\n');
}
