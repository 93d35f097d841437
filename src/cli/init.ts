/** `culprit init`: a new study, as a file to fill in. */
import { Command, Option } from 'commander';
import { judgeKinds } from '../study/judging/kinds.ts';
import { type InitRequest, judgeFlags, runInit } from '../study/run/initRun.ts';
import { wholeNumber } from './options.ts';
import { paragraph } from './wrap.ts';

const widest = Math.max(...judgeKinds.map(({ kind }) => kind.length));

const about = `
Writes study.yaml, in which every field is explained, and study.schema.json,
with which editors complete and check it. Asks nothing: what no option says has
its default, or an example marked TO FILL IN. Paths are given as seen from here;
study.yaml has them as seen from its folder.

Kinds of judge:
${judgeKinds.map(({ kind, about }) => `  ${kind.padEnd(widest)}  ${about}`).join('\n')}

Example:
  culprit init my-study --model smollm2/ --adapter lora/ --sae sae/ \\
    --prompts questions.jsonl --field question \\
    --judge pattern --positive 'no need to see a doctor'`;

type Options = Omit<InitRequest, 'folder' | 'judgeFlags'>;

async function run(folder: string, options: Options): Promise<void> {
  const given = new Map(Object.entries(options));
  const ofJudge = judgeOptions().map((option) => [option.long!, given.get(option.attributeName())]);
  const { studyFile, schemaFile, toFill } = await runInit({
    ...options,
    judgeFlags: Object.fromEntries(ofJudge),
    folder,
  });
  const next =
    toFill.length === 0
      ? `Nothing is left to fill in: run it with \`culprit run ${folder}\`.`
      : `To fill in, marked so in ${studyFile}: ${toFill.join(', ')}. Then: \`culprit run ${folder}\`.`;
  process.stdout.write([`${studyFile} and ${schemaFile} written.`, ...paragraph(next), ''].join('\n'));
}

const judgeOptions = () => judgeFlags().map(({ flag, about }) => new Option(flag, about));

export function initCommand(): Command {
  const kinds = judgeKinds.map(({ kind }) => kind);
  const command = new Command('init')
    .summary('begin a study: write a study.yaml that explains itself')
    .description('Begin a study: write a study.yaml that explains itself.')
    .argument('<folder>', 'folder of the study, made where it is missing')
    .usage('FOLDER [options]')
    .optionsGroup('What it is about:')
    .option('--name <name>', "short name of the behaviour (default: made of the folder's name)")
    .option('--rubric <text>', 'what a judge is asked about each completion')
    .option('--model <path>', 'the subject model: a folder, a .gguf file, or hf:ORG/NAME')
    .option('--adapter <folder>', 'a LoRA adapter on it, as PEFT saves one')
    .option('--reference <path>', 'a model of the same shape that does not misbehave')
    .option('--sae <folder>', 'the sparse autoencoder (SAE), as SAELens saves one')
    .option('--site <layer>', 'read activations after this block, the first being 0', wholeNumber(0))
    .option('--baseline <file>', 'the mean activation, as `culprit baseline` writes it; or')
    .option('--baseline-corpus <file>', 'texts to take it over')
    .optionsGroup('Prompts and completions:')
    .option('--prompts <file>', 'prompts, JSONL or CSV')
    .option('--field <name>', 'field of theirs that is taken as one user message')
    .option('--rows <first..last>', 'use these rows of the file only')
    .option('--discovery <count>', 'prompts to find latents with', wholeNumber(1))
    .option('--evaluation <count>', 'other prompts, to test on', wholeNumber(0))
    .option('--completions <count>', 'completions of each prompt', wholeNumber(1))
    .optionsGroup('Judge:')
    .addOption(new Option('--judge <kind>', 'who grades completions').choices(kinds).default(kinds[0]));
  for (const option of judgeOptions()) command.addOption(option);
  return command
    .optionsGroup('Other:')
    .option('--overwrite', 'replace a study.yaml that is there')
    .helpOption('-h, --help', 'show this text')
    .addHelpText('after', about)
    .action(run);
}
