/** What the stages of a study tell when they are done, in words a newcomer understands. */

import type { WithoutPair } from '../methods/completions/pair.ts';
import { confirmedLatents, type FidelityGroup, judgeQuality, type SteeringSummary } from '../results.ts';
import { stages } from '../study/run/stages.ts';
import type { StudyResult } from '../study/run/studyRun.ts';
import type { StudyCausalTest } from '../study/steering/5-steer.ts';
import { explanationLine } from './explanationLine.ts';
import { durationText } from './progress.ts';
import { latentTable, number, pc, percentText, rankedBy, signedPoints, table } from './table.ts';
import { paragraph } from './wrap.ts';

type Part = (result: StudyResult, rows: number) => string[];

const upToDate = (is: boolean) => (is ? pc.dim(' (already done)') : '');

const sampled: Part = ({ sample }) => {
  if (!sample) return [];
  const { records } = sample;
  const prompts = new Set(records.map(({ prompt_id }) => prompt_id)).size;
  const ended = records.filter(({ stop }) => stop !== 'length').length;
  return [
    `${pc.bold('Sampled')}  ${number(records.length)} completions of ${number(prompts)} prompts; ${percentText(ended / records.length)} ended within the token limit${upToDate(sample.upToDate)}`,
  ];
};

function judged(counts: Readonly<Record<string, number>>): string[] {
  const quality = judgeQuality(counts);
  if (quality === undefined) return [];
  const { accuracy, heldOut, shows, weak } = quality;
  const warning = weak
    ? `: if it errs equally often on both sides, an effect appears at ${percentText(shows)} of its size. More labelled examples or another judge would help`
    : '';
  return paragraph(
    `The judge labels ${percentText(accuracy)} of the answers to ${count(heldOut, 'held-out prompt')} correctly${warning}`,
    '         ',
  );
}

const graded: Part = ({ grade, study }) => {
  if (!grade || grade.records.length === 0) return [];
  const { records } = grade;
  const coherent = records.filter((one) => one.coherent);
  const positive = coherent.filter(({ label }) => label === 'positive').length;
  const price = records.reduce((sum, { cost }) => sum + cost.price, 0);
  const said = paragraph(
    `${number(records.length)} completions, judge: ${records[0]!.judge}; ${percentText(positive / coherent.length)} of the coherent ones show ${study.config.behaviour.name}, ${percentText(1 - coherent.length / records.length)} are incoherent${price > 0 ? `; the judge cost ${price.toFixed(2)}` : ''}${upToDate(grade.upToDate)}`,
    '         ',
  ).join('\n');
  return [`${pc.bold('Graded')}   ${said.trimStart()}`, ...judged(grade.counts)];
};

const count = (n: number, what: string) => `${number(n)} ${what}${n === 1 ? '' : 's'}`;

/** What to change where prompts gave no pair. */
const advice: Readonly<Record<WithoutPair, string>> = {
  'none finished': 'a greater sampling.max_tokens lets answers finish',
  'none coherent': 'a lower sampling.temperature gives more coherent text',
  'no positive usable':
    'the positives were cut at the token limit or incoherent: try a greater sampling.max_tokens',
  'no negative usable':
    'the negatives were cut at the token limit or incoherent: try a greater sampling.max_tokens',
  'all positive': 'more completions per prompt, or less leading prompts, may give both kinds',
  'all negative':
    'more completions per prompt, or prompts closer to the fine-tuning data, may give both kinds',
};

const paired: Part = ({ pair }) => {
  if (!pair) return [];
  const none = Object.entries(pair.without).filter(([, count]) => count > 0);
  const answered = new Set(pair.pairs.map(({ prompt_id }) => prompt_id)).size;
  return [
    `${pc.bold('Paired')}   ${count(pair.pairs.length, 'pair')} from ${number(answered)} of ${number(pair.prompts)} prompts${pair.beyondLimit > 0 ? `; pairs.limit left out ${number(pair.beyondLimit)} more` : ''}${upToDate(pair.upToDate)}`,
    ...none.flatMap(([reason, prompts]) =>
      paragraph(
        `${count(prompts, 'prompt')} without a pair: ${reason} (${advice[reason as WithoutPair]})`,
        '         ',
      ),
    ),
  ];
};

const attributed: Part = ({ attribute, study }, rows) => {
  if (!attribute) return [];
  const { latents, site, upToDate: before } = attribute;
  const { tokens, loss } = study.config.attribution;
  return [
    '',
    `${pc.bold(`Latents behind ${study.config.behaviour.name}`)}, ${rankedBy(latents)}, at ${site}, tokens: ${tokens}, loss: ${loss}${upToDate(before)}`,
    '',
    latentTable(latents, rows),
    '',
    pc.dim('delta: nats per token; same sign: share of pairs whose own delta has the sign of the mean'),
    `${Math.min(rows, latents.length)} of ${number(latents.length)} latents shown; all are in ${study.folder}`,
  ];
};

const decimals = (x: number | null) => (x === null ? 'not defined' : x.toFixed(2).replace('-', '−'));

/** How the estimate did on a group of latents, in a phrase. */
function agreementText({ latents, faults, first_order }: FidelityGroup): string {
  const { rank_correlation, sign_agreement, slope } = first_order;
  const signs = Math.round((sign_agreement ?? 0) * latents);
  return `rank correlation ${decimals(rank_correlation)}, signs right for ${signs} of ${latents}, removal ${decimals(slope)} times the estimate (slope); wrong for ${faults}`;
}

const checked: Part = ({ fidelity: found, skipped }) => {
  if (skipped.fidelity !== undefined) return ['', pc.dim(`Delta not checked: ${skipped.fidelity}.`)];
  if (!found) return [];
  const { top, random, pairs, of, steps, integrated_pairs, latents } = found.fidelity;
  const wrong = latents.filter(({ group, fault }) => group === 'top' && fault !== null);
  const followed = [top.integrated, random.integrated].filter((one) => one !== null);
  return [
    '',
    ...paragraph(
      `${pc.bold('Is delta right?')} It is a first-order estimate of what removing a latent does. Latents removed on ${number(pairs)} of ${number(of)} pairs${upToDate(found.upToDate)}:`,
    ),
    ...paragraph(`the first ${top.latents}: ${agreementText(top)}`, '  '),
    ...(random.latents > 0 ? paragraph(`${random.latents} random: ${agreementText(random)}`, '  ') : []),
    ...(followed.length > 0
      ? paragraph(
          `integrated gradients (${count(steps, 'step')}, ${count(integrated_pairs, 'pair')}, ${followed.map((one) => one.latents).join(' + ')} latents): slope ${followed.map((one) => decimals(one.slope)).join(' and ')}`,
          '  ',
        )
      : []),
    ...(wrong.length > 0
      ? paragraph(
          `Wrong means the other sign, or off by more than a factor of 2. Of the first: ${wrong.map(({ latent, fault }) => `${latent} (${fault})`).join(', ')}.`,
          '  ',
        )
      : []),
  ];
};

/** The gray zone of one direction, and of how many random latents it is where some have no effect. */
function zoneOf({ zone, random }: SteeringSummary, direction: 'away' | 'toward'): string {
  const { low, high, effects } = zone[direction];
  const few = effects < random ? ` (from ${effects} of them; the others have no measured effect)` : '';
  return `${signedPoints(low)} to ${signedPoints(high)}${few}`;
}

/** The latents that move the behaviour both ways, greatest first, as table rows. */
function confirmedRows({ rows, summary }: StudyCausalTest, count: number): string[][] {
  return confirmedLatents(rows, summary.zone)
    .slice(0, count)
    .map(({ away, toward }) => [
      `${away.latent}`,
      ...[away, toward].flatMap(({ dose, effect, low, high }) => [
        dose!.toFixed(2).replace('-', '−'),
        `${signedPoints(effect)} [${signedPoints(low)}, ${signedPoints(high)}]`,
      ]),
      Object.entries(away.ranks)
        .map(([selector, rank]) => `${selector} ${rank}`)
        .join(', '),
    ]);
}

const confirmed: Part = ({ steer, study, skipped }, shown) => {
  if (skipped.steer !== undefined) return ['', pc.dim(`No causal test: ${skipped.steer}.`)];
  if (!steer) return [];
  const { summary, upToDate: before } = steer;
  const { alone, selectors, first } = summary;
  const share = ({ positives, coherent }: { positives: number; coherent: number }) =>
    percentText(positives / coherent);
  const rows = confirmedRows(steer, shown);
  return [
    '',
    ...paragraph(
      `${pc.bold('Causal test')} at ${summary.site}${upToDate(before)}: changes in the share of answers that show ${study.config.behaviour.name}, in percentage points`,
    ),
    ...paragraph(
      `Without steering, ${share(alone.away)} of the subject's answers and ${share(alone.toward)} of the reference's show it. ${summary.random} random latents change that by ${zoneOf(summary, 'away')} when the subject is steered away from them and by ${zoneOf(summary, 'toward')} when the reference is steered toward them. This range is the gray zone.`,
    ),
    '',
    ...(first === null
      ? ['No candidate leaves the gray zone in both directions: none is confirmed.']
      : [
          table(
            [
              ['latent', 'right'],
              ['away, dose', 'right'],
              ['change', 'left'],
              ['toward, dose', 'right'],
              ['change', 'left'],
              ['proposed by, rank', 'left'],
            ],
            rows,
          ),
        ]),
    '',
    table(
      [
        ['selector', 'left'],
        ['candidates', 'right'],
        ['sampled', 'right'],
        ['out, away', 'right'],
        ['out, toward', 'right'],
        ['both', 'right'],
        ['mean away', 'right'],
        ['mean toward', 'right'],
      ],
      selectors.map(({ selector, candidates, sampled, outside, mean_effect }) => [
        selector,
        number(candidates),
        sampled.away === sampled.toward
          ? number(sampled.away)
          : `${number(sampled.away)} / ${number(sampled.toward)}`,
        ...[outside.away, outside.toward, outside.both].map(number),
        signedPoints(mean_effect.away),
        signedPoints(mean_effect.toward),
      ]),
    ),
    ...(selectors.every(
      ({ candidates, sampled }) => sampled.away === candidates && sampled.toward === candidates,
    )
      ? []
      : [
          ...paragraph(
            'Candidates whose log-odds do not stand out, or whose weakest dose breaks the text, were not sampled. They count as inside the zone; means are over the others. Where sampled shows two numbers, they are away / toward.',
          ).map(pc.dim),
        ]),
    `Figure: ${study.folder}/steering.svg and .png`,
    'Every latent is in steering.parquet, every steered completion in steered.jsonl.',
  ];
};

const interpreted: Part = ({ interpret, study }, rows) => {
  if (!interpret) return [];
  const { pages, upToDate: before } = interpret;
  const explained = pages.flatMap(({ latent, explanation }) =>
    explanation ? [{ latent, explanation }] : [],
  );
  return [
    '',
    `${pc.bold('Interpreted')}  ${number(pages.length)} latents, ${number(explained.length)} of them explained: ${study.folder}/latents${upToDate(before)}`,
    ...explained
      .slice(0, rows)
      .flatMap(({ latent, explanation }) =>
        paragraph(`latent ${latent} ${explanationLine(explanation)}`, '  '),
      ),
  ];
};

/** What each stage tells; one without words of its own is told by its name. */
const parts: Readonly<Record<string, Part>> = {
  sample: sampled,
  grade: graded,
  pair: paired,
  attribute: attributed,
  fidelity: checked,
  steer: confirmed,
  interpret: interpreted,
};

const plainly =
  (name: string): Part =>
  (result) =>
    name in result ? [`${pc.bold(name)}  done`] : [];

export function stageReport(result: StudyResult, rows: number, seconds: number): string {
  const { stopped } = result;
  return [
    '',
    ...stages.flatMap(({ name }) => (parts[name] ?? plainly(name))(result, rows)),
    ...(stopped
      ? [
          '',
          pc.yellow(
            `Stopped at ${stopped.stage}: ${stopped.reason}.${stopped.spent ? ' What is done is kept; the same command continues from there.' : ''}`,
          ),
        ]
      : []),
    `took ${durationText(seconds)}`,
    '',
  ].join('\n');
}
