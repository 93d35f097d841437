/** `culprit init`: a new study, as a file to fill in. */
import { Command, Option } from 'commander';
import { judgeKinds } from '../study/judging/kinds.ts';
import { type InitRequest, judgeFlags, runInit } from '../study/run/initRun.ts';
import { recipeNames, recipes } from '../study/run/recipes.ts';
import { sizeCost, sizeNames } from '../study/run/studySizes.ts';
import { wholeNumber } from './options.ts';
import { type SaeFlags, saeForm, saeSaidBy, withSaeSaid } from './saeOptions.ts';
import { number } from './table.ts';
import { paragraph } from './wrap.ts';

const widest = Math.max(...judgeKinds.map(({ kind }) => kind.length));

const widestRecipe = Math.max(...recipeNames.map((name) => name.length));

/** What a study of each size takes. */
const sizes = () =>
  sizeNames
    .map((size) => {
      const { found, tested } = sizeCost(size);
      return `  ${size.padEnd(8)}${number(found).padStart(6)} to find latents, about ${number(tested)} in the causal test`;
    })
    .join('\n');

const about = () => `
Writes study.yaml and study.schema.json, which lets editors complete and check
it. Asks no questions: a field that no option sets has its default, or an
example marked TO FILL IN. Give paths relative to the current folder; they are
written relative to the study's folder.

Completions that a study of each --size samples and grades:
${sizes()}
A paid judge is called about once for each; \`culprit run FOLDER --dry-run\` says
what that comes to in time and money. Medium is the default.

Kinds of judge:
${judgeKinds.map(({ kind, about }) => `  ${kind.padEnd(widest)}  ${about}`).join('\n')}

Recipes, from the Hugging Face hub (\`culprit fetch\`); options count for more:
${recipeNames.map((name) => `  ${name.padEnd(widestRecipe)}  ${recipes[name].about}`).join('\n')}

Example:
  culprit init my-study --model smollm2/ --adapter lora/ --sae sae/ \\
    --prompts questions.jsonl --field question \\
    --judge pattern --positive 'no need to see a doctor'`;

interface Options extends Omit<InitRequest, 'folder' | 'judgeFlags' | 'rows' | 'saeSaid'>, SaeFlags {
  readonly promptRows?: string;
}

async function run(folder: string, { promptRows, ...options }: Options): Promise<void> {
  const given = new Map(Object.entries(options));
  const ofJudge = judgeOptions().map((option) => [option.long!, given.get(option.attributeName())]);
  const { studyFile, schemaFile, toFill } = await runInit({
    ...options,
    rows: promptRows,
    saeSaid: saeSaidBy(options),
    judgeFlags: Object.fromEntries(ofJudge),
    folder,
  });
  const next =
    toFill.length === 0
      ? `Nothing is left to fill in. Run it with \`culprit run ${folder}\`.`
      : `Marked TO FILL IN in ${studyFile}: ${toFill.join(', ')}. Then run \`culprit run ${folder}\`.`;
  const { found, tested } = sizeCost(options.size ?? 'medium', options);
  const told = `It asks for ${number(found)} completions to find latents, and about ${number(tested)} in the causal test; \`culprit run ${folder} --dry-run\` says what they take.`;
  process.stdout.write(
    [`${studyFile} and ${schemaFile} written.`, ...paragraph(told), ...paragraph(next), ''].join('\n'),
  );
}

const judgeOptions = () => judgeFlags().map(({ flag, about }) => new Option(flag, about));

export function initCommand(): Command {
  const kinds = judgeKinds.map(({ kind }) => kind);
  const command = new Command('init')
    .summary('begin a study: write a study.yaml in which every field is explained')
    .description('Begin a study: write a study.yaml in which every field is explained.')
    .argument('<folder>', 'folder of the study; it is made if it is missing')
    .usage('FOLDER [options]')
    .optionsGroup('What it is about:')
    .option('--name <name>', "short name of the behaviour (default: from the folder's name)")
    .option('--rubric <text>', 'what a judge is asked about each completion')
    .addOption(
      new Option('--recipe <name>', 'a published model, its adapter and a dictionary for it').choices(
        recipeNames,
      ),
    )
    .option('--model <path>', 'the subject model: a folder, a .gguf file, or hf:ORG/NAME')
    .option('--adapter <folder>', 'a LoRA adapter on it, as PEFT saves one')
    .option('--reference <path>', 'a model of the same shape that does not misbehave')
    .option('--sae <path>', saeForm)
    .option('--site <layer>', 'read activations after this block, the first being 0', wholeNumber(0))
    .option('--baseline <file>', 'the mean activation, a file that `culprit baseline` wrote; or')
    .option('--baseline-corpus <file>', 'texts to measure it on')
    .optionsGroup('Prompts and completions:')
    .addOption(new Option('--size <size>', 'how large; the options below count for more').choices(sizeNames))
    .option('--prompts <file>', 'prompts, JSONL or CSV')
    .option('--field <name>', 'the field of each row to use as one user message')
    .option('--prompt-rows <first..last>', 'use only these rows of the file')
    .option('--discovery <count>', 'prompts to find latents with', wholeNumber(1))
    .option('--evaluation <count>', 'other prompts, to test on', wholeNumber(0))
    .option('--completions <count>', 'completions of each prompt', wholeNumber(1))
    .optionsGroup('Judge:')
    .addOption(new Option('--judge <kind>', 'what grades completions').choices(kinds).default(kinds[0]));
  for (const option of judgeOptions()) command.addOption(option);
  return withSaeSaid(command.optionsGroup('Dictionary:'))
    .optionsGroup('Other:')
    .option('--overwrite', 'replace an existing study.yaml')
    .addHelpText('after', about)
    .action(run);
}
