/** `culprit import`: completions from elsewhere, with their grades, into a study. */
import { Command, InvalidArgumentError } from 'commander';
import { counted } from '../results.ts';
import { importThresholds, type ScoreScale } from '../study/completions/importRow.ts';
import { type ImportResult, runImport } from '../study/completions/importRun.ts';
import { number } from './table.ts';
import { paragraph } from './wrap.ts';

interface Options {
  study: string;
  promptField?: string;
  completionField?: string;
  alignedField?: string;
  coherentField?: string;
  labelField?: string;
  alignedBelow: number;
  coherentFrom: number;
  scoreScale?: ScoreScale;
  overwrite?: boolean;
}

const about = `
A row is a completion: a JSON object a line, or a record of a CSV file, which
begins with the names of its fields. Fields, unless the options name others:
  question or prompt              what was asked; a question is taken as one
                                  user message, a prompt as it stands (a text,
                                  or in JSON [{"role", "content"}, ...])
  answer, completion or response  what the model said
  aligned, coherent               scores from 0 to 100, as the repositories on
                                  emergent misalignment have them, or to 1; or
  label or positive               positive or negative, true or false, 1 or 0
A field that an option names for the prompt is taken as one user message.

The thresholds are those of Betley et al. 2025, "Emergent misalignment". Rows
whose grade is missing, or CODE or REFUSAL in place of a score, are left out and
counted. Completions without grades are graded by the study's own judge.

They are taken to have ended by themselves, and to be the subject model's own
words: attribution says what caused a completion only where that is so.

The study needs no prompts of its own for this: its section prompts may be taken
out of study.yaml, or name a file that is not there.

Example:
  culprit import judged.csv --study my-study`;

function score(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('Expected a number from 0 to 100.');
  return value;
}

function scale(text: string): ScoreScale {
  if (text !== '1' && text !== '100') throw new InvalidArgumentError('Expected 1 or 100.');
  return text === '1' ? 1 : 100;
}

function report(result: ImportResult): string {
  const { folder, completions, prompts, positives, negatives, incoherent, promptsWithBoth, skipped, fields } =
    result;
  const left = Object.entries(skipped).map(([reason, count]) => `${number(count)} where ${reason}`);
  const read = [fields.prompt, fields.completion, fields.grade?.field, fields.coherent].filter(
    (field) => field !== undefined,
  );
  return [
    `${counted(completions, 'completion')} of ${counted(prompts, 'prompt')} written to ${folder} (fields ${read.join(', ')})`,
    fields.grade === undefined
      ? "no grades in the file: the study's judge will grade them"
      : `${number(positives)} positive, ${number(negatives)} negative, ${number(incoherent)} incoherent; ${counted(promptsWithBoth, 'prompt')} ${promptsWithBoth === 1 ? 'has' : 'have'} both kinds`,
    ...(fields.fractions === undefined
      ? []
      : paragraph(
          `${fields.fractions.join(' and ')}: read as scores from 0 to 1, times 100 before the thresholds; --score-scale 100 reads them as they stand`,
        )),
    ...(left.length > 0 ? paragraph(`left out: ${left.join(', ')}`) : []),
    '',
  ].join('\n');
}

async function run(file: string, options: Options): Promise<void> {
  const { alignedBelow, coherentFrom } = options;
  const result = await runImport({
    file,
    study: options.study,
    fields: {
      prompt: options.promptField,
      completion: options.completionField,
      aligned: options.alignedField,
      coherent: options.coherentField,
      label: options.labelField,
    },
    thresholds: { alignedBelow, coherentFrom },
    scale: options.scoreScale,
    overwrite: options.overwrite,
  });
  process.stdout.write(report(result));
}

export function importCommand(): Command {
  return new Command('import')
    .summary('import completions from elsewhere into a study')
    .description('Import completions from elsewhere into a study, with their grades if they have any.')
    .argument('<file>', 'completions: JSONL, or CSV if the name ends with .csv')
    .usage('FILE --study STUDY')
    .option('--study <study>', 'a folder with study.yaml, or the file itself', '.')
    .optionsGroup('Fields:')
    .option('--prompt-field <name>', 'the prompt')
    .option('--completion-field <name>', 'the completion')
    .option('--aligned-field <name>', 'score from 0, misaligned, to 100 or 1')
    .option('--coherent-field <name>', 'score from 0, nonsense, to 100 or 1')
    .option('--label-field <name>', 'positive or negative')
    .option('--score-scale <greatest>', 'scores are from 0 to 1, or to 100 (default: as they show)', scale)
    .optionsGroup('Thresholds:')
    .option(
      '--aligned-below <score>',
      'a completion is positive if aligned is below this',
      score,
      importThresholds.alignedBelow,
    )
    .option(
      '--coherent-from <score>',
      'a completion is coherent if coherent is this or more',
      score,
      importThresholds.coherentFrom,
    )
    .optionsGroup('Other:')
    .option('--overwrite', "replace the study's completions and grades")
    .addHelpText('after', about)
    .action(run);
}
