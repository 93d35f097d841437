/** `culprit baseline`: the mean residual at a site over a corpus. */
import { Command } from 'commander';
import { corpusDefaults, runBaseline } from '../study/baselineRun.ts';
import { wholeNumber, withModelOptions } from './options.ts';
import { progressOn } from './progress.ts';

interface Options {
  model: string;
  adapter?: string;
  cache?: string;
  site: number;
  corpus: string;
  maxTokens: number;
  passageTokens: number;
  out: string;
}

async function run({ cache, ...options }: Options): Promise<void> {
  const { tokens, sinks, passages, norm } = await runBaseline({
    ...options,
    cacheDir: cache,
    progress: progressOn(process.stderr),
  });
  const n = (x: number) => x.toLocaleString('en-US');
  process.stdout.write(
    `Mean of resid_post ${options.site} over ${n(tokens)} tokens of ${n(passages)} passages (${n(sinks)} attention sinks left out)\n` +
      `residual norm: mean ${norm.mean.toFixed(2)}, median ${norm.median.toFixed(2)}, from ${norm.least.toFixed(2)} to ${norm.greatest.toFixed(2)}\n` +
      `written to ${options.out}\n`,
  );
}

export function baselineCommand(): Command {
  return withModelOptions(
    new Command('baseline').description('the mean residual at a site over a corpus, for `attribute`'),
  )
    .requiredOption('--site <layer>', 'layer L of resid_post L', wholeNumber(0))
    .requiredOption(
      '--corpus <file>',
      'JSONL of {"text"} or {"messages"} lines, or a .txt file of paragraphs',
    )
    .option('--max-tokens <count>', 'stop after this many tokens', wholeNumber(1), corpusDefaults.maxTokens)
    .option(
      '--passage-tokens <count>',
      'cut each passage to this many tokens',
      wholeNumber(1),
      corpusDefaults.passageTokens,
    )
    .requiredOption('--out <file>', 'safetensors file to write')
    .action(run);
}
