/** `culprit attribute`: the latents behind the positive completions of a file of pairs. */
import { Command, Option } from 'commander';
import { InputError } from '../errors.ts';
import { type Ranking, rankings } from '../methods/attribution/reranking.ts';
import { type LossKind, lossKinds, type TokenSet, tokenSets } from '../methods/site/contrast.ts';
import { counted } from '../results.ts';
import { type AttributeResult, runAttribute } from '../study/attribution/attributeRun.ts';
import { type DocumentOf, jsonFlag, printDocument } from './json.ts';
import { latentPart } from './jsonParts.ts';
import { corpusForm, screenRows, wholeNumber, withModelOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { type SaeFlags, saeForm, saeSaidBy, withSaeSaid } from './saeOptions.ts';
import { attributeStudy, type RunOptions, withStageOptions } from './study.ts';
import { certaintyText, latentTable, latentTableLegend, number, pc, rankedBy } from './table.ts';

interface Options extends RunOptions, SaeFlags {
  model: string;
  adapter?: string;
  sae: string;
  site?: number;
  pairs: string;
  baseline?: string;
  baselineCorpus?: string;
  tokenSet: TokenSet;
  loss: LossKind;
  top: number;
  rank: Ranking;
  rankPairs: number;
  out: string;
  overwrite?: boolean;
  date?: Date;
}

const about = `
Pairs, one JSON object per line: two completions of the same prompt.
  {"prompt": "...", "positive": "...", "negative": "..."}
The positive completion shows the behaviour in question, the negative does not.
A chat is a prompt too: "prompt": [{"role": "user", "content": "..."}, ...].

The baseline is the model's mean activation over ordinary text. To remove a
latent is to set an activation's component along its direction to the
baseline's. \`culprit baseline\` writes the baseline to a file.

Delta, in nats per token, is an estimate to first order: if the latent were
removed at one token, how much more would the loss of the positive rise than
that of the negative? Above 0, the latent supports the behaviour.

Pairs with the same prompt_id, or without one with the same prompt, are not
independent: errors, p and q count prompts. Pairs of one "contrast" are one
unit, as a study's pairs.jsonl has them, so that its deltas are the study's own.

Results in --out: latents.parquet (every latent: delta, rank, standard error,
p, q, sign and more), attribution.safetensors (deltas per pair and per token)
and manifest.json (inputs, options, counts, timings). A run that was stopped
continues when you give the same command again.

Example:
  culprit baseline --model smollm2/ --site 15 --corpus texts.jsonl \\
    --out mean.safetensors
  culprit attribute --model smollm2/ --adapter lora/ --sae sae/ \\
    --pairs pairs.jsonl --baseline mean.safetensors --out results/`;

function report(result: AttributeResult, { out, rows }: Options): string {
  const { counts, options, seconds } = result.manifest;
  const time = Object.values(seconds).reduce((sum, s) => sum + s, 0);
  const shown = Math.min(rows, result.latents.length);
  return [
    '',
    `${pc.bold('Latents behind the positive completions')}, ${rankedBy(result.latents)}, at ${options.site}, tokens: ${options.tokens}, loss: ${options.loss}`,
    '',
    latentTable(result.latents, rows),
    '',
    pc.dim(latentTableLegend),
    certaintyText(counts),
    `${counted(counts.pairs!, 'pair')}, ${counted(counts.tokens!, 'token')} run, ${number(counts.tokens_in_set!)} in the token set, ${counted(counts.sinks!, 'attention sink')} left out`,
    `${shown} of ${counted(counts.latents!, 'latent')} shown; all latents and the per-pair values are in ${out}`,
    result.upToDate ? `${out} already held this run: nothing was computed` : `took ${time.toFixed(1)} s`,
    '',
  ].join('\n');
}

function documentOf(
  { manifest, latents, upToDate }: AttributeResult,
  { out, rows }: Options,
): DocumentOf<'attribute'> {
  const { site, tokens, loss } = manifest.options;
  return {
    document: 'attribute',
    out,
    site: String(site),
    tokens: String(tokens),
    loss: String(loss),
    up_to_date: upToDate,
    seconds: Object.values(manifest.seconds).reduce((sum, s) => sum + s, 0),
    counts: manifest.counts,
    latents: latents.slice(0, rows).map(latentPart),
  };
}

/** Options that a run without a study needs. */
const needed = { model: '--model', sae: '--sae', pairs: '--pairs', out: '--out' } as const;

const stageFlags: readonly string[] = ['redo', 'accept'];
const studyFlags: readonly string[] = ['rows', 'cache', 'memory', 'date', 'json', ...stageFlags];
const folderFlags: readonly string[] = ['out', 'overwrite'];

/** Flags that were given of those that `which` holds for. */
const flagsGiven = (command: Command, which: (name: string) => boolean): string[] =>
  command.options
    .filter((option) => which(option.attributeName()))
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map(({ long }) => long!);

/** Throws InputError where flags are given that a study leaves no choice of. */
function checkStudyFlags(command: Command): void {
  const folder = flagsGiven(command, (name) => folderFlags.includes(name));
  if (folder.length > 0)
    throw new InputError(
      `attribute STUDY: takes no ${folder.join(', ')}: results go to the study's folder; --redo attribute runs it again`,
    );
  const decided = flagsGiven(command, (name) => !studyFlags.includes(name));
  if (decided.length > 0)
    throw new InputError(`attribute STUDY: takes no ${decided.join(', ')}: study.yaml sets that`);
}

async function run(study: string | undefined, options: Options, command: Command): Promise<void> {
  if (study !== undefined) {
    checkStudyFlags(command);
    return attributeStudy(study, options);
  }
  const [stageFlag] = flagsGiven(command, (name) => stageFlags.includes(name));
  if (stageFlag !== undefined) throw new InputError(`attribute: ${stageFlag} is for a study only`);
  const missing = Object.entries(needed).filter(
    ([name]) => options[name as keyof typeof needed] === undefined,
  );
  if (missing.length > 0)
    throw new InputError(
      `attribute: expected a study, or ${missing.map(([, flag]) => flag).join(', ')}; see \`culprit attribute --help\``,
    );
  const { cache: cacheDir, tokenSet, ...rest } = options;
  const result = await runAttribute({
    ...rest,
    saeSaid: saeSaidBy(options),
    tokens: tokenSet,
    cacheDir,
    progress: progressOn(process.stderr),
  });
  if (options.json) printDocument(documentOf(result, options));
  else process.stdout.write(report(result, options));
}

export function attributeCommand(): Command {
  const command = new Command('attribute')
    .summary('rank the latents behind one kind of completion')
    .description(
      'Rank the latents of a dictionary by how much they support the positive completions of pairs.',
    )
    .argument('[study]', 'a study; its study.yaml has everything else')
    .usage('STUDY | --model M --sae S --pairs P --out DIR')
    .optionsGroup('Inputs:');
  withSaeSaid(withModelOptions(command, { required: false }).option('--sae <path>', saeForm))
    .option('--pairs <file>', 'pairs of completions, JSONL (see below)')
    .option('--baseline <file>', 'the baseline, a file that `culprit baseline` wrote; or')
    .option('--baseline-corpus <file>', `texts to measure the baseline on now: ${corpusForm}`)
    .optionsGroup('Method:')
    .option(
      '--site <layer>',
      'read activations after this block, the first being 0 (default: where the SAE was trained)',
      wholeNumber(0),
    )
    .addOption(
      new Option('--token-set <set>', 'the tokens over which delta is averaged')
        .choices(tokenSets)
        .default('prompt'),
    )
    .addOption(
      new Option('--loss <kind>', "a completion's loss: mean or sum over its tokens")
        .choices(lossKinds)
        .default('mean'),
    )
    .addOption(
      new Option(
        '--rank <by>',
        'what latents are ranked by; exact and integrated remove the first 4 × --top by delta and re-rank these',
      )
        .choices(rankings)
        .default('first-order'),
    )
    .option('--rank-pairs <count>', 'pairs to remove them on, spread over all', wholeNumber(1), 8)
    .optionsGroup('Output:')
    .option('--out <folder>', 'folder for the results')
    .option('--overwrite', "replace another run's results there")
    .option(...jsonFlag)
    .option('--top <count>', 'how many latents to write token by token as well', wholeNumber(1), 100)
    .option('--rows <count>', 'rows of the table on the screen', wholeNumber(0), screenRows)
    .optionsGroup('On a study:');
  return withStageOptions(command).optionsGroup('Other:').addHelpText('after', about).action(run);
}
