/** `culprit judge sample` and `read`: how often a study's judge errs on its own steered texts. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import {
  armWords,
  inDecimals,
  type JudgeErrorFile,
  judgeErrorWarnings,
  resultFiles,
  type SheetError,
  signedPoints,
} from '../results.ts';
import type { OpenJudge } from '../study/judging/compareRun.ts';
import { judgedFolder, readFilledSheet, sampleSheet } from '../study/judging/judgeErrorRun.ts';
import { jsonFlag, printDocument } from './json.ts';
import { screenRows, wholeNumber } from './options.ts';
import { progressOn } from './progress.ts';
import { number, pc, table } from './table.ts';
import { paragraph } from './wrap.ts';

type Estimate = SheetError['all']['kappa'];

const share = (found: Estimate) =>
  found === null
    ? 'not known'
    : `${inDecimals(found.value, 2)} [${inDecimals(found.low, 2)}, ${inDecimals(found.high, 2)}]`;

const points = (found: Estimate) =>
  found === null
    ? 'not known'
    : `${signedPoints(found.value)} [${signedPoints(found.low)}, ${signedPoints(found.high)}]`;

function errorTable({ arms, all }: SheetError): string {
  const row = (name: string, read: string, found: SheetError['all']) => [
    name,
    read,
    ...[found.sensitivity, found.specificity, found.kappa].map(share),
  ];
  const readOf = ({ strata }: SheetError['arms'][number]) =>
    Object.values(strata).reduce((sum, { read }) => sum + read, 0);
  return table(
    [
      ['', 'left'],
      ['read', 'right'],
      ['sensitivity', 'left'],
      ['specificity', 'left'],
      ['kappa', 'left'],
    ],
    [
      ...arms.map((arm) => row(arm.arm, number(readOf(arm)), arm)),
      row('all', number(arms.reduce((sum, arm) => sum + readOf(arm), 0)), all),
    ],
  );
}

function effectTable({ effects }: SheetError, rows: number): string {
  return table(
    [
      ['direction', 'left'],
      ['arm', 'left'],
      ['side', 'left'],
      ['shown', 'right'],
      ['corrected', 'left'],
      ['if it errs alike', 'left'],
    ],
    effects
      .slice(0, rows)
      .map(({ latent, name, arm, side, effect, corrected, corrected_alike }) => [
        name ?? `latent ${latent}`,
        arm,
        side,
        signedPoints(effect),
        points(corrected),
        points(corrected_alike),
      ]),
  );
}

/** What judge-error.json says of a sheet, for a terminal. */
function sheetText(error: JudgeErrorFile, sheet: SheetError, folder: string, rows: number): string {
  const { reader, empty } = sheet;
  const read = sheet.rows - empty;
  const warnings = judgeErrorWarnings(error, sheet.steered);
  return [
    '',
    pc.bold(`How often the judge errs, by ${reader} on ${number(read)} texts of the causal test`),
    ...(empty > 0 ? [`${number(empty)} of ${number(sheet.rows)} rows are empty and count for nothing.`] : []),
    '',
    errorTable(sheet),
    '',
    ...paragraph(
      `sensitivity: of the texts that ${reader} find positive, the share that the judge does; specificity: the same of the negative ones; kappa: 0 is chance, 1 full agreement. In brackets 95 % intervals. Each text read counts for as many as it was drawn from.`,
    ).map(pc.dim),
    '',
    ...(sheet.effects.length > 0
      ? [
          pc.bold('Effects in percentage points, as the judge shows them and without its error'),
          '',
          effectTable(sheet, rows),
          '',
          ...paragraph(
            `corrected: with its error on ${armWords.alone} and on ${armWords.steered} taken out of each. "If it errs alike" takes its error to be the same on all texts, which makes the interval narrower.`,
          ).map(pc.dim),
          '',
        ]
      : []),
    ...warnings.flatMap((warning) => paragraph(`Be careful: ${warning}`)),
    `Kept in ${folder}/${resultFiles.judgeError}, which the report and the app show.`,
    '',
  ].join('\n');
}

const printError = (error: JudgeErrorFile, sheet: SheetError, study: string): void =>
  printDocument({
    document: 'judge-error',
    study: resolve(study),
    sheet,
    warnings: judgeErrorWarnings(error, sheet.steered),
  });

interface SampleOptions {
  out?: string;
  by?: string;
  count: number;
  seed: number;
  rows: number;
  json?: boolean;
}

const sampleAbout = `
The judge may err more often on steered texts than on others, and then an
effect is partly the judge's. So somebody else reads some of the same texts:
as many unsteered as steered, and as removed where there are such, without
being told which is which, nor what the judge said.

People fill in the columns of the sheet, in any program that opens CSV:
  label     positive (it shows the behaviour) or negative
  coherent  yes or no; empty counts as yes where there is a label
and \`culprit judge read\` reads it back. A row may stay empty. With --by another
judge answers at once; any judge that \`culprit judge compare\` takes.

Examples:
  culprit judge sample my-study --out sheet.csv
  culprit judge sample my-study --by other-judge/study.yaml --count 200`;

export function sampleCommand(openJudge: OpenJudge): Command {
  return new Command('sample')
    .summary('draw steered texts for people, or a second judge, to read')
    .description('Draw steered and unsteered texts for people or a second judge to read.')
    .argument('<study>', 'a study whose causal test is done')
    .option('--out <file>', 'the sheet to write, CSV')
    .option('--by <judge>', 'a judge that reads instead of people')
    .option('--count <texts>', 'how many texts', wholeNumber(1), 60)
    .option('--seed <number>', 'seed of the draw', wholeNumber(0), 1)
    .option('--rows <count>', 'how many effects to show', wholeNumber(0), screenRows)
    .option(...jsonFlag)
    .addHelpText('after', sampleAbout)
    .action(async (study: string, { rows, json, ...options }: SampleOptions) => {
      const folder = await judgedFolder(study);
      const drawn = await sampleSheet({
        folder,
        ...options,
        openJudge,
        progress: progressOn(process.stderr),
      });
      const { error } = drawn;
      const { out } = options;
      if (json && error?.sheet) return printError(error, error.sheet, study);
      if (json)
        return printDocument({
          document: 'judge-sheet',
          study: resolve(study),
          out: resolve(out!),
          rows: drawn.rows,
          texts: drawn.texts,
        });
      process.stdout.write(
        error?.sheet
          ? sheetText(error, error.sheet, study, rows)
          : [
              '',
              `${out}: ${number(drawn.rows)} of ${number(drawn.texts)} texts of the causal test, in random order`,
              ...paragraph(
                'Fill in label (positive or negative: does the completion show the behaviour?) and coherent (yes or no) for as many rows as you can, from the top, without looking into the study. Then run',
              ),
              `  culprit judge read ${study} ${out}`,
              '',
            ].join('\n'),
      );
    });
}

const readAbout = `
Says how often the study's judge is right on unsteered texts, steered and
removed, whether it errs differently on them, and what the effects are without
its error. The result is kept in the study, in judge-error.json.

Example:
  culprit judge read my-study sheet.csv`;

export function readCommand(): Command {
  return new Command('read')
    .summary('read such a sheet back: how often the judge errs')
    .description('Read a sheet of `culprit judge sample` back, and tell how often the judge errs.')
    .argument('<study>', 'the study that the sheet was drawn from')
    .argument('<sheet>', 'the sheet, filled in')
    .option('--rows <count>', 'how many effects to show', wholeNumber(0), screenRows)
    .option(...jsonFlag)
    .addHelpText('after', readAbout)
    .action(async (study: string, sheet: string, { rows, json }: { rows: number; json?: boolean }) => {
      const error = await readFilledSheet(await judgedFolder(study), sheet);
      if (json) return printError(error, error.sheet, study);
      process.stdout.write(sheetText(error, error.sheet, study, rows));
    });
}
