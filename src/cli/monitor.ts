/** `culprit monitor`: a study's latents as detectors of its behaviour, measured, and on any transcripts. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { replaceFile } from '../files/atomic.ts';
import { type TokenSet, tokenSets } from '../methods/site/contrast.ts';
import {
  type AppliedMonitor,
  type ApplyRequest,
  applyMonitor,
  type ScoredTranscript,
  strongestDefault,
} from '../study/monitor/applyRun.ts';
import { type MonitorRequest, monitorDefaults, runMonitor } from '../study/monitor/monitorRun.ts';
import { outFile } from '../study/store/outFolder.ts';
import { type DocumentOf, jsonFlag, printDocument } from './json.ts';
import { monitorReport, transcriptLines } from './monitorReport.ts';
import {
  type MachineFlags,
  machineOf,
  wholeNumber,
  withMachineOptions,
  withModelOptions,
} from './options.ts';
import { progressOn } from './progress.ts';
import { staleLines } from './staleLines.ts';
import { paragraph } from './wrap.ts';

interface Options extends MachineFlags, Pick<MonitorRequest, 'on' | 'first' | 'random' | 'seed' | 'out'> {
  readTokens?: TokenSet;
  json?: boolean;
}

async function run(
  study: string,
  { readTokens: tokens, json, cache, memory, ...options }: Options,
): Promise<void> {
  const { record, files } = await runMonitor({
    ...options,
    ...machineOf({ cache, memory }),
    study,
    tokens,
    progress: progressOn(process.stderr),
  });
  if (json)
    return printDocument({
      document: 'monitor',
      study: resolve(study),
      files: files.map((file) => resolve(file)),
      monitor: record,
    });
  process.stdout.write(
    [
      ...monitorReport(record, files),
      ...staleLines({ stale: record.stale }).flatMap((line) => paragraph(line)),
      '',
    ].join('\n'),
  );
}

interface ApplyOptions
  extends MachineFlags,
    Pick<ApplyRequest, 'model' | 'adapter' | 'date' | 'detector' | 'strongest'> {
  out?: string;
  json?: boolean;
}

const rowOf = ({ id, tokens, scores, strongest }: ScoredTranscript): DocumentOf<'monitor-row'> => ({
  document: 'monitor-row',
  id,
  tokens,
  scores: scores.map((one) => ({ ...one })),
  strongest: strongest.map((one) => ({ ...one })),
});

const lineOf = (row: ScoredTranscript) => `${JSON.stringify(rowOf(row))}\n`;

/** Each row as soon as it is scored. Gives how many there were, and how many were flagged. */
async function tell(
  { rows, detector }: AppliedMonitor,
  write: (row: ScoredTranscript) => Promise<unknown>,
): Promise<{ read: number; flagged: number }> {
  const counts = { read: 0, flagged: 0 };
  for await (const row of rows) {
    await write(row);
    counts.read++;
    counts.flagged += Number(row.scores.find((one) => one.detector === detector)?.flagged ?? false);
  }
  return counts;
}

const said = async (text: string) => process.stdout.write(text);

async function apply(
  monitor: string,
  transcripts: string,
  { out, json, cache, memory, ...options }: ApplyOptions,
): Promise<void> {
  if (out !== undefined) await outFile(out);
  const progress = progressOn(process.stderr);
  const applied = await applyMonitor({
    ...options,
    ...machineOf({ cache, memory }),
    monitor,
    transcripts,
    progress,
  });
  try {
    if (out !== undefined)
      await replaceFile(out, async (file) => {
        const { read, flagged } = await tell(applied, (row) => file.appendFile(lineOf(row)));
        if (!json) await said(`${out}: ${read} rows, ${flagged} flagged by ${applied.detector}\n`);
      });
    else if (json) await tell(applied, (row) => said(lineOf(row)));
    else {
      const { read, flagged } = await tell(applied, (row) =>
        said(`${transcriptLines(row, applied.detector).join('\n')}\n`),
      );
      await said(`\n${read} rows, ${flagged} flagged by ${applied.detector} (${applied.record.behaviour})\n`);
    }
  } finally {
    await applied.close();
  }
}

const about = `
Detectors are the latents that the causal test confirmed, or the first by delta
where it confirmed none, a linear probe, and the mean difference. They are
fitted to the completions that latents were found from, and tried on unsteered
completions of the causal test. Random latents stand beside: they reach high
AUCs too. --on names other studies, whose own subject reads their completions,
or files of completions with labels, which this study's subject reads:
  {"prompt": "...", "completion": "...", "label": "positive"}

Example:
  culprit monitor my-study --on other-study --on labelled.jsonl`;

const examples = `
\`culprit monitor measure --help\` has the options of \`culprit monitor STUDY\`.

Examples:
  culprit monitor my-study --on other-study --on labelled.jsonl
  culprit monitor apply my-study/monitor.json transcripts.jsonl`;

const applyAbout = `
Transcripts, one JSON object per line, or a CSV file with a header:
  {"id": "...", "prompt": "...", "completion": "..."}
  {"messages": [{"role": "user", "content": "..."},
    {"role": "assistant", "content": "..."}]}
Each row is told as soon as it is scored: on the screen, with --json as one line
of JSON, or with --out in a file of such lines. A token's score is its own; the
mean of them all is the text's.

Example:
  culprit monitor apply my-study/monitor.json transcripts.jsonl --out scores.jsonl`;

function applyCommand(): Command {
  const command = new Command('apply')
    .summary('score transcripts with a monitor')
    .description('Score transcripts with a monitor that `culprit monitor` has made.')
    .argument('<monitor>', 'monitor.json, or the folder that it is in')
    .argument('<transcripts>', 'prompts and completions, JSONL, or CSV where the name ends with .csv')
    .option('--detector <name>', 'the detector whose strongest tokens are shown (default: the first latent)')
    .option('--strongest <count>', 'strongest tokens of each text', wholeNumber(0), strongestDefault)
    .option('--out <file>', 'write the rows to this file, JSONL')
    .option(...jsonFlag);
  return withModelOptions(command, { required: false }).addHelpText('after', applyAbout).action(apply);
}

function measureCommand(): Command {
  const command = new Command('measure')
    .summary("measure a study's latents as detectors; meant where no command is named")
    .description("Measure a study's latents as detectors of its behaviour, within and across tasks.")
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .option(
      '--on <path>',
      'another study, or a file of completions with labels, to try the detectors on; may be repeated',
      (path: string, before: readonly string[] = []) => [...before, path],
    )
    .addOption(
      new Option('--read-tokens <set>', 'the tokens whose mean residual is read')
        .choices(tokenSets)
        .default(monitorDefaults.tokens),
    )
    .option(
      '--first <count>',
      'latents by delta where none is confirmed',
      wholeNumber(1),
      monitorDefaults.first,
    )
    .option('--random <count>', 'random latents beside them', wholeNumber(3), monitorDefaults.random)
    .option(
      '--seed <number>',
      'seed of random latents, folds and intervals',
      wholeNumber(0),
      monitorDefaults.seed,
    )
    .option('--out <folder>', "where to write (default: the study's folder)")
    .option(...jsonFlag);
  return withMachineOptions(command).addHelpText('after', about).action(run);
}

export function monitorCommand(): Command {
  return new Command('monitor')
    .summary("measure a study's latents as detectors of its behaviour, and score transcripts")
    .description("Measure a study's latents as detectors of its behaviour, and score transcripts by them.")
    .usage('STUDY | apply MONITOR TRANSCRIPTS')
    .helpCommand('help [command]', 'show the help of a command')
    .addCommand(measureCommand(), { isDefault: true })
    .addCommand(applyCommand())
    .addHelpText('after', examples);
}
