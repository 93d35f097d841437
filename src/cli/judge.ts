/** `culprit judge`: how far judges agree, and how often the study's own errs. */
import { Command } from 'commander';
import { InputError } from '../errors.ts';
import { isFolderThere } from '../files/ifThere.ts';
import { counted, inDecimals } from '../results.ts';
import {
  type CompareRequest,
  compareJudges,
  type Disagreement,
  type JudgeComparison,
  type Measured,
  type OpenJudge,
} from '../study/judging/compareRun.ts';
import { compareInStudy, judgedFolder } from '../study/judging/judgeErrorRun.ts';
import { type DocumentOf, finite, jsonFlag, printDocument } from './json.ts';
import { readCommand, sampleCommand } from './judgeSheet.ts';
import { screenRows, wholeNumber } from './options.ts';
import { progressOn } from './progress.ts';
import { number, pc, table } from './table.ts';

interface Options {
  a?: string;
  b: string;
  rows: number;
  seed: number;
  resamples: number;
  json?: boolean;
}

const about = `
Completions, one JSON object per line, or a CSV file with a header:
  {"id": "...", "prompt": "...", "completion": "...", "label": "positive"}
The fields may also be called question and answer, and a label may be true,
false, 1 or 0. Without an id, a completion is called r and its row, from 0.

A judge is one of
  label        the labels in the file itself
  grades:FILE  grades.jsonl of a study, or any lines of id, label and score
  FILE         a study.yaml or its folder: the judge of that study

Only completions that both judges call coherent are compared. kappa is Cohen's:
0 is chance, 1 full agreement. AUC measures how well the scores of one judge
predict the labels of the other: 0.5 is chance. Intervals are 95 %, by
resampling prompts.

With a study instead of a file, its own completions and grades are taken, and
kappa is kept in the study (judge-error.json) and shown in its report.

Examples:
  culprit judge compare labelled.jsonl --a my-study/study.yaml --b label
  culprit judge compare my-study --b other-judge/study.yaml`;

function share(x: number): string {
  return Number.isNaN(x) ? 'undefined' : inDecimals(x, 3);
}

const measuredRow = (name: string, { value, low, high }: Measured): string[] => [
  name,
  share(value),
  Number.isNaN(low) ? '' : `${share(low)} to ${share(high)}`,
];

function countsTable({ table: { both, onlyA, onlyB, neither } }: JudgeComparison): string {
  return table(
    [
      ['', 'left'],
      ['b positive', 'right'],
      ['b negative', 'right'],
    ],
    [
      ['a positive', number(both), number(onlyA)],
      ['a negative', number(onlyB), number(neither)],
    ],
  );
}

/** One line of text, cut to `length` characters. */
function cut(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll(/\p{Cc}/gu, '');
  return line.length > length ? `${line.slice(0, length - 3)}...` : line;
}

function disagreementTable(disagreements: readonly Disagreement[]): string {
  return table(
    [
      ['id', 'left'],
      ['a', 'right'],
      ['b', 'right'],
      ['completion', 'left'],
    ],
    disagreements.map(({ item, a, b }) => [
      cut(item.id, 16),
      a.score.toFixed(2),
      b.score.toFixed(2),
      cut(item.completion, 44),
    ]),
  );
}

function sideLines({ a, b, items }: JudgeComparison): string[] {
  return Object.entries({ a, b }).map(
    ([letter, { name, missing, incoherent }]) =>
      `${letter}: ${name}; rated ${number(items - missing)} of ${number(items)}, ${number(incoherent)} of them incoherent`,
  );
}

function report(found: JudgeComparison, rows: number): string {
  const { statistics, disagreements, compared, prompts } = found;
  const shown = disagreements.slice(0, rows);
  return [
    '',
    pc.bold(`Agreement of two judges on ${counted(compared, 'completion')} of ${counted(prompts, 'prompt')}`),
    ...sideLines(found),
    '',
    table(
      [
        ['', 'left'],
        ['value', 'right'],
        ['95 % interval', 'left'],
      ],
      [
        measuredRow('accuracy', statistics.accuracy),
        measuredRow('kappa', statistics.kappa),
        measuredRow("AUC, a's scores, b's labels", statistics.aucA),
        measuredRow("AUC, b's scores, a's labels", statistics.aucB),
      ],
    ),
    '',
    countsTable(found),
    '',
    ...(shown.length > 0
      ? [
          pc.bold(
            `The ${counted(shown.length, 'strongest disagreement')}, of ${counted(disagreements.length, 'completion')} with different labels`,
          ),
          '',
          disagreementTable(shown),
          '',
        ]
      : []),
  ].join('\n');
}

function documentOf(found: JudgeComparison, rows: number): DocumentOf<'judge-compare'> {
  const { items, compared, prompts, table: counts, statistics, disagreements } = found;
  const measured = ({ value, low, high }: Measured) => ({
    value: finite(value),
    low: finite(low),
    high: finite(high),
  });
  const rating = ({ positive, score }: Disagreement['a']) => ({
    label: positive ? ('positive' as const) : ('negative' as const),
    score,
  });
  return {
    document: 'judge-compare',
    a: { ...found.a },
    b: { ...found.b },
    items,
    compared,
    prompts,
    table: { both: counts.both, only_a: counts.onlyA, only_b: counts.onlyB, neither: counts.neither },
    accuracy: measured(statistics.accuracy),
    kappa: measured(statistics.kappa),
    auc_a: measured(statistics.aucA),
    auc_b: measured(statistics.aucB),
    disagreements: disagreements.length,
    strongest: disagreements.slice(0, rows).map(({ item, a, b }) => ({
      id: item.id,
      a: rating(a),
      b: rating(b),
      completion: item.completion,
    })),
  };
}

function compareCommand(openJudge: OpenJudge): Command {
  return new Command('compare')
    .summary('measure how well two judges agree on completions')
    .description('Measure how well two judges agree on completions.')
    .argument('<file>', 'completions, JSONL, or CSV where the name ends with .csv; or a study')
    .usage('FILE --a JUDGE --b JUDGE, or STUDY --b JUDGE')
    .option('--a <judge>', 'one judge (see below); of a study, its own grades')
    .requiredOption('--b <judge>', 'the other; `label` for the labels in the file')
    .option('--rows <count>', 'how many disagreements to show', wholeNumber(0), screenRows)
    .option(...jsonFlag)
    .option('--resamples <count>', 'bootstrap resamples for the intervals', wholeNumber(1), 2000)
    .option('--seed <number>', 'seed of the resampling', wholeNumber(0), 1)
    .addHelpText('after', about)
    .action(async (file: string, { rows, a, json, ...options }: Options) => {
      const request = { ...options, openJudge, progress: progressOn(process.stderr) };
      const found = await compared(file, a, request);
      if (json) printDocument(documentOf(found, rows));
      else process.stdout.write(report(found, rows));
    });
}

/** Throws InputError where `--a` is missing for a file, or given for a study. */
async function compared(
  file: string,
  a: string | undefined,
  request: Omit<CompareRequest, 'file' | 'a'>,
): Promise<JudgeComparison> {
  const isStudy = /\.ya?ml$/i.test(file) || (await isFolderThere(file));
  if (isStudy && a !== undefined)
    throw new InputError(`--a: expected none, for the study's own grades are compared; found ${a}`);
  if (isStudy) return compareInStudy(await judgedFolder(file), request);
  if (a === undefined) throw new InputError('--a: expected a judge, found none');
  return compareJudges({ ...request, file, a });
}

/** `openJudge` opens what `--a` and `--b` name by a file. */
export function judgeCommand(openJudge: OpenJudge): Command {
  return new Command('judge')
    .summary('measure how often a judge errs, and how well judges agree')
    .description('Measure how often a judge errs, and how well judges agree.')
    .helpCommand('help [command]', 'show the help of a command')
    .addCommand(sampleCommand(openJudge))
    .addCommand(readCommand())
    .addCommand(compareCommand(openJudge));
}
