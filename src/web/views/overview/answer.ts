/** What a study found, in sentences. */
import {
  effectsOf,
  type LatentEffects,
  type LatentRow,
  type RankedSteeringRow,
  rowActsAsCause,
  type SteeringSummary,
  strongestOnOneSide,
  verdictOf,
  withVerdict,
} from '../../../results.ts';
import { count, percent, plural, scientific, signed } from '../../format.ts';
import type { SteeringRecords } from '../../study.ts';
import type { AttributedOver } from './attributedOver.ts';

export interface Answer {
  /** the one sentence that matters */
  readonly lead: string;
  readonly more: readonly string[];
}

export interface Found {
  readonly behaviour: string;
  readonly steering: SteeringRecords | undefined;
  readonly latents: readonly LatentRow[] | undefined;
  /** what the attribution is a mean over */
  readonly over: AttributedOver | undefined;
}

const inPoints = (change: number) => signed(100 * change, 0);

const shareChange = ({ alone_positives, alone_coherent, positives, coherent }: RankedSteeringRow) =>
  `from ${percent(alone_positives / alone_coherent)} to ${percent(positives / coherent)}`;

const interval = ({ low, high }: RankedSteeringRow) =>
  low === null || high === null ? 'not known' : `${inPoints(low)} to ${inPoints(high)}`;

const whoIs = { away: 'the subject away from it', toward: 'the reference toward it' } as const;

/** `steering the subject away from it changes the share of such answers from 50 % to 16 %` */
const moved = (row: RankedSteeringRow, answers: string) =>
  `steering ${whoIs[row.side]} changes the share of ${answers} ${shareChange(row)}`;

/** As after `moved`: `steering the reference toward it, from 16 % to 20 %` */
const movedToo = (row: RankedSteeringRow) => `steering ${whoIs[row.side]}, ${shareChange(row)}`;

function zoneSentence({ zone, random }: SteeringSummary): string {
  const range = ({ low, high }: { low: number; high: number }) => `${inPoints(low)} to ${inPoints(high)}`;
  return [
    `${plural(random, 'random latent')}, treated the same, ${random === 1 ? 'moves' : 'move'} the`,
    `subject by ${range(zone.away)} and the reference by ${range(zone.toward)} percentage points: the`,
    'gray zone.',
  ].join(' ');
}

function proposedBy({ ranks }: LatentEffects): string {
  const named = Object.entries(ranks).sort(([, a], [, b]) => a - b);
  if (named.length === 0) return '';
  return `It was proposed by ${named.map(([selector, rank]) => `${selector} (rank ${rank})`).join(' and ')}.`;
}

/** Said where zero lies in an interval: leaving the gray zone is then not firm. */
function unsure({ away, toward }: LatentEffects): string {
  const open = [away, toward].filter(
    (row) => row?.low != null && row.high != null && row.low <= 0 && row.high >= 0,
  );
  if (open.length === 0) return '';
  const sides = open.map((row) => row!.side).join(' and ');
  const includes = open.length === 1 ? `interval ${sides} includes` : `intervals ${sides} include`;
  return `The ${includes} zero, so the result is uncertain: more evaluation prompts would narrow it.`;
}

function others(confirmed: readonly LatentEffects[]): string {
  const [, ...rest] = confirmed;
  if (rest.length === 0)
    return 'No other candidate leaves the gray zone in both directions as a cause would.';
  const named = rest.slice(0, 5).map(({ latent }) => `latent ${latent}`);
  const more = rest.length > 5 ? ` and ${count(rest.length - 5)} more` : '';
  const leave = rest.length === 1 ? 'leaves' : 'leave';
  return `Less strongly, ${named.join(', ')}${more} ${leave} the gray zone in both directions too.`;
}

function confirmed(found: readonly LatentEffects[], behaviour: string, summary: SteeringSummary): Answer {
  const first = found[0]!;
  const doubt = unsure(first);
  return {
    lead: [
      `Latent ${first.latent} ${doubt === '' ? 'is' : 'seems to be'} behind ${behaviour}:`,
      `${moved(first.away!, 'such answers')}; ${movedToo(first.toward!)}.`,
    ].join(' '),
    more: [
      [
        `The 95 % intervals of the changes are ${interval(first.away!)} and ${interval(first.toward!)}`,
        'percentage points.',
      ].join(' '),
      doubt,
      zoneSentence(summary),
      others(found),
      proposedBy(first),
    ],
  };
}

function oneSided(
  all: readonly LatentEffects[],
  behaviour: string,
  summary: SteeringSummary,
): Answer | undefined {
  const { zone } = summary;
  const strongest = strongestOnOneSide(all, zone);
  if (!strongest) return undefined;
  const { latent, side, row } = strongest;
  const opposite = side === 'away' ? 'toward' : 'away';
  const on = (side: typeof side) =>
    all.filter((one) => one.role === 'candidate' && rowActsAsCause(one[side], zone)).length;
  return {
    lead: [
      'No latent leaves the gray zone in both directions as a cause would. The strongest on one side is',
      `latent ${latent}: ${moved(row, `answers that show ${behaviour}`)}.`,
    ].join(' '),
    more: [
      [
        `${plural(on('away'), 'candidate')} ${on('away') === 1 ? 'leaves' : 'leave'} it when steered`,
        `away, ${count(on('toward'))} when steered toward, none in both directions: a cause should do`,
        'both, so none is confirmed.',
      ].join(' '),
      otherSide(all.find((one) => one.latent === latent)![opposite], opposite),
      zoneSentence(summary),
    ],
  };
}

function otherSide(row: RankedSteeringRow | undefined, side: 'away' | 'toward'): string {
  if (row?.effect == null) return `Its effect when steered ${side} was not sampled.`;
  return `Its effect when steered ${side} is ${inPoints(row.effect)} percentage points.`;
}

function steered({ rows, summary }: SteeringRecords, behaviour: string): Answer {
  const all = effectsOf(rows);
  const found = withVerdict(all, summary.zone, 'both');
  if (found.length > 0) return confirmed(found, behaviour, summary);
  const side = oneSided(all, behaviour, summary);
  if (side) return side;
  const candidates = all.filter(({ role }) => role === 'candidate');
  const sampled = candidates.filter((one) => verdictOf(one, summary.zone) !== 'not sampled');
  if (sampled.length === 0)
    return {
      lead: [
        `Steering says nothing about ${behaviour}: none of ${plural(candidates.length, 'candidate')}`,
        'was sampled.',
      ].join(' '),
      more: [
        [
          'Each was left out for its log-odds, or even its weakest dose made too much text incoherent.',
          '`culprit run --full` samples every candidate.',
        ].join(' '),
      ],
    };
  return {
    lead: [
      `No latent is confirmed to be behind ${behaviour}: none of`,
      `${plural(sampled.length, 'sampled candidate')} moves it as a cause would, further than random`,
      'latents do.',
    ].join(' '),
    more: [zoneSentence(summary)],
  };
}

function attributed(latents: readonly LatentRow[], { behaviour, over }: Found): Answer {
  const first = latents.reduce((best, row) => (row.rank < best.rank ? row : best));
  const said = over === undefined ? '' : ` over ${plural(over.count, over.unit)}`;
  return {
    lead: [
      `Steering has not been run, so nothing is confirmed. Latent ${first.latent} comes first of`,
      `${count(latents.length)} by delta-attribution${said}: ${scientific(first.delta)} nats per token,`,
      `the same sign in ${percent(first.same_sign)} of the ${over?.unit ?? 'pair'}s.`,
    ].join(' '),
    more: [
      [
        `Whether it causes ${behaviour} is not known yet: an attribution is an estimate.`,
        '`culprit run` continues with the causal test if the study names a reference model and',
        'evaluation prompts.',
      ].join(' '),
    ],
  };
}

/** The answer, or the honest lack of one. */
export function answerOf(found: Found): Answer {
  const { steering, latents, behaviour } = found;
  const { lead, more } = steering
    ? steered(steering, behaviour)
    : latents && latents.length > 0
      ? attributed(latents, found)
      : {
          lead: 'Nothing is known yet: no latents have been ranked.',
          more: [
            [
              '`culprit run STUDY` samples, grades, pairs, attributes and steers; results appear here',
              'as they are made.',
            ].join(' '),
          ],
        };
  return { lead, more: more.filter((sentence) => sentence !== '') };
}
