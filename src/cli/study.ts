/** `culprit run`, `status` and a command for each stage: a study, whole or a stage at a time. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { resultFiles } from '../results.ts';
import { stages } from '../study/run/stages.ts';
import { type Estimate, estimateStudy } from '../study/run/studyEstimate.ts';
import { runStudy } from '../study/run/studyRun.ts';
import { studyStatus } from '../study/run/studyStatus.ts';
import type { StageStatus } from '../study/store/status.ts';
import { exitCodes, screenRows, wholeNumber } from './options.ts';
import { durationText, progressOn } from './progress.ts';
import { stageReport } from './studyReport.ts';
import { number, pc, table } from './table.ts';
import { paragraph } from './wrap.ts';

export interface RunOptions {
  redo?: string[];
  accept?: string[];
  cache?: string;
  dryRun?: boolean;
  full?: boolean;
  rows: number;
}

const stageNames = stages.map(({ name }) => name);

/** `stage,stage`, added to what the same flag gave before. */
function stageList(given: string, before: readonly string[] = []): string[] {
  const names = given.split(',').map((name) => name.trim());
  if (!names.every((name) => (stageNames as string[]).includes(name)))
    throw new InvalidArgumentError(`Expected stages of ${stageNames.join(', ')}, with commas between.`);
  return [...before, ...names];
}

const stageOption = (flag: string, description: string) =>
  new Option(`${flag} <stages>`, description).argParser(stageList);

/** --redo and --accept. */
export function withStageOptions(command: Command): Command {
  return command
    .addOption(
      stageOption('--redo', 'stages to run again, such as grade,pair; their old files are kept as .bak'),
    )
    .addOption(stageOption('--accept', 'stages whose files, edited by hand, are used as they are'));
}

function withStudyOptions(command: Command): Command {
  return withStageOptions(command.argument('<study>', 'a folder with study.yaml, or the file itself')).option(
    '--cache <folder>',
    "where the weights of a GGUF are kept as float32 (default: $CULPRIT_CACHE, or the user's cache folder)",
  );
}

async function go(study: string, names: readonly string[], options: RunOptions): Promise<void> {
  const { redo, accept, cache, rows, full } = options;
  const start = Date.now();
  const result = await runStudy({
    study,
    stages: names,
    redo,
    accept,
    cacheDir: cache,
    full,
    progress: progressOn(process.stderr),
  });
  process.stdout.write(stageReport(result, rows, (Date.now() - start) / 1000));
  if (result.stopped) process.exitCode = result.stopped.spent ? exitCodes.budget : exitCodes.input;
  else if (result.pair?.pairs.length === 0) process.exitCode = exitCodes.nothing;
}

function estimateText({ lines, seconds, price, assumptions }: Estimate): string {
  const rows = lines.map(({ stage, units, done, seconds: s, note }) => [
    stage,
    units === undefined ? '' : number(units),
    number(done),
    durationText(s),
    note,
  ]);
  return [
    '',
    pc.bold('What a run would do'),
    '',
    table(
      [
        ['stage', 'left'],
        ['units', 'right'],
        ['done', 'right'],
        ['about', 'right'],
        ['', 'left'],
      ],
      rows,
    ),
    '',
    `About ${durationText(seconds)} in all${price === undefined ? '' : `, and about ${price.toFixed(2)} for judge and explainer, in the currency of the prices in study.yaml`}.`,
    ...assumptions.map((line) => pc.dim(line)),
    '',
  ].join('\n');
}

/** `culprit steer STUDY`. */
export const steerStudy = (study: string, options: RunOptions) => go(study, ['steer'], options);

/** `culprit attribute STUDY`. */
export const attributeStudy = (study: string, options: RunOptions) => go(study, ['attribute'], options);

/** Names in a column, and beside it what each is, in lines of at most 80 characters. */
const listed = (entries: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...entries.map(([name]) => name.length)) + 2;
  return entries
    .flatMap(([name, about]) =>
      paragraph(about, ' '.repeat(width + 2)).map((line, i) =>
        i === 0 ? `  ${name.padEnd(width)}${line.trimStart()}` : line,
      ),
    )
    .join('\n');
};

const runAbout = `
A study is a folder with study.yaml; \`culprit init FOLDER\` writes one. Its
stages:
${listed(stages.map(({ name, about }) => [name, about]))}
${paragraph(`The folder then holds ${[...stages.flatMap(({ outputs }) => outputs), resultFiles.manifest].join(', ')}. A stage whose inputs are unchanged is not run again, and a run that was stopped continues where it stopped.`).join('\n')}

Example:
  culprit init my-study --model smollm2/ --adapter lora/ --sae sae/ \\
    --prompts p.jsonl
  culprit run my-study --dry-run
  culprit run my-study`;

export function runCommand(): Command {
  return withStudyOptions(new Command('run'))
    .summary('run a study, or continue it')
    .description('Run a study from its prompts to the causal test of its latents, or continue it.')
    .option('--dry-run', 'show what would be done, and estimate its time and cost')
    .option('--full', 'causal test without the funnel: sample every candidate on every evaluation prompt')
    .option('--rows <count>', 'rows of the table of latents on the screen', wholeNumber(0), screenRows)
    .addHelpText('after', runAbout)
    .action(async (study: string, options: RunOptions) => {
      if (!options.dryRun) return go(study, stageNames, options);
      process.stdout.write(
        estimateText(await estimateStudy({ study, cacheDir: options.cache, full: options.full })),
      );
    });
}

/** Stages whose commands do more than run them, each in a file of its own. */
const ownCommands: readonly string[] = ['check', 'attribute', 'steer', 'interpret'];

function stageCommand({ name, about }: { readonly name: string; readonly about: string }): Command {
  return withStudyOptions(new Command(name))
    .summary(`${name} alone: ${about}`)
    .description(`One stage of \`culprit run\`: ${about}.`)
    .action((study: string, options: Omit<RunOptions, 'rows'>) => go(study, [name], { ...options, rows: 0 }));
}

/** A command for each of the other stages. */
export const stageCommands = (): Command[] =>
  stages.filter(({ name }) => !ownCommands.includes(name)).map(stageCommand);

/** How many units are done, of how many; a bound says nothing once the stage is finished. */
function unitsText({ done, left, finished, bound }: StageStatus): string {
  if (done + left === 0) return '';
  if (bound === undefined) return `${number(done)} of ${number(done + left)}`;
  return finished ? '' : `${number(done)} of ${bound} ${number(done + left)}`;
}

/** The time that is left, where it can be told. */
const timeLeft = ({ finished, bound, left, secondsLeft }: StageStatus): string =>
  finished || bound === 'at most' || secondsLeft === undefined || left === 0 ? '' : durationText(secondsLeft);

export function statusCommand(): Command {
  return new Command('status')
    .summary('show how far a study is')
    .description('Show what is done in a study, what is left, and about how long that will take.')
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .action(async (study: string) => {
      const status = await studyStatus({ study });
      const { running } = status;
      const rows = status.stages.map((stage) => [
        stage.name,
        stage.finished ? pc.green('done') : stage.done > 0 ? pc.yellow('started') : 'to do',
        unitsText(stage),
        timeLeft(stage),
        stage.problem ?? '',
      ]);
      process.stdout.write(
        [
          '',
          table(
            [
              ['stage', 'left'],
              ['', 'left'],
              ['units', 'right'],
              ['time left', 'right'],
              ['', 'left'],
            ],
            rows,
          ),
          '',
          running
            ? `Process ${running.pid} has been running it since ${running.since}.`
            : 'It is not running now.',
          '',
        ].join('\n'),
      );
    });
}
