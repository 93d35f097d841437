/** `culprit run`, `sample`, `grade`, `pair` and `status`: a study, whole or a stage at a time. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Estimate, estimateStudy } from '../study/run/studyEstimate.ts';
import { runStudy, type StageName, stageNames } from '../study/run/studyRun.ts';
import { studyStatus } from '../study/run/studyStatus.ts';
import { budgetSpent, wholeNumber } from './options.ts';
import { duration, progressOn } from './progress.ts';
import { isJudged, stageReport } from './studyReport.ts';
import { number, pc, table } from './table.ts';

export interface RunOptions {
  redo?: StageName[];
  accept?: StageName[];
  cache?: string;
  dryRun?: boolean;
  full?: boolean;
  rows: number;
}

const isStage = (name: string): name is StageName => (stageNames as readonly string[]).includes(name);

/** `stage,stage`, added to what the same flag gave before. */
function stageList(given: string, before: readonly StageName[] = []): StageName[] {
  const names = given.split(',').map((name) => name.trim());
  if (!names.every(isStage))
    throw new InvalidArgumentError(`Expected stages of ${stageNames.join(', ')}, with commas between.`);
  return [...before, ...names];
}

const stageOption = (flag: string, description: string) =>
  new Option(`${flag} <stages>`, description).argParser(stageList);

/** --redo and --accept. */
export function withStageOptions(command: Command): Command {
  return command
    .addOption(
      stageOption('--redo', 'stages to make anew, such as grade,pair; what is there is kept as .bak'),
    )
    .addOption(stageOption('--accept', 'stages whose files are taken as they are, edited by hand'));
}

function withStudyOptions(command: Command): Command {
  return withStageOptions(command.argument('<study>', 'a folder with study.yaml, or the file itself'))
    .option(
      '--cache <folder>',
      "where the weights of a GGUF are kept as float32 (default: $CULPRIT_CACHE, or the user's cache folder)",
    )
    .helpOption('-h, --help', 'show this text');
}

async function go(study: string, stages: readonly StageName[], options: RunOptions): Promise<void> {
  const { redo, accept, cache, rows, full } = options;
  const start = Date.now();
  const result = await runStudy({
    study,
    stages,
    redo,
    accept,
    cacheDir: cache,
    full,
    progress: progressOn(process.stderr),
  });
  process.stdout.write(stageReport(result, rows, (Date.now() - start) / 1000));
  if (result.stopped) process.exitCode = isJudged(result.stopped.stage) ? budgetSpent : 2;
}

function estimateText({ lines, seconds, price, assumptions }: Estimate): string {
  const rows = lines.map(({ stage, units, done, seconds: s, note }) => [
    stage,
    units === undefined ? '' : number(units),
    number(done),
    s === undefined ? '' : duration(s),
    note,
  ]);
  return [
    '',
    pc.bold('What the study would do'),
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
    `In all about ${duration(seconds)}${price === undefined ? '' : `, and about ${price.toFixed(2)} for judge and explainer, in the currency of their prices`}.`,
    ...assumptions.map((line) => pc.dim(line)),
    '',
  ].join('\n');
}

/** `culprit steer STUDY`. */
export const steerStudy = (study: string, options: RunOptions) => go(study, ['steer'], options);

/** `culprit attribute STUDY`. */
export const attributeStudy = (study: string, options: RunOptions) => go(study, ['attribute'], options);

const runAbout = `
A study is a folder with study.yaml (\`culprit init FOLDER\` writes one). Its stages:
  sample     completions of the discovery prompts, drawn from the subject
  grade      each completion's verdict, by the study's judge
  pair       positives with negatives of the same prompt
  attribute  the latents behind the positives
  steer      the causal test: subject and reference steered along them, against random
             latents, on prompts that nothing was found on
  interpret  what the first latents mean, where study.yaml has a section for it
Results stand in the folder: completions.jsonl, grades.jsonl, pairs.jsonl,
latents.parquet, attribution.safetensors, steering.parquet, steering.json,
steered.jsonl, steering.svg, steering.png, latents/NNN.json, explanations.jsonl,
manifest.json. A stage whose inputs are
unchanged is not run again, and a run that was stopped goes on where it was.

Example:
  culprit init my-study --model smollm2/ --adapter lora/ --sae sae/ --prompts p.jsonl
  culprit run my-study --dry-run
  culprit run my-study`;

export function runCommand(): Command {
  return withStudyOptions(new Command('run'))
    .summary('run a study, or go on with it')
    .description('Run a study from its prompts to the causal test of its latents, or go on with it.')
    .option('--dry-run', 'tell what would be done, how long it may take and what it may cost')
    .option('--full', 'sample every candidate of the causal test on every evaluation prompt: no funnel')
    .option('--rows <count>', 'rows of the table of latents on the screen', wholeNumber(0), 12)
    .addHelpText('after', runAbout)
    .action(async (study: string, options: RunOptions) => {
      if (!options.dryRun) return go(study, stageNames, options);
      process.stdout.write(
        estimateText(await estimateStudy({ study, cacheDir: options.cache, full: options.full })),
      );
    });
}

/** One stage alone. */
function stageCommand(name: 'sample' | 'grade' | 'pair', summary: string): Command {
  return withStudyOptions(new Command(name))
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}: one stage of \`culprit run\`.`)
    .action((study: string, options: Omit<RunOptions, 'rows'>) => go(study, [name], { ...options, rows: 0 }));
}

export const sampleCommand = () => stageCommand('sample', "draw a study's completions");
export const gradeCommand = () => stageCommand('grade', "grade a study's completions by its judge");
export const pairCommand = () => stageCommand('pair', "pair a study's positives with negatives");

/** How many completions a causal test takes, and how many questions an explainer, is known at its end. */
const openEnded: Readonly<Record<string, string>> = { steer: 'about', interpret: 'at most' };

function unitsOf(name: string, done: number, all: number, finished: boolean): string {
  const bound = openEnded[name];
  if (bound === undefined) return `${number(done)} of ${number(all)}`;
  return finished ? '' : `${number(done)} of ${bound} ${number(all)}`;
}

export function statusCommand(): Command {
  return new Command('status')
    .summary('tell how far a study is')
    .description('Tell what of a study is done, what is left, and how long that will take.')
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .helpOption('-h, --help', 'show this text')
    .action(async (study: string) => {
      const { running, stages } = await studyStatus({ study });
      const rows = stages.map(({ name, finished, done, left, secondsLeft, problem }) => [
        name,
        finished ? pc.green('done') : done > 0 ? pc.yellow('begun') : 'to do',
        done + left > 0 ? unitsOf(name, done, done + left, finished) : '',
        !finished && name !== 'interpret' && secondsLeft !== undefined && left > 0
          ? duration(secondsLeft)
          : '',
        problem ?? '',
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
            ? `Process ${running.pid} has been at work in it since ${running.since}.`
            : 'No run is at work in it.',
          '',
        ].join('\n'),
      );
    });
}
