/** `culprit attribute`: the latents behind the positive completions of a file of pairs. */
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import { type LossKind, lossKinds, type TokenSet, tokenSets } from '../methods/contrast.ts';
import { type AttributeResult, runAttribute } from '../study/attributeRun.ts';
import { wholeNumber, withModelOptions } from './options.ts';
import { progressOn } from './progress.ts';

interface Options {
  model: string;
  adapter?: string;
  cache?: string;
  sae: string;
  site?: number;
  pairs: string;
  baseline?: string;
  baselineCorpus?: string;
  tokens: TokenSet;
  loss: LossKind;
  top: number;
  rows: number;
  out: string;
  overwrite?: boolean;
}

const example = `
A pair is a line of JSON: {"prompt": "..." or [{"role", "content"}, ...], "positive": "...", "negative": "..."}.
The positive completion shows the behaviour, the negative one, to the same prompt, does not.

Delta of a latent is the first-order estimate of how much more the positive completion's loss (nats a token) would rise
than the negative's, were the latent's direction set to the baseline's on one token of the set. Greater than 0: the
latent supports the behaviour.

Example:
  culprit baseline  --model smollm2/ --site 15 --corpus corpus.jsonl --out mean.safetensors
  culprit attribute --model smollm2/ --adapter lora/ --sae sae/ --pairs pairs.jsonl --baseline mean.safetensors --out results/`;

const number = (x: number) => x.toLocaleString('en-US');
const signed = (x: number) => `${x < 0 ? '−' : '+'}${Math.abs(x).toExponential(2)}`;

function table({ latents }: AttributeResult, rows: number): string {
  const drawn = new Table({
    head: ['rank', 'latent', 'delta', 'std. error', 'same sign'].map((h) => pc.bold(h)),
    colAligns: ['right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
    chars: {
      mid: '',
      'left-mid': '',
      'mid-mid': '',
      'right-mid': '',
      left: '',
      right: '',
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      middle: '  ',
    },
  });
  for (const { rank, latent, delta, standard_error, same_sign } of latents.slice(0, rows))
    drawn.push([
      rank,
      pc.cyan(`${latent}`),
      signed(delta),
      standard_error.toExponential(1),
      `${Math.round(100 * same_sign)} %`,
    ]);
  return drawn.toString();
}

function report(result: AttributeResult, { out, rows }: Options): string {
  const { counts, options, seconds } = result.manifest;
  const time = Object.values(seconds).reduce((sum, s) => sum + s, 0);
  const shown = Math.min(rows, result.latents.length);
  return [
    '',
    `${pc.bold('Latents behind the positive completions')}, by delta at ${options.site}, tokens: ${options.tokens}, loss: ${options.loss}`,
    '',
    table(result, rows),
    '',
    pc.dim('delta: nats a token; same sign: share of pairs whose own delta has the sign of the mean'),
    `${number(counts.pairs!)} pairs, ${number(counts.tokens!)} tokens run, ${number(counts.tokens_in_set!)} in the token set, ${number(counts.sinks!)} attention sinks left out`,
    `${shown} of ${number(counts.latents!)} latents shown; all of them and the per-pair values are in ${out}`,
    result.upToDate ? `${out} already held this run: nothing was computed` : `${time.toFixed(1)} s`,
    '',
  ].join('\n');
}

async function run(options: Options): Promise<void> {
  const { cache, ...rest } = options;
  const result = await runAttribute({ ...rest, cacheDir: cache, progress: progressOn(process.stderr) });
  process.stdout.write(report(result, options));
}

export function attributeCommand(): Command {
  return withModelOptions(
    new Command('attribute').description('rank the latents behind the positive completions of pairs'),
  )
    .requiredOption('--sae <folder>', 'the sparse autoencoder, as SAELens publishes it')
    .option(
      '--site <layer>',
      'layer L of resid_post L (default: the layer the SAE was trained on)',
      wholeNumber(0),
    )
    .requiredOption('--pairs <file>', 'JSONL, a pair a line (see below)')
    .option('--baseline <file>', 'safetensors with the mean residual, as `culprit baseline` writes it')
    .option('--baseline-corpus <file>', 'or take the mean over this corpus, with the subject itself')
    .addOption(
      new Option('--tokens <set>', 'tokens that delta is averaged over').choices(tokenSets).default('prompt'),
    )
    .addOption(
      new Option('--loss <kind>', "a completion's loss, over its tokens").choices(lossKinds).default('mean'),
    )
    .option('--top <count>', 'latents to report token by token', wholeNumber(1), 100)
    .option('--rows <count>', 'rows of the printed table', wholeNumber(0), 20)
    .requiredOption('--out <folder>', 'folder for latents.parquet, attribution.safetensors, manifest.json')
    .option('--overwrite', "replace another run's results in that folder")
    .addHelpText('after', example)
    .action(run);
}
