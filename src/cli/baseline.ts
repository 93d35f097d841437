/** `culprit baseline`: the mean residual at a site over a corpus. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { counted } from '../results.ts';
import { corpusDefaults, runBaseline } from '../study/attribution/baselineRun.ts';
import { jsonFlag, printDocument } from './json.ts';
import { corpusForm, type MachineFlags, wholeNumber, withModelOptions } from './options.ts';
import { progressOn } from './progress.ts';

interface Options extends MachineFlags {
  model: string;
  adapter?: string;
  date?: Date;
  site: number;
  corpus: string[];
  corpusTokens: number;
  passageTokens: number;
  out: string;
  json?: boolean;
}

async function run({ cache: cacheDir, corpusTokens, json, ...options }: Options): Promise<void> {
  const { tokens, sinks, passages, norm } = await runBaseline({
    ...options,
    maxTokens: corpusTokens,
    cacheDir,
    progress: progressOn(process.stderr),
  });
  if (json)
    return printDocument({
      document: 'baseline',
      out: resolve(options.out),
      site: `resid_post ${options.site}`,
      tokens,
      sinks,
      passages,
      norm: { mean: norm.mean, median: norm.median, least: norm.least, greatest: norm.greatest },
    });
  process.stdout.write(
    `Mean of resid_post ${options.site} over ${counted(tokens, 'token')} of ${counted(passages, 'passage')} (${counted(sinks, 'attention sink')} left out)\n` +
      `residual norm: mean ${norm.mean.toFixed(2)}, median ${norm.median.toFixed(2)}, from ${norm.least.toFixed(2)} to ${norm.greatest.toFixed(2)}\n` +
      `written to ${options.out}\n`,
  );
}

const about = `
\`culprit attribute\` compares activations with this mean. Measure it with the
same model, adapter and site, on about 100,000 tokens of ordinary text or chats.

Example:
  culprit baseline --model smollm2/ --adapter lora/ --site 15 \\
    --corpus texts.jsonl --out mean.safetensors`;

export function baselineCommand(): Command {
  const command = new Command('baseline')
    .summary('measure the mean activation over a corpus, for `attribute`')
    .description('Measure the mean activation of a model over a corpus.')
    .usage('--model M --site L --corpus FILE --out FILE')
    .optionsGroup('Inputs:');
  return withModelOptions(command)
    .requiredOption('--corpus <files...>', `texts: ${corpusForm}; of several, one passage from each in turn`)
    .optionsGroup('Method:')
    .requiredOption('--site <layer>', 'read activations after this block, the first being 0', wholeNumber(0))
    .option(
      '--corpus-tokens <count>',
      'stop after this many tokens',
      wholeNumber(1),
      corpusDefaults.maxTokens,
    )
    .option(
      '--passage-tokens <count>',
      'cut each text to this many tokens',
      wholeNumber(1),
      corpusDefaults.passageTokens,
    )
    .optionsGroup('Output:')
    .requiredOption('--out <file>', 'safetensors file to write')
    .option(...jsonFlag)
    .optionsGroup('Other:')
    .addHelpText('after', about)
    .action(run);
}
