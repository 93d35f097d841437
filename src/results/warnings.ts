/** What a careful reader of a study should know before they believe it: in its report and on the terminal. */
import { type AttributedOver, attributedOver } from './attributedOver.ts';
import { type CheckLine, checkTroubles } from './check.ts';
import { resultFiles } from './files.ts';
import { type JudgeErrorFile, judgeErrorWarnings } from './judgeError.ts';
import { judgeQuality } from './judgeQuality.ts';
import type { StudyManifest } from './manifest.ts';
import type { RankedSteeringRow, SteeringSummary } from './steering.ts';
import { effectsOf } from './verdict.ts';

const percent = (share: number) => `${(100 * share).toFixed(0)}\u202f%`;
const plural = (n: number, one: string) => `${n.toLocaleString('en-US')} ${n === 1 ? one : `${one}s`}`;

/** Below these, or above, a warning is given. */
const fewPairs = 30;
const fewEffects = 20;
const muchCut = 0.1;
const muchIncoherent = 0.1;
const weakAgreement = 0.3;
const surely = 0.05;

type Counts = Readonly<Record<string, number>>;

function samplingWarnings(sample: Counts | undefined, grade: Counts | undefined): string[] {
  const { completions = 0, ended = completions } = sample ?? {};
  const { grades = 0, incoherent = 0 } = grade ?? {};
  const cut = completions > 0 ? 1 - ended / completions : 0;
  const broken = grades > 0 ? incoherent / grades : 0;
  return [
    ...(cut > muchCut
      ? [
          [
            `${percent(cut)} of the completions were cut at the token limit and form no pair: a greater`,
            'sampling.max_tokens lets them end.',
          ].join(' '),
        ]
      : []),
    ...(broken > muchIncoherent
      ? [
          [
            `${percent(broken)} of the completions are incoherent: a lower sampling.temperature gives`,
            'more coherent text.',
          ].join(' '),
        ]
      : []),
  ];
}

function judgeWarnings(grade: Counts | undefined): string[] {
  const quality = judgeQuality(grade ?? {});
  if (!quality?.weak) return [];
  const { accuracy, heldOut, sensitivity, specificity, shows } = quality;
  return [
    [
      `On ${plural(heldOut, 'prompt')} held out the judge is right for only ${percent(accuracy)} of the`,
      ...(sensitivity === null || specificity === null || shows === null
        ? ['answers.']
        : [
            `answers: ${percent(sensitivity)} of the positive ones, ${percent(specificity)} of the negative`,
            `ones. Where it errs alike on steered texts, an effect appears at ${percent(shows)} of its size.`,
          ]),
      'More labelled examples or another judge would help.',
    ].join(' '),
  ];
}

function pairWarnings(over: AttributedOver | undefined): string[] {
  if (over === undefined || over.count >= fewPairs) return [];
  return [
    `Only ${plural(over.count, over.unit === 'pair' ? 'pair' : 'prompt with pairs')}; the studies that the method comes from had 35 and 148 pairs. The order of the latents may be chance.`,
  ];
}

/** What the warnings are made from; what a study does not have is left out. */
export interface WarningRecords {
  readonly manifest?: StudyManifest | undefined;
  readonly steering?: CausalTestRecords | undefined;
  readonly judgeError?: JudgeErrorFile | undefined;
  readonly check?: readonly CheckLine[] | undefined;
}

interface CausalTestRecords {
  readonly rows: readonly RankedSteeringRow[];
  readonly summary: SteeringSummary;
}

/** What the attribution's own statistics say against its order. */
function orderWarnings(counts: Counts | undefined): string[] {
  const { first_max_p, split_half_overlap, split_half_chance = 0 } = counts ?? {};
  return [
    ...(first_max_p !== undefined && first_max_p > surely
      ? [
          [
            `A first Δ as great comes up by chance with p = ${first_max_p.toFixed(2)}, were positives and`,
            'negatives alike: the first latents are candidates, and no finding by attribution alone.',
          ].join(' '),
        ]
      : []),
    ...(split_half_overlap !== undefined && split_half_overlap < 2 * split_half_chance
      ? [
          [
            `Two halves of the prompts share only ${percent(split_half_overlap)} of their first 100 latents`,
            `(by chance ${percent(split_half_chance)}): other prompts would give another order.`,
          ].join(' '),
        ]
      : []),
  ];
}

function zoneWarnings({ summary: { zone, random } }: CausalTestRecords): string[] {
  const fewest = Math.min(zone.remove.effects, zone.away.effects, zone.toward.effects);
  if (fewest >= fewEffects) return [];
  const of = fewest < random ? ` of the ${random} random latents` : '';
  return [
    [
      `The gray zones of steering are made from only ${plural(fewest, 'effect')}${of}, so their edges are`,
      'uncertain. A greater steering.random_steered, or steering.random, makes them firmer.',
    ].join(' '),
  ];
}

function gateWarnings({ rows, summary }: CausalTestRecords): string[] {
  const stopped = effectsOf(rows).filter(
    ({ role, remove, away }) =>
      role === 'candidate' && (remove?.stage === 'log-odds' || away?.stage === 'log-odds'),
  ).length;
  const { remove, away, toward } = summary.log_odds_agreement;
  const least = Math.min(remove ?? 0, away ?? 0, toward ?? 0);
  if (stopped === 0 || least >= weakAgreement) return [];
  return [
    [
      `${plural(stopped, 'candidate')} ${stopped === 1 ? 'was' : 'were'} left out of a test for log-odds, which`,
      'agree poorly here with what sampling shows (rank correlation',
      `${least.toFixed(2).replace('-', '−')}): a cause may be among them. \`culprit run --full\``,
      'samples every one.',
    ].join(' '),
  ];
}

function shareWarnings({ summary: { alone, behaviour } }: CausalTestRecords): string[] {
  const share = alone.away.coherent > 0 ? alone.away.positives / alone.away.coherent : 0;
  if (share >= 0.05) return [];
  return [
    [
      `Left alone, only ${percent(share)} of the subject's answers show ${behaviour}: there is little`,
      'to steer away.',
    ].join(' '),
  ];
}

/** What a careful reader should know, a sentence or two each. */
export function studyWarnings({ manifest, steering, judgeError, check = [] }: WarningRecords): string[] {
  const counts = (stage: string) => manifest?.stages[stage]?.counts;
  const edited = Object.values(manifest?.stages ?? {}).flatMap((stage) => stage.edited);
  return [
    ...checkTroubles(check).map(
      ({ status, name, what_to_do }) =>
        `The check ${status === 'fail' ? 'failed' : 'warned'} at ${name}: ${what_to_do}.`,
    ),
    ...samplingWarnings(counts('sample'), counts('grade')),
    ...judgeWarnings(counts('grade')),
    ...(judgeError
      ? judgeErrorWarnings(judgeError, manifest?.stages.steer?.outputs[resultFiles.steered])
      : []),
    ...pairWarnings(attributedOver(manifest)),
    ...orderWarnings(counts('attribute')),
    ...(steering ? [...zoneWarnings(steering), ...gateWarnings(steering), ...shareWarnings(steering)] : []),
    ...(edited.length > 0 ? [`Changed by hand, and accepted as they are: ${edited.join(', ')}.`] : []),
    ...(manifest && manifest.writing.length > 0
      ? [`Being written now, or left unfinished when a run was stopped: ${manifest.writing.join(', ')}.`]
      : []),
  ];
}
