/** `culprit run`, `status` and a command for each stage: a study, whole or a stage at a time. */

import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { resultFiles } from '../results.ts';
import { type ControlKind, controlNames } from '../study/config/control.ts';
import { type StageName, stages } from '../study/run/stages.ts';
import { type Estimate, estimateStudy } from '../study/run/studyEstimate.ts';
import { runStudy, type StudyResult } from '../study/run/studyRun.ts';
import { studyStatus } from '../study/run/studyStatus.ts';
import { readStudyManifest } from '../study/store/manifest.ts';
import type { StageStatus, StudyStatus } from '../study/store/status.ts';
import { control } from './control.ts';
import { downloadFlag, downloadMissing } from './download.ts';
import { tellCausalTest } from './goesAhead.ts';
import { type DocumentOf, finite, jsonFlag, printDocument } from './json.ts';
import { effectPart, latentPart } from './jsonParts.ts';
import {
  dateOption,
  exitCodes,
  type MachineFlags,
  machineOf,
  screenRows,
  studyDate,
  wholeNumber,
  withMachineOptions,
} from './options.ts';
import { durationText, progressOn } from './progress.ts';
import { stageReport } from './studyReport.ts';
import { number, pc, table } from './table.ts';
import { paragraph } from './wrap.ts';

export interface RunOptions extends MachineFlags {
  redo?: string[];
  accept?: string[];
  date?: Date;
  download?: boolean;
  dryRun?: boolean;
  full?: boolean;
  json?: boolean;
  until?: string;
  yes?: boolean;
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

/** What each command of a stage takes. */
export function withStudyOptions(command: Command): Command {
  const staged = withStageOptions(
    command.argument('<study>', 'a folder with study.yaml, or the file itself'),
  ).addOption(dateOption(studyDate));
  return withMachineOptions(staged)
    .option(...downloadFlag)
    .option(...jsonFlag);
}

/** What a run came to, as one document. */
async function runDocument(
  result: StudyResult,
  {
    names,
    rows,
    seconds,
  }: { readonly names: readonly string[]; readonly rows: number; readonly seconds: number },
): Promise<DocumentOf<'run'>> {
  const { study, stopped, skipped, attribute, steer } = result;
  const made = (await readStudyManifest(study.folder))?.stages ?? {};
  const results: Readonly<Record<string, unknown>> = { ...result };
  return {
    document: 'run',
    study: study.folder,
    seconds,
    stopped: stopped ? { stage: stopped.stage, reason: stopped.reason, budget_spent: stopped.spent } : null,
    skipped,
    stages: names
      .filter((name) => results[name] !== undefined)
      .map((stage) => ({
        stage,
        up_to_date: (results[stage] as { upToDate?: boolean }).upToDate ?? null,
        counts: made[stage]?.counts ?? {},
      })),
    latents: attribute ? attribute.latents.slice(0, rows).map(latentPart) : null,
    effects: steer ? steer.rows.map(effectPart) : null,
  };
}

/** Runs stages of a study, and tells what they came to. */
export async function runStages(study: string, names: readonly string[], options: RunOptions): Promise<void> {
  const { redo, accept, date, download = false, rows, full, json, yes = false } = options;
  await downloadMissing(study, download);
  const whole = names.length > 1 && names.includes('steer');
  const start = Date.now();
  const result = await runStudy({
    study,
    stages: names,
    redo,
    accept,
    ...machineOf(options),
    date,
    full,
    ...(whole && { before: (opened) => tellCausalTest(opened, yes) }),
    progress: progressOn(process.stderr),
  });
  const seconds = (Date.now() - start) / 1000;
  if (json) printDocument(await runDocument(result, { names, rows, seconds }));
  else process.stdout.write(stageReport(result, rows, seconds));
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
    ...willLines(lines.map(({ stage, will }) => ({ name: stage, will }))),
    '',
    `About ${durationText(seconds)} in all${price === undefined ? '' : `, and about ${price.toFixed(2)} for judge and explainer, in the currency of the prices in study.yaml`}.`,
    ...assumptions.map((line) => pc.dim(line)),
    '',
  ].join('\n');
}

/** What a run will do with each stage: the same words in dry run and status. */
const willLines = (stages: readonly { readonly name: string; readonly will: string }[]): string[] => {
  const width = Math.max(...stages.map(({ name }) => name.length)) + 2;
  return [
    'A run will',
    ...stages.flatMap(({ name, will }) =>
      paragraph(will, ' '.repeat(width + 2)).map((line, i) =>
        i === 0 ? `  ${name.padEnd(width)}${line.trimStart()}` : line,
      ),
    ),
  ];
};

async function dryRun(study: string, options: RunOptions): Promise<void> {
  const { date, full, json } = options;
  const estimate = await estimateStudy({ study, ...machineOf(options), date, full });
  if (!json) return void process.stdout.write(estimateText(estimate));
  printDocument({
    document: 'estimate',
    study: resolve(study),
    seconds: estimate.seconds,
    price: finite(estimate.price),
    stages: estimate.lines.map(({ units, ...line }) => ({
      ...line,
      changes: [...line.changes],
      units: units ?? null,
    })),
    assumptions: [...estimate.assumptions],
  });
}

/** `culprit steer STUDY`. */
export const steerStudy = (study: string, options: RunOptions) => runStages(study, ['steer'], options);

/** `culprit attribute STUDY`. */
export const attributeStudy = (study: string, options: RunOptions) =>
  runStages(study, ['attribute'], options);

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
    .addOption(
      new Option('--until <stage>', 'stop after this stage; the same command without it goes on').choices(
        stageNames,
      ),
    )
    .option('--yes', 'run a causal test of more than an hour without asking')
    .addOption(
      new Option('--control <kind>', 'run the study once more with one thing broken on purpose, beside it')
        .choices(controlNames)
        .conflicts(['dryRun', 'until', 'json']),
    )
    .option('--control-seed <number>', 'seed of what a control draws at random', wholeNumber(0), 1)
    .option('--rows <count>', 'rows of the table of latents on the screen', wholeNumber(0), screenRows)
    .addHelpText('after', runAbout)
    .action(async (study: string, options: RunOptions & { control?: ControlKind; controlSeed: number }) => {
      if (options.control !== undefined) return control(study, { ...options, control: options.control });
      if (options.dryRun) return dryRun(study, options);
      const { until } = options;
      const names =
        until === undefined ? stageNames : stageNames.slice(0, 1 + stageNames.indexOf(until as StageName));
      return runStages(study, names, options);
    });
}

/** Stages whose commands do more than run them, each in a file of its own. */
const ownCommands: readonly string[] = ['check', 'attribute', 'steer', 'interpret'];

function stageCommand({ name, about }: { readonly name: string; readonly about: string }): Command {
  return withStudyOptions(new Command(name))
    .summary(`${name} alone: ${about}`)
    .description(`One stage of \`culprit run\`: ${about}.`)
    .action((study: string, options: Omit<RunOptions, 'rows'>) =>
      runStages(study, [name], { ...options, rows: 0 }),
    );
}

/** A command for each of the other stages, and in their places those of `own`. */
export const stageCommands = (own: readonly Command[]): Command[] =>
  stages.flatMap((stage) => {
    const found = own.find((command) => command.name() === stage.name);
    if (found !== undefined) return [found];
    return ownCommands.includes(stage.name) ? [] : [stageCommand(stage)];
  });

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
    .option(...jsonFlag)
    .action(async (study: string, { json }: { json?: boolean }) => {
      const status = await studyStatus({ study });
      if (json) printDocument(statusDocument(study, status));
      else process.stdout.write(statusText(status));
    });
}

const stateOf = ({ finished, done }: StageStatus) => (finished ? 'done' : done > 0 ? 'started' : 'to do');

const statusDocument = (study: string, { running, stages }: StudyStatus): DocumentOf<'status'> => ({
  document: 'status',
  study: resolve(study),
  running: running ?? null,
  stages: stages.map((stage) => ({
    stage: stage.name,
    state: stateOf(stage),
    done: stage.done,
    left: stage.left,
    bound: stage.finished ? null : (stage.bound ?? null),
    seconds_left: stage.finished ? 0 : finite(stage.secondsLeft),
    problem: stage.problem ?? null,
    will: stage.will,
    changes: [...stage.changes],
  })),
});

const shownState = {
  done: (text: string) => pc.green(text),
  started: (text: string) => pc.yellow(text),
  'to do': String,
} as const;

function statusText({ running, stages }: StudyStatus): string {
  const rows = stages.map((stage) => [
    stage.name,
    shownState[stateOf(stage)](stateOf(stage)),
    unitsText(stage),
    timeLeft(stage),
    stage.problem ?? '',
  ]);
  return [
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
    ...willLines(stages),
    '',
    running ? `Process ${running.pid} has been running it since ${running.since}.` : 'It is not running now.',
    '',
  ].join('\n');
}
