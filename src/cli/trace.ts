/** `culprit trace`: which training examples push a model along a study's latents. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { type TokenSet, tokenSets } from '../methods/site/contrast.ts';
import { traceModels } from '../results.ts';
import { runTrace, type TraceRequest, traceDefaults } from '../study/tracing/traceRun.ts';
import { jsonFlag, printDocument } from './json.ts';
import { type MachineFlags, machineOf, wholeNumber, withMachineOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { staleLines } from './staleLines.ts';
import { traceReport } from './traceReport.ts';
import { paragraph } from './wrap.ts';

interface Options
  extends MachineFlags,
    Pick<TraceRequest, 'data' | 'sample' | 'under' | 'first' | 'random' | 'shown' | 'seed' | 'out'> {
  traceTokens?: TokenSet;
  promptField?: string;
  completionField?: string;
  labelField?: string;
  json?: boolean;
}

async function run(
  study: string,
  {
    traceTokens: tokens,
    promptField: prompt,
    completionField: completion,
    labelField: label,
    json,
    cache,
    memory,
    ...options
  }: Options,
): Promise<void> {
  const { record, files } = await runTrace({
    ...options,
    ...machineOf({ cache, memory }),
    study,
    tokens,
    fields: { prompt, completion, label },
    progress: progressOn(process.stderr),
  });
  if (json)
    return printDocument({
      document: 'trace',
      study: resolve(study),
      files: files.map((file) => resolve(file)),
      trace: record,
    });
  process.stdout.write(
    [
      ...traceReport(record, files),
      ...staleLines({ stale: record.stale }).flatMap((line) => paragraph(line)),
      '',
    ].join('\n'),
  );
}

const about = `
A row is a training example: a JSON object a line, or a record of a CSV file.
  {"messages": [{"role": "user", "content": "..."},
    {"role": "assistant", "content": "..."}]}
  {"prompt": "...", "completion": "...", "label": "positive"}
Names of fields are those of \`culprit import\`. Of a conversation the last answer
is what is learnt. With labels, which are optional, it says how well the push
tells positive examples from negative ones, beside random latents.

Push: how fast the loss of an example falls as its residual stream is moved
along the latent's direction: what learning it asks for. Activation: how far the
residual stream of its tokens lies along the direction, from the baseline.

Each example takes a forward and a backward pass. A stopped run goes on.

Example:
  culprit trace my-study --data train.jsonl --sample 2000`;

export function traceCommand(): Command {
  const command = new Command('trace')
    .summary("find the training examples that push a model along a study's latents")
    .description("Find the training examples that push a model along a study's latents.")
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .requiredOption('--data <file>', 'training examples, JSONL, or CSV where the name ends with .csv')
    .option('--prompt-field <name>', 'the field of the prompt, taken as one user message')
    .option('--completion-field <name>', 'the field of what is learnt')
    .option('--label-field <name>', 'the field of labels: positive or negative, true or false, 1 or 0')
    .option('--sample <count>', 'read so many, drawn at random (default: all)', wholeNumber(1))
    .addOption(
      new Option(
        '--under <model>',
        'whose gradients: the subject without its adapter, the reference, or the subject (default: base where the subject has an adapter, else reference, else subject)',
      ).choices(traceModels),
    )
    .addOption(
      new Option('--trace-tokens <set>', 'the tokens that are read')
        .choices(tokenSets)
        .default(traceDefaults.tokens),
    )
    .option(
      '--first <count>',
      'latents by delta where none is confirmed',
      wholeNumber(1),
      traceDefaults.first,
    )
    .option('--random <count>', 'random latents beside them', wholeNumber(0), traceDefaults.random)
    .option(
      '--shown <count>',
      'examples of each latent that are kept token by token',
      wholeNumber(0),
      traceDefaults.shown,
    )
    .option(
      '--seed <number>',
      'seed of the sample, random latents and intervals',
      wholeNumber(0),
      traceDefaults.seed,
    )
    .option('--out <folder>', "where to write (default: the study's folder)")
    .option(...jsonFlag);
  return withMachineOptions(command).addHelpText('after', about).action(run);
}
