/** What a causal test tells on the terminal. */
import {
  changePoints,
  countsOf,
  type DirectionEffects,
  dictionaryLine,
  directionEffects,
  type EffectPlace,
  effectsOf,
  findingOf,
  furtherEffects,
  furtherWords,
  leastFamilyWiseP,
  pText,
  type RankedSteeringRow,
  type SteeringSummary,
  signedPoints,
  strongestFirst,
  verdictOf,
} from '../results.ts';
import type { StudyCausalTest } from '../study/steering/5-steer.ts';
import { number, pc, percentText, table } from './table.ts';
import { paragraph } from './wrap.ts';

const shownChange = (row: RankedSteeringRow | undefined) =>
  row?.effect == null
    ? ''
    : `${signedPoints(row.effect)} [${signedPoints(row.low)}, ${signedPoints(row.high)}]`;

const columns = [
  ['removed', 'left'],
  ['of way', 'right'],
  ['away', 'left'],
  ['toward', 'left'],
] as const;

const cells = ({ remove, away, toward }: DirectionEffects) => [
  shownChange(remove),
  remove?.way == null ? '' : percentText(remove.way),
  shownChange(away),
  shownChange(toward),
];

/** The candidates that were sampled, strongest first. */
function candidateTable(
  rows: readonly RankedSteeringRow[],
  selectors: readonly string[],
  shown: number,
): string[] {
  const sampled = effectsOf(rows).filter(
    (one) => one.role === 'candidate' && verdictOf(one) !== 'not sampled',
  );
  if (sampled.length === 0) return [];
  return [
    table(
      [['latent', 'right'], ...columns, ['p', 'left'], ['verdict', 'left'], ['ranks', 'left']],
      strongestFirst(sampled)
        .slice(0, shown)
        .map((one) => [
          `${one.latent}`,
          ...cells(one),
          pText(leastFamilyWiseP(one)).replace(/^p (= )?/, ''),
          verdictOf(one),
          selectors.map((selector) => one.ranks[selector] ?? '–').join(' / '),
        ]),
    ),
    ...paragraph(
      `of way: share of the way to the reference; p: family-wise, over candidates and tests; confirmed: p below .05; suggestive: q below .2; ranks by ${selectors.join(' / ')}`,
    ).map(pc.dim),
    '',
  ];
}

const comparedRoles: readonly string[] = ['group', 'comparison', 'control'];

/** Directions that are no candidates: groups of them, and what they are compared with. */
function comparisonTable(rows: readonly RankedSteeringRow[]): string[] {
  const others = directionEffects(rows).filter(
    ({ role, further }) => comparedRoles.includes(role) && further?.system === undefined,
  );
  if (others.length === 0) return [];
  return [
    pc.bold('Compared with'),
    table(
      [['direction', 'left'], ...columns],
      others.map((one) => [one.direction, ...cells(one)]),
    ),
    '',
  ];
}

/** Removal at further tokens and by the encoder, and what a system message does. */
function furtherTable(rows: readonly RankedSteeringRow[], shown: number): string[] {
  const found = furtherEffects(strongestFirst(directionEffects(rows)));
  if (found.length === 0) return [];
  return [
    pc.bold('Otherwise, on the subject'),
    table(
      [
        ['direction', 'left'],
        ['how', 'left'],
        ['change', 'left'],
        ['of way', 'right'],
        ['verdict', 'left'],
      ],
      found
        .slice(0, shown)
        .map(({ one, place, row }) => [
          one.direction,
          furtherWords[place],
          shownChange(row),
          row.way === null ? '' : percentText(row.way),
          row.verdict ?? 'no test',
        ]),
    ),
    ...paragraph('each way is a test of its own; none of it confirms a latent').map(pc.dim),
    '',
  ];
}

/** How a group was built: the share left after each latent. */
const greedyText = (steps: NonNullable<SteeringSummary['greedy']>) =>
  `Greedy group, by the share of positives on the calibration prompts: ${steps.map(({ latent, share }) => `${latent} (${percentText(share)})`).join(', ')}.`;

function zoneText({ zone }: SteeringSummary, place: EffectPlace): string {
  const { low, high } = zone[place]!;
  return `${changePoints(low)} to ${changePoints(high)}`;
}

export function causalTestReport(
  { rows, summary, upToDate }: StudyCausalTest,
  {
    behaviour,
    folder,
    shown,
  }: { readonly behaviour: string; readonly folder: string; readonly shown: number },
): string[] {
  const { alone, site, random } = summary;
  const share = ({ positives, coherent }: { positives: number; coherent: number }) =>
    percentText(positives / coherent);
  const finding = findingOf({ rows, summary });
  const names = summary.selectors.map(({ selector }) => selector);
  const dictionary = finding.latent && dictionaryLine({ rows, summary }, finding.latent);
  return [
    '',
    ...paragraph(
      `${pc.bold('Causal test')} at ${site}${upToDate ? pc.dim(' (already done)') : ''}: changes in the share of answers that show ${behaviour}, in percentage points`,
    ),
    '',
    ...paragraph(finding.lead),
    ...finding.more.flatMap((text) => paragraph(text)),
    ...(finding.against.length === 0 ? [] : ['', pc.bold('What speaks against it')]),
    ...finding.against.flatMap((text) => paragraph(`- ${text}`)),
    '',
    ...paragraph(
      `Left alone, ${share(alone.away)} of the subject's coherent answers and ${share(alone.toward)} of the reference's show it. One more random latent is expected, with 95 % probability, to change that by ${zoneText(summary, 'remove')} when it is removed, ${zoneText(summary, 'away')} when the subject is steered away from it, ${zoneText(summary, 'toward')} when the reference is steered toward it: the gray zone, from ${random} random latents.`,
    ),
    '',
    ...candidateTable(rows, names, shown),
    ...comparisonTable(rows),
    ...furtherTable(rows, 3 * shown),
    ...(summary.greedy ? paragraph(greedyText(summary.greedy)) : []),
    ...countsOf({ rows, summary }).flatMap((text) => paragraph(text)),
    ...(dictionary === undefined ? [] : paragraph(dictionary)),
    ...summary.selectors.flatMap(({ selector, candidates, confirmed, sampled }) =>
      paragraph(
        `${selector}: ${number(confirmed.either)} of ${number(candidates)} confirmed; sampled: ${number(sampled.remove)} removed, ${number(sampled.away)} away, ${number(sampled.toward)} toward. Those whose log-odds do not stand out were not sampled.`,
      ).map(pc.dim),
    ),
    `Figure: ${folder}/steering.svg and .png`,
    'Every direction is in steering.parquet, every completion in steered.jsonl.',
  ];
}
