/** What the stages of a study tell when they are done, in words a newcomer understands. */

import type { WithoutPair } from '../methods/completions/pair.ts';
import { checkTroubles, counted, type FidelityGroup, inDecimals, judgeQuality } from '../results.ts';
import { stages } from '../study/run/stages.ts';
import type { StudyResult } from '../study/run/studyRun.ts';
import { causalTestReport } from './causalTestReport.ts';
import { checkSummary } from './checkReport.ts';
import { explanationLine } from './explanationLine.ts';
import { fixReport } from './fixReport.ts';
import { durationText } from './progress.ts';
import { certaintyText, latentTable, latentTableLegend, number, pc, percentText, rankedBy } from './table.ts';
import { paragraph } from './wrap.ts';

type Part = (result: StudyResult, rows: number) => string[];

const upToDate = (is: boolean) => (is ? pc.dim(' (already done)') : '');

const sampled: Part = ({ sample }) => {
  if (!sample) return [];
  const { records } = sample;
  const prompts = new Set(records.map(({ prompt_id }) => prompt_id)).size;
  const ended = records.filter(({ stop }) => stop !== 'length').length;
  return [
    `${pc.bold('Sampled')}  ${counted(records.length, 'completion')} of ${counted(prompts, 'prompt')}; ${percentText(ended / records.length)} ended within the token limit${upToDate(sample.upToDate)}`,
  ];
};

function judged(counts: Readonly<Record<string, number>>): string[] {
  const quality = judgeQuality(counts);
  if (quality === undefined) return [];
  const { accuracy, heldOut, sensitivity, specificity, shows, weak } = quality;
  const sides =
    sensitivity === null || specificity === null
      ? ''
      : ` (positive ones: ${percentText(sensitivity)}, negative ones: ${percentText(specificity)})`;
  const part = shows === null ? '' : `: an effect appears at ${percentText(shows)} of its size`;
  const warning = weak ? `${part}. More labelled examples or another judge would help` : '';
  return paragraph(
    `The judge labels ${percentText(accuracy)} of the answers to ${counted(heldOut, 'held-out prompt')} correctly${sides}${warning}. That is of labelled answers; of steered texts \`culprit judge sample\` tells`,
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
    `${counted(records.length, 'completion')}, judge: ${records[0]!.judge}; ${percentText(positive / coherent.length)} of the coherent ones show ${study.config.behaviour.name}, ${percentText(1 - coherent.length / records.length)} are incoherent${price > 0 ? `; the judge cost ${price.toFixed(2)}` : ''}${upToDate(grade.upToDate)}`,
    '         ',
  ).join('\n');
  return [`${pc.bold('Graded')}   ${said.trimStart()}`, ...judged(grade.counts)];
};

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
    `${pc.bold('Paired')}   ${counted(pair.pairs.length, 'pair')} from ${number(answered)} of ${counted(pair.prompts, 'prompt')}${pair.beyondLimit > 0 ? `; pairs.limit left out ${number(pair.beyondLimit)} more` : ''}${upToDate(pair.upToDate)}`,
    ...none.flatMap(([reason, prompts]) =>
      paragraph(
        `${counted(prompts, 'prompt')} without a pair: ${reason} (${advice[reason as WithoutPair]})`,
        '         ',
      ),
    ),
  ];
};

const attributed: Part = ({ attribute, study }, rows) => {
  if (!attribute) return [];
  const { latents, site, counts, upToDate: before } = attribute;
  const { tokens, loss } = study.config.attribution;
  return [
    '',
    `${pc.bold(`Latents behind ${study.config.behaviour.name}`)}, ${rankedBy(latents)}, at ${site}, tokens: ${tokens}, loss: ${loss}${upToDate(before)}`,
    '',
    latentTable(latents, rows),
    '',
    pc.dim(latentTableLegend),
    certaintyText(counts),
    `${Math.min(rows, latents.length)} of ${counted(latents.length, 'latent')} shown; all are in ${study.folder}`,
  ];
};

const decimals = (x: number | null) => (x === null ? 'not defined' : inDecimals(x, 2).replace('-', '−'));

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
      `${pc.bold('Is delta right?')} It is a first-order estimate of what removing a latent does. Latents removed on ${number(pairs)} of ${counted(of, 'pair')}${upToDate(found.upToDate)}:`,
    ),
    ...paragraph(`the first ${top.latents}: ${agreementText(top)}`, '  '),
    ...(random.latents > 0 ? paragraph(`${random.latents} random: ${agreementText(random)}`, '  ') : []),
    ...(followed.length > 0
      ? paragraph(
          `integrated gradients (${counted(steps, 'step')}, ${counted(integrated_pairs, 'pair')}, ${followed.map((one) => one.latents).join(' + ')} latents): slope ${followed.map((one) => decimals(one.slope)).join(' and ')}`,
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

const tested: Part = ({ steer, study, skipped }, shown) => {
  if (skipped.steer !== undefined) return ['', pc.dim(`No causal test: ${skipped.steer}.`)];
  if (!steer) return [];
  return causalTestReport(steer, { behaviour: study.config.behaviour.name, folder: study.folder, shown });
};

const fixed: Part = ({ fix, study, skipped }, shown) => {
  if (skipped.fix !== undefined) return ['', pc.dim(`No fix searched: ${skipped.fix}.`)];
  if (!fix) return [];
  return fixReport(fix.record, { folder: study.folder, upToDate: fix.upToDate, shown });
};

const interpreted: Part = ({ interpret, study }, rows) => {
  if (!interpret) return [];
  const { pages, upToDate: before } = interpret;
  const explained = pages.flatMap(({ latent, explanation }) =>
    explanation ? [{ latent, explanation }] : [],
  );
  return [
    '',
    `${pc.bold('Interpreted')}  ${counted(pages.length, 'latent')}, ${number(explained.length)} of them explained: ${study.folder}/latents${upToDate(before)}`,
    ...explained
      .slice(0, rows)
      .flatMap(({ latent, explanation }) =>
        paragraph(`latent ${latent} ${explanationLine(explanation)}`, '  '),
      ),
  ];
};

const looked: Part = ({ check }) => {
  if (!check) return [];
  const troubles = checkTroubles(check.lines);
  return [
    `${pc.bold('Checked')}  ${checkSummary(check.lines)}${upToDate(check.upToDate)}`,
    ...troubles.flatMap(({ status, name, what_to_do }) =>
      paragraph(`${status}: ${name}: ${what_to_do}`, '         '),
    ),
  ];
};

/** What each stage tells; one without words of its own is told by its name. */
const parts: Readonly<Record<string, Part>> = {
  check: looked,
  sample: sampled,
  grade: graded,
  pair: paired,
  attribute: attributed,
  fidelity: checked,
  steer: tested,
  fix: fixed,
  interpret: interpreted,
};

const plainly =
  (name: string): Part =>
  (result) =>
    name in result ? [`${pc.bold(name)}  done`] : [];

const warned = (warnings: readonly string[]): string[] =>
  warnings.length === 0
    ? []
    : [
        '',
        pc.yellow('Before you believe it'),
        ...warnings.flatMap((text) =>
          paragraph(text.replaceAll('\u202f', ' '), '  ').map((line, i) =>
            i === 0 ? `- ${line.trimStart()}` : line,
          ),
        ),
        '',
      ];

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
    ...warned(result.warnings),
    `took ${durationText(seconds)}`,
    '',
  ].join('\n');
}
