/** `culprit sae train` and `culprit sae eval`: make a sparse autoencoder of one's own, and measure one. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../errors.ts';
import { replaceFile } from '../files/atomic.ts';
import { type TrainedKind, trainedKinds } from '../methods/sae/saeGraph.ts';
import type { SaeTrainStep } from '../methods/sae/saeTraining.ts';
import { inDecimals } from '../results.ts';
import { runSaeEval, type SaeEvalResult, saeEvalDefaults } from '../study/sae/saeEvalRun.ts';
import { runSaeTrain, saeTrainDefaults } from '../study/sae/saeTrainRun.ts';
import { outFile } from '../study/store/outFolder.ts';
import { type DocumentOf, documentText, finite, jsonFlag, printDocument } from './json.ts';
import { type MachineFlags, wholeNumber, withModelOptions } from './options.ts';
import { isQuiet, progressOn } from './progress.ts';
import { type SaeFlags, saeForm, saeSaidBy, withSaeSaid } from './saeOptions.ts';
import { pc } from './table.ts';

interface TrainOptions extends MachineFlags {
  model: string;
  adapter?: string;
  date?: Date;
  site: number;
  corpus: string[];
  latents: number;
  kind: TrainedKind;
  k: number;
  l0?: number;
  tokens: number;
  epochs: number;
  batchTokens: number;
  rate: number;
  seed: number;
  passageTokens: number;
  harvest?: string;
  checkpointSeconds: number;
  out: string;
  overwrite?: boolean;
  json?: boolean;
}

/** A whole number that may be written as 1e6. */
function count(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?(e\d+)?$/i.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number of at least 1, such as 1e6.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

const linesEvery = 5_000;

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** One line that renews itself on a terminal; elsewhere a line every few seconds. */
export function liveSteps(stream: NodeJS.WriteStream, batch: number): (step: SaeTrainStep) => void {
  const start = Date.now();
  let first: number | undefined;
  let told = start;
  return ({ step, steps, loss, explained, l0, dead }) => {
    if (isQuiet()) return;
    first ??= step - 1;
    const now = Date.now();
    const last = step === steps;
    if (!last && now - told < (stream.isTTY ? 100 : linesEvery)) return;
    told = now;
    const each = (now - start) / (step - first) / 1000;
    const line = [
      `step ${step}/${steps}`,
      `loss ${loss.toFixed(4)}`,
      `explained ${inDecimals(100 * explained, 1)} %`,
      `L0 ${l0.toFixed(1)}`,
      `dead ${(100 * dead).toFixed(1)} %`,
      `${Math.round(batch / each).toLocaleString('en-US')} tok/s`,
      last ? 'done' : `${duration((steps - step) * each)} left`,
    ].join('  ');
    stream.write(stream.isTTY ? `\r\x1b[2K${line}${last ? '\n' : ''}` : `${line}\n`);
  };
}

/** Active latents a token: --k for topk, --l0 for jumprelu. */
function sparsity({ kind, k, l0 }: TrainOptions): number {
  if (kind === 'topk' && l0 !== undefined)
    throw new InputError('--l0 is for --kind jumprelu; use --k for topk');
  return kind === 'jumprelu' ? (l0 ?? k) : k;
}

async function train(options: TrainOptions): Promise<void> {
  const { cache: cacheDir, corpus, harvest, batchTokens: batch, l0: _, json, ...rest } = options;
  const result = await runSaeTrain({
    ...rest,
    batch,
    k: sparsity(options),
    corpora: corpus,
    harvestDir: harvest,
    cacheDir,
    progress: progressOn(process.stderr),
    onStep: liveSteps(process.stderr, batch),
  });
  if (json)
    return printDocument({
      document: 'sae-train',
      out: resolve(options.out),
      site: `resid_post ${options.site}`,
      kind: options.kind,
      latents: options.latents,
      tokens: result.tokens,
      harvested: result.upToDate ? null : result.harvested,
      up_to_date: result.upToDate,
    });
  const n = (x: number) => x.toLocaleString('en-US');
  process.stdout.write(
    result.upToDate
      ? `${options.out} already holds this SAE: nothing was computed\n`
      : `${n(options.latents)} latents of resid_post ${options.site}, trained on ${n(result.tokens)} tokens (${n(result.harvested)} harvested), written to ${options.out}\n`,
  );
}

const trainExample = `
Example:
  culprit sae train --model smollm2/ --site 15 --corpus chat.jsonl prose.jsonl \\
    --latents 4096 --k 32 --tokens 1e6 --out sae/

If it is stopped at any time, the same command continues where it stopped and
ends with the same SAE.`;

function trainCommand(): Command {
  return withModelOptions(
    new Command('train')
      .summary('train a sparse autoencoder on a residual stream')
      .description('Train a sparse autoencoder on a residual stream.'),
  )
    .requiredOption(
      '--site <layer>',
      'train on the residual stream after this block, the first being 0',
      wholeNumber(0),
    )
    .requiredOption(
      '--corpus <files...>',
      'JSONL of {"text"} or {"messages"} lines, or .txt files of paragraphs; one passage from each in turn',
    )
    .requiredOption('--latents <count>', 'number of latents', count)
    .addOption(new Option('--kind <kind>', 'activation').choices(trainedKinds).default('topk'))
    .option('--k <count>', 'active latents per token', count, 32)
    .option(
      '--l0 <count>',
      'jumprelu: target for the mean number of active latents per token (default: --k)',
      count,
    )
    .requiredOption('--tokens <count>', 'tokens to train on, counting every epoch', count)
    .option(
      '--epochs <count>',
      'least number of passes over the harvested tokens',
      count,
      saeTrainDefaults.epochs,
    )
    .option('--batch-tokens <tokens>', 'tokens per step', count, 2048)
    .option('--rate <rate>', 'greatest learning rate', positive, 3e-3)
    .option('--seed <number>', 'seed of the initial weights and the order', wholeNumber(0), 1)
    .option(
      '--passage-tokens <count>',
      'cut each passage to this many tokens',
      wholeNumber(1),
      saeTrainDefaults.passageTokens,
    )
    .option('--harvest <folder>', 'keep the harvested activations here, for further runs')
    .option(
      '--checkpoint-seconds <seconds>',
      'time between checkpoints',
      wholeNumber(0),
      saeTrainDefaults.checkpointSeconds,
    )
    .requiredOption(
      '--out <folder>',
      'folder for cfg.json and sae_weights.safetensors, as SAELens saves them',
    )
    .option('--overwrite', 'replace another SAE in that folder')
    .option(...jsonFlag)
    .addHelpText('after', trainExample)
    .action(train);
}

interface EvalOptions extends SaeFlags, MachineFlags {
  model: string;
  adapter?: string;
  date?: Date;
  sae: string;
  site?: number;
  corpus: string[];
  passages?: number;
  passageTokens: number;
  lossTokens: number;
  json?: boolean;
  out?: string;
}

const percent = (x: number) => `${inDecimals(100 * x, 2)} %`;
const barWidth = 40;

function histogram({ histogram: bins, neverActive }: SaeEvalResult): string[] {
  const most = Math.max(1, neverActive, ...bins.map(({ latents }) => latents));
  const line = (label: string, latents: number) =>
    `  ${label.padStart(19)}  ${`${latents}`.padStart(7)}  ${'█'.repeat(Math.round((barWidth * latents) / most))}`;
  const share = (x: number) => x.toExponential(1);
  return [
    line('never', neverActive),
    ...bins.map(({ from, to, latents }) => line(`${share(from)} to ${share(to)}`, latents)),
  ];
}

function evaluationReport(result: SaeEvalResult, { sae }: EvalOptions): string {
  const { crossEntropy: ce, recovered, density, tokens, sinks } = result;
  const n = (x: number) => x.toLocaleString('en-US');
  const row = (label: string, value: string, more = '') =>
    `  ${label.padEnd(26)}${value.padStart(12)}${more && `   ${more}`}`;
  return [
    '',
    `${pc.bold(sae)} at resid_post ${result.site}, ${n(tokens)} tokens (${n(sinks)} attention sinks left out)`,
    '',
    row('explained variance', percent(result.explained)),
    row('active latents per token', result.l0.toFixed(2), `of ${n(density.length)}`),
    row('latents never active', n(result.neverActive), percent(result.neverActive / density.length)),
    '',
    `${pc.bold('Cross-entropy')}, nats per token, on ${n(ce.tokens)} tokens, with the residual stream`,
    row('as it is', ce.original.toFixed(4)),
    row('reconstructed', ce.reconstructed.toFixed(4)),
    row('set to zero', ce.zero.toFixed(4), `loss recovered, relative to this: ${percent(recovered.zero)}`),
    row(
      'set to its mean',
      ce.mean.toFixed(4),
      `loss recovered, relative to this: ${percent(recovered.mean)}`,
    ),
    '',
    `${pc.bold('Latents by the share of tokens')} at which they are active`,
    ...histogram(result),
    '',
  ].join('\n');
}

function evalDocument(result: SaeEvalResult, { sae }: EvalOptions): DocumentOf<'sae-eval'> {
  const { crossEntropy: ce, recovered } = result;
  return {
    document: 'sae-eval',
    sae,
    site: `resid_post ${result.site}`,
    tokens: result.tokens,
    sinks: result.sinks,
    explained: finite(result.explained),
    l0: finite(result.l0),
    never_active: result.neverActive,
    cross_entropy: {
      original: finite(ce.original),
      reconstructed: finite(ce.reconstructed),
      zero: finite(ce.zero),
      mean: finite(ce.mean),
      tokens: ce.tokens,
    },
    recovered: { zero: finite(recovered.zero), mean: finite(recovered.mean) },
    histogram: result.histogram.map((bin) => ({ ...bin })),
    density: Array.from(result.density),
  };
}

async function evaluate(options: EvalOptions): Promise<void> {
  const { cache: cacheDir, corpus, json, out, ...rest } = options;
  if (out !== undefined) await outFile(out);
  const result = await runSaeEval({
    ...rest,
    saeSaid: saeSaidBy(options),
    corpora: corpus,
    cacheDir,
    progress: progressOn(process.stderr),
  });
  const document = evalDocument(result, options);
  if (out !== undefined)
    await replaceFile(out, async (file) => void (await file.writeFile(documentText(document))));
  if (json) return printDocument(document);
  process.stdout.write(evaluationReport(result, options));
  if (out !== undefined) process.stdout.write(`All numbers are in ${out}\n`);
}

function evalCommand(): Command {
  const command = withModelOptions(
    new Command('eval')
      .summary('measure a sparse autoencoder on text')
      .description('Measure a sparse autoencoder on text.'),
  );
  return withSaeSaid(command.requiredOption('--sae <path>', saeForm))
    .option(
      '--site <layer>',
      'measure after this block, the first being 0 (default: where the SAE was trained)',
      wholeNumber(0),
    )
    .requiredOption(
      '--corpus <files...>',
      'JSONL of {"text"} or {"messages"} lines, or .txt files of paragraphs',
    )
    .option('--passages <count>', 'use this many passages of each corpus (default: all)', count)
    .option(
      '--passage-tokens <count>',
      'cut each passage to this many tokens',
      wholeNumber(1),
      saeEvalDefaults.passageTokens,
    )
    .option(
      '--loss-tokens <count>',
      'measure the cross-entropy on this many tokens',
      count,
      saeEvalDefaults.lossTokens,
    )
    .option(...jsonFlag)
    .option('--out <file>', 'also write that document, with the density of each latent, to this file')
    .action(evaluate);
}

export function saeCommand(): Command {
  return new Command('sae')
    .summary('train and measure sparse autoencoders')
    .description('Train and measure sparse autoencoders.')
    .helpCommand('help [command]', 'show the help of a command')
    .addCommand(trainCommand())
    .addCommand(evalCommand());
}
