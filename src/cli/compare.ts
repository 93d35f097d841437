/** `culprit compare`: what a study's latents do in several subjects, such as the checkpoints of a fine-tune. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { compareSubjects, type SubjectsRequest, subjectsDefaults } from '../study/checkpoints/subjectsRun.ts';
import { compareReport } from './compareReport.ts';
import { jsonFlag, printDocument } from './json.ts';
import { exitCodes, type MachineFlags, machineOf, wholeNumber, withMachineOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { staleLines } from './staleLines.ts';
import { paragraph } from './wrap.ts';

interface Options
  extends MachineFlags,
    Pick<SubjectsRequest, 'first' | 'randomRemoved' | 'completions' | 'seed' | 'out'> {
  json?: boolean;
}

async function run(
  study: string,
  subjects: readonly string[],
  { json, cache, memory, ...options }: Options,
): Promise<void> {
  const { record, files, stopped } = await compareSubjects({
    ...options,
    ...machineOf({ cache, memory }),
    study,
    subjects,
    progress: progressOn(process.stderr),
  });
  if (stopped !== undefined) process.exitCode = exitCodes.budget;
  if (json)
    return printDocument({
      document: 'compare',
      study: resolve(study),
      files: files.map((file) => resolve(file)),
      compare: record ?? null,
      stopped: stopped ?? null,
    });
  if (record === undefined) {
    process.stderr.write(
      `culprit: stopped: ${stopped}; what is graded is kept, and the same command goes on\n`,
    );
    return;
  }
  process.stdout.write(
    [
      ...compareReport(record, files),
      ...staleLines({ stale: record.stale }).flatMap((line) => paragraph(line)),
      '',
    ].join('\n'),
  );
}

const about = `
Subjects are named in their order: folders with a LoRA adapter on the subject's
model, or models. The study's reference comes first and its own subject last,
where they are not named. Each answers the prompts of the causal test unsteered,
with each latent removed, steered away and toward, and with random latents
removed; the study's judge grades the answers. A dose adds as much in all of
them as in the study's subject.

The latents are those that the causal test confirmed, or the first by delta
where it confirmed none. A stopped run goes on, and a subject that is added
later leaves the others as they are.

Example:
  culprit compare my-study checkpoints/step-100 checkpoints/step-200`;

export function compareCommand(): Command {
  const command = new Command('compare')
    .summary("measure a study's latents in several subjects, such as a fine-tune's checkpoints")
    .description("Measure a study's latents in several subjects, such as the checkpoints of a fine-tune.")
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .argument('<subjects...>', "adapters on the subject's model, or models, in order")
    .option(
      '--first <count>',
      'latents by delta where none is confirmed',
      wholeNumber(1),
      subjectsDefaults.first,
    )
    .option(
      '--random-removed <count>',
      'random latents of the causal test that are removed beside them',
      wholeNumber(0),
      subjectsDefaults.randomRemoved,
    )
    .option(
      '--completions <count>',
      'completions of each prompt (default: as the causal test)',
      wholeNumber(1),
    )
    .option('--seed <number>', 'seed of sampling and intervals', wholeNumber(0), subjectsDefaults.seed)
    .option('--out <folder>', "where to write (default: the study's folder)")
    .option(...jsonFlag);
  return withMachineOptions(command).addHelpText('after', about).action(run);
}
