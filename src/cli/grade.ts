/** `culprit grade`: the stage, or the judge's questions and answers as files of a batch API. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { InputError } from '../errors.ts';
import { counted } from '../results.ts';
import { gradeStage } from '../study/judging/2-grade.ts';
import type { BatchRead, BatchWritten, LinesOf } from '../study/judging/batchWork.ts';
import { readJudgeBatch, writeJudgeBatch } from '../study/run/batchRun.ts';
import { runStudy } from '../study/run/studyRun.ts';
import { downloadMissing } from './download.ts';
import { printDocument } from './json.ts';
import { exitCodes, machineOf } from './options.ts';
import { progressOn } from './progress.ts';
import { type RunOptions, runStages, withStudyOptions } from './study.ts';
import { number } from './table.ts';
import { paragraph } from './wrap.ts';

type Options = Omit<RunOptions, 'rows'> & { batch?: 'write' | 'read' };

const about = `
A chat judge can be asked by a batch API, which answers within a day at half the
price: \`--batch write\` writes the questions that are outstanding, each a line as
OpenAI has them, into FILE (default: judge-batch.jsonl in the study's folder), and
into FILE-2 and so on where one may hold no more. Send them, and give what comes
back, the file of errors too, to \`--batch read\`: grades are kept as if the judge
had been asked at once, and what has no answer yet goes into the next
\`--batch write\`, or is asked at once by \`culprit grade\` or \`culprit run\`.

Example:
  culprit grade my-study --batch write questions.jsonl
  culprit grade my-study --batch read results.jsonl errors.jsonl`;

const told = (lines: LinesOf | undefined, what: string): string[] =>
  lines === undefined ? [] : paragraph(`${counted(lines.lines, 'line')} ${what}; the first, ${lines.first}`);

const next = (study: string) => `  culprit grade ${study} --batch write`;

function writtenText({ files, texts, where, left }: BatchWritten, study: string): string {
  if (files.length === 0 && left === undefined) return 'no question is outstanding: nothing was written\n';
  return [
    ...files.map(({ file, requests }) => `${file}: ${counted(requests, 'question')}`),
    ...(files.length === 0
      ? []
      : paragraph(
          `${counted(texts, 'completion')}, for the batch API of ${where}. Give what comes back, of errors too, to`,
        ).concat(`  culprit grade ${study} --batch read RESULTS`)),
    ...(left === undefined ? [] : paragraph(`${counted(left.texts, 'completion')} left out: ${left.why}`)),
    '',
  ].join('\n');
}

function readText(read: BatchRead, study: string): string {
  const { lines, kept, before, again, failed, foreign, graded, outstanding } = read;
  return [
    ...paragraph(
      `${counted(lines, 'line')}: ${counted(kept, 'answer')} kept${before > 0 ? `, ${number(before)} read before` : ''}; ${counted(graded, 'completion')} graded by them`,
    ),
    ...told(again, 'to be asked again'),
    ...told(failed, 'without an answer'),
    ...told(foreign, 'not used, of no question of this study as it is now'),
    ...(outstanding.questions === 0
      ? []
      : [
          ...paragraph(
            `${counted(outstanding.questions, 'question')} outstanding, on ${counted(outstanding.texts, 'completion')}:`,
          ),
          next(study),
        ]),
    '',
  ].join('\n');
}

async function write(study: string, files: readonly string[], options: Options): Promise<void> {
  if (files.length > 1)
    throw new InputError(`--batch write: expected one file at most, found ${files.length}`);
  if (files[0] === '-')
    throw new InputError('--batch write -: expected a file to write, found standard input');
  const written = await writeJudgeBatch(requestOf(study, options), files[0]);
  if (options.json)
    printDocument({
      document: 'judge-batch',
      study: resolve(study),
      written: {
        files: written.files.map(({ file, requests }) => ({ file: resolve(file), requests })),
        texts: written.texts,
        left: written.left ?? null,
      },
      read: null,
    });
  else process.stdout.write(writtenText(written, study));
  if (written.left !== undefined) process.exitCode = exitCodes.budget;
}

async function read(study: string, files: readonly string[], options: Options): Promise<void> {
  if (files.length === 0) throw new InputError('--batch read: expected files of results, found none');
  const request = requestOf(study, options);
  const found = await readJudgeBatch(request, files);
  const isWhole = found.outstanding.questions === 0;
  if (!isWhole) process.exitCode = exitCodes.budget;
  if (!options.json) {
    process.stdout.write(readText(found, study));
    return isWhole ? runStages(study, [gradeStage.name], { ...options, rows: 0 }) : undefined;
  }
  if (isWhole) await runStudy({ ...request, stages: [gradeStage.name] });
  printDocument({
    document: 'judge-batch',
    study: resolve(study),
    written: null,
    read: {
      ...found,
      again: found.again ?? null,
      failed: found.failed ?? null,
      foreign: found.foreign ?? null,
    },
  });
}

const requestOf = (study: string, { date, ...machine }: Options) => ({
  study,
  date,
  ...machineOf(machine),
  progress: progressOn(process.stderr),
});

export function gradeCommand(): Command {
  return withStudyOptions(new Command('grade'))
    .summary(`grade alone: ${gradeStage.about}`)
    .description(`One stage of \`culprit run\`: ${gradeStage.about}.`)
    .argument('[files...]', 'with --batch: the file to write, or those to read')
    .addOption(
      new Option('--batch <what>', "write the judge's outstanding questions, or read what came back")
        .choices(['write', 'read'])
        .conflicts(['redo', 'accept']),
    )
    .addHelpText('after', about)
    .action(async (study: string, files: string[], options: Options) => {
      const { batch } = options;
      if (batch === undefined && files.length > 0)
        throw new InputError(`grade: expected files with --batch only, found ${files.join(', ')}`);
      if (batch === undefined) return runStages(study, [gradeStage.name], { ...options, rows: 0 });
      await downloadMissing(study, options.download ?? false);
      await (batch === 'write' ? write : read)(study, files, options);
    });
}
