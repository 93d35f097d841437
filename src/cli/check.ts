/** `culprit check`: what may be wired wrongly in a study, a line each. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { runStudy } from '../study/run/studyRun.ts';
import { checkSummary, checkTable } from './checkReport.ts';
import { downloadFlag, downloadMissing } from './download.ts';
import { jsonFlag, printDocument } from './json.ts';
import { dateOption, exitCodes, machineOf, studyDate, withMachineOptions } from './options.ts';
import { durationText, progressOn } from './progress.ts';
import { type RunOptions, withStageOptions } from './study.ts';

interface CheckOptions extends Omit<RunOptions, 'rows'> {
  labels?: string;
}

async function check(study: string, options: CheckOptions): Promise<void> {
  const { redo, accept, date, download = false, labels, json } = options;
  await downloadMissing(study, download);
  const start = Date.now();
  const result = await runStudy({
    study,
    stages: ['check'],
    redo,
    accept,
    ...machineOf(options),
    date,
    labels,
    progress: progressOn(process.stderr),
  });
  const lines = result.check?.lines ?? [];
  const why = result.skipped.check;
  const seconds = (Date.now() - start) / 1000;
  if (result.stopped) process.exitCode = exitCodes.input;
  if (json)
    return printDocument({
      document: 'check',
      study: resolve(study),
      seconds,
      skipped: why ?? null,
      stopped: result.stopped?.reason ?? null,
      lines: [...lines],
    });
  process.stdout.write(
    [
      '',
      ...(why === undefined
        ? [...checkTable(lines), '', `${checkSummary(lines)}.`]
        : [`Not checked: ${why}.`]),
      `took ${durationText(seconds)}`,
      '',
    ].join('\n'),
  );
}

const about = `
Each line passes, warns or fails, with its number; what to do stands below the
table. \`culprit run\` does this first, and stops where a line fails, unless
study.yaml says \`check: {mode: warn}\`. The result is check.json.

Example:
  culprit check my-study
  culprit check my-study --labels labelled.jsonl`;

export function checkCommand(): Command {
  const staged = withStageOptions(
    new Command('check').argument('<study>', 'a folder with study.yaml, or the file itself'),
  );
  return withMachineOptions(staged.addOption(dateOption(studyDate)))
    .summary('look for what may be wired wrongly in a study, in under a minute')
    .description('Look for what may be wired wrongly in a study before it is run: a line for each thing.')
    .option('--labels <file>', "completions with labels to hold the judge's verdicts against (JSONL or CSV)")
    .option(...downloadFlag)
    .option(...jsonFlag)
    .addHelpText('after', about)
    .action((study: string, options: CheckOptions) => check(study, options));
}
