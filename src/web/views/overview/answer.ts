/** What a study found, in sentences. */
import {
  type AttributedOver,
  changePoints,
  dictionaryLine,
  findingOf,
  type LatentRow,
  type SteeringSummary,
} from '../../../results.ts';
import { count, percent, plural, scientific } from '../../format.ts';
import type { SteeringRecords } from '../../study.ts';

export interface Answer {
  /** the one sentence that matters */
  readonly lead: string;
  readonly more: readonly string[];
  /** what speaks against it, or limits it */
  readonly against: readonly string[];
}

export interface Found {
  readonly behaviour: string;
  readonly steering: SteeringRecords | undefined;
  readonly latents: readonly LatentRow[] | undefined;
  /** what the attribution is a mean over */
  readonly over: AttributedOver | undefined;
}

/** The gray zones in words. */
export function zoneText({ zone, random }: Pick<SteeringSummary, 'zone' | 'random'>): string {
  const range = ({ low, high }: { readonly low: number; readonly high: number }) =>
    `${changePoints(low)} to ${changePoints(high)}`;
  return [
    `The gray zone is where the effect of one more random latent is expected with 95 % probability, by`,
    `${plural(random, 'random latent')}: ${range(zone.remove)} percentage points when it is removed,`,
    `${range(zone.away)} when the subject is steered away from it, ${range(zone.toward)} when the reference`,
    `is steered toward it.`,
  ].join(' ');
}

function steered(records: SteeringRecords): Answer {
  const { latent, lead, more, against } = findingOf(records);
  if (latent === undefined)
    return {
      lead,
      more: [
        [
          'Each was left out for its log-odds, or even its weakest dose made too much text incoherent.',
          '`culprit run --full` samples every candidate.',
        ].join(' '),
      ],
      against: [],
    };
  const dictionary = dictionaryLine(records, latent);
  return { lead, more: dictionary === undefined ? more : [...more, dictionary], against };
}

function attributed(latents: readonly LatentRow[], { behaviour, over }: Found): Answer {
  const first = latents.reduce((best, row) => (row.rank < best.rank ? row : best));
  const said = over === undefined ? '' : ` over ${plural(over.count, over.unit)}`;
  return {
    lead: [
      `Steering has not been run, so nothing is confirmed. Latent ${first.latent} comes first of`,
      `${count(latents.length)} by delta-attribution${said}: ${scientific(first.delta)} nats per token,`,
      over === undefined
        ? `the same sign in ${percent(first.same_sign)} of the pairs.`
        : `the same sign in ${count(Math.round(first.same_sign * over.count))} of them.`,
    ].join(' '),
    more: [
      [
        `Whether it causes ${behaviour} is not known yet: an attribution is an estimate.`,
        '`culprit run` continues with the causal test if the study names a reference model and',
        'evaluation prompts.',
      ].join(' '),
    ],
    against: [],
  };
}

/** The answer, or the honest lack of one. */
export function answerOf(found: Found): Answer {
  const { steering, latents } = found;
  if (steering) return steered(steering);
  if (latents && latents.length > 0) return attributed(latents, found);
  return {
    lead: 'Nothing is known yet: no latents have been ranked.',
    more: [
      [
        '`culprit run STUDY` samples, grades, pairs, attributes and steers; results appear here',
        'as they are made.',
      ].join(' '),
    ],
    against: [],
  };
}
