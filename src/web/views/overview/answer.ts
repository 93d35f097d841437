/** What a study found, in sentences. */
import {
  type AttributedOver,
  changePoints,
  dictionaryLine,
  type Finding,
  findingOf,
  type LatentRow,
  placeOfRow,
} from '../../../results.ts';
import { count, percent, plural, scientific } from '../../format.ts';
import type { SteeringRecords } from '../../study.ts';

/** Of what the answer is about: the candidate, and what was done to it. */
export interface TestedLatent {
  readonly latent: number;
  readonly place: NonNullable<Finding['place']>;
}

export interface Answer {
  /** undefined where no candidate was sampled */
  readonly tested?: TestedLatent | undefined;
  /** which tests confirm it and which do not, where any does */
  readonly outcome?: string | undefined;
  /** the one sentence that matters */
  readonly lead: string;
  /** how sure it is */
  readonly evidence?: readonly string[];
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
  /** whether it is being run */
  readonly running: boolean;
  /** why the result of the causal test, which is there, could not be read */
  readonly unread?: Error | undefined;
}

/** The gray zones in words, with digits where what was measured meets their edges; and what outside of one means. */
export function zoneText({ rows, summary: { zone, random } }: SteeringRecords): string {
  const range = (place: 'remove' | 'away' | 'toward') => {
    const beside = rows
      .filter((row) => row.role === 'candidate' && placeOfRow(row) === place)
      .flatMap(({ effect, low, high }) => [effect, low, high].filter((edge) => edge !== null));
    return `${changePoints(zone[place].low, beside)} to ${changePoints(zone[place].high, beside)}`;
  };
  return [
    `The gray zone is where the effect of one more random latent is expected with 95 % probability, by`,
    `${plural(random, 'random latent')}: ${range('remove')} percentage points when it is removed,`,
    `${range('away')} when the subject is steered away from it, ${range('toward')} when the reference`,
    `is steered toward it. An effect is outside where its estimate lies beyond an edge of the zone, though its`,
    `95 % interval may reach into it.`,
  ].join(' ');
}

function steered(records: SteeringRecords): Answer {
  const { latent, place, outcome, headline, evidence, lead, more, against } = findingOf(records);
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
  return {
    tested: place && { latent: latent.latent, place },
    outcome,
    lead: headline,
    evidence,
    more: dictionary === undefined ? more : [...more, dictionary],
    against,
  };
}

function attributed(latents: readonly LatentRow[], { behaviour, over, running }: Found): Answer {
  const first = latents.reduce((best, row) => (row.rank < best.rank ? row : best));
  const said = over === undefined ? '' : ` over ${plural(over.count, over.unit)}`;
  return {
    lead: [
      running ? 'The study is running, and' : 'Steering has not been run, so',
      `nothing is confirmed${running ? ' yet' : ''}. Latent ${first.latent} comes first of`,
      `${count(latents.length)} by delta-attribution${said}: ${scientific(first.delta)} nats per token,`,
      over === undefined
        ? `the same sign in ${percent(first.same_sign)} of the pairs.`
        : `the same sign in ${count(Math.round(first.same_sign * over.count))} of them.`,
    ].join(' '),
    more: [
      [
        `Whether it causes ${behaviour} is not known yet: an attribution is an estimate.`,
        running ? 'The causal test follows' : '`culprit run` continues with the causal test',
        'if the study names a reference model and evaluation prompts.',
      ].join(' '),
    ],
    against: [],
  };
}

/** The answer, or the honest lack of one. */
export function answerOf(found: Found): Answer {
  const { steering, latents, unread } = found;
  if (unread)
    return {
      lead: 'The result of the causal test cannot be read, so nothing can be said.',
      more: [],
      against: [],
    };
  if (steering) return steered(steering);
  if (latents && latents.length > 0) return attributed(latents, found);
  return {
    lead: 'Nothing is known yet: no latents have been ranked.',
    more: [
      [
        found.running ? 'The run' : '`culprit run STUDY`',
        'samples, grades, pairs, attributes and steers; results appear here as they are made.',
      ].join(' '),
    ],
    against: [],
  };
}
