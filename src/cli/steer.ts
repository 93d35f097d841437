/**
 * `culprit steer`: completions steered along latents or vectors, side by side with the same ones left
 * alone.
 */

import { Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../errors.ts';
import { replaceFile } from '../files/atomic.ts';
import { type SteeredTokens, steeredTokens } from '../methods/steering/steer.ts';
import type { Prompt } from '../results.ts';
import { groupOf, onGroup, type SteeredGroup } from '../study/playground/groupSteering.ts';
import {
  type AskedIntervention,
  type SteerRequest,
  type SteerScale,
  type SteerTarget,
  steerDefaults,
  steerPrompts,
  steerScales,
  studySteering,
} from '../study/playground/steerRequest.ts';
import { runSteer, type SteerResult } from '../study/playground/steerRun.ts';
import { outFile } from '../study/store/outFolder.ts';
import { missingLine } from './grammar.ts';
import { type DocumentOf, documentText, jsonFlag, printDocument } from './json.ts';
import { type MachineFlags, machineOf, screenRows, wholeNumber, withModelOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { type SaeFlags, saeForm, saeSaidBy, withSaeSaid } from './saeOptions.ts';
import { steerReport } from './steerReport.ts';
import { steerStudy, withStageOptions } from './study.ts';

/** The amounts of one target, one for each step of a ladder. */
type Ladder = readonly number[];

interface Options extends SaeFlags, MachineFlags {
  model?: string;
  adapter?: string;
  date?: Date;
  sae?: string;
  site?: number;
  latent?: number[];
  group?: number;
  vector?: string[];
  dose?: Ladder[];
  set?: Ladder[];
  cap?: Ladder[];
  ablate?: boolean;
  baseline?: string;
  scale: SteerScale;
  steeredTokens: SteeredTokens;
  prompt?: string[];
  prompts?: string;
  field?: string;
  samples: number;
  temperature?: number;
  maxTokens?: number;
  seed: number;
  json?: boolean;
  out?: string;
  rows: number;
  full?: boolean;
  redo?: string[];
  accept?: string[];
}

const gathered =
  <T>(read: (text: string) => T) =>
  (text: string, before: readonly T[] = []): T[] => [...before, read(text)];

function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

function ladder(text: string): Ladder {
  const values = text.split(',').map((one) => Number(one.trim() === '' ? Number.NaN : one));
  if (!values.every(Number.isFinite))
    throw new InvalidArgumentError('Expected a number, or several with commas between.');
  return values;
}

function temperature(text: string): number {
  const value = realNumber(text);
  if (value < 0) throw new InvalidArgumentError('Expected a number of at least 0.');
  return value;
}

const flags = { add: '--dose', set: '--set', cap: '--cap', ablate: '--ablate' } as const;
type Kind = keyof typeof flags;

/** What is done, as the flags say. Throws InputError where none does, or several do. */
function kindOf({ dose, set, cap, ablate }: Options): Kind {
  const given = { add: dose, set, cap, ablate };
  const kinds = (Object.keys(flags) as Kind[]).filter((kind) => given[kind] !== undefined);
  if (kinds.length > 1)
    throw new InputError(
      `steer: expected one of ${kinds.map((kind) => flags[kind]).join(' and ')}, found ${kinds.length === 2 ? 'both' : 'all'}`,
    );
  return kinds[0]!;
}

/** An amount of each target for each step. Throws InputError where the flags do not say one. */
function steps(ladders: readonly Ladder[], targets: readonly SteerTarget[], flag: string): number[][] {
  if (ladders.length !== 1 && ladders.length !== targets.length)
    throw new InputError(
      `steer: expected ${flag} once, or once for each of the ${targets.length} latents and vectors, found it ${ladders.length} times`,
    );
  const count = Math.max(...ladders.map(({ length }) => length));
  if (ladders.some(({ length }) => length !== 1 && length !== count))
    throw new InputError(
      `steer: expected as many values in every ${flag}, found ${ladders.map(({ length }) => length).join(' and ')}`,
    );
  const valueAt = (target: number, step: number) => {
    const values = ladders.length === 1 ? ladders[0]! : ladders[target]!;
    return values.length === 1 ? values[0]! : values[step]!;
  };
  return Array.from({ length: count }, (_, step) => targets.map((_, target) => valueAt(target, step)));
}

const targetsOf = ({ latent = [], group, vector = [] }: Options): SteerTarget[] => [
  ...(group === undefined ? [] : [{ latent: group }]),
  ...latent.map((one) => ({ latent: one })),
  ...vector.map((one) => ({ vector: one })),
];

function variantsOf(options: Options): AskedIntervention[][] {
  const targets = targetsOf(options);
  const kind = kindOf(options);
  if (kind === 'ablate') return [targets.map((target) => ({ ...target, kind }))];
  const ladders = { add: options.dose, set: options.set, cap: options.cap }[kind]!;
  return steps(ladders, targets, flags[kind]).map((amounts) =>
    targets.map((target, i) =>
      kind === 'add' ? { ...target, kind, dose: amounts[i]! } : { ...target, kind, value: amounts[i]! },
    ),
  );
}

/** Each change of a latent alone, and after it the same of its whole group. */
const withGroup = (alone: readonly AskedIntervention[][], group: SteeredGroup): AskedIntervention[][] =>
  alone.flatMap((variant) => [variant, onGroup(group, variant[0]!)]);

/** The prompts that the flags give; none where they give none. */
async function promptsOf({ prompt, prompts, field }: Options): Promise<Prompt[] | undefined> {
  if (prompts === undefined && field !== undefined)
    throw new InputError('steer: --field is for --prompts only');
  return prompts === undefined ? prompt : steerPrompts(prompts, field);
}

/** Flags that a study leaves no choice of. */
const decided = {
  model: '--model',
  adapter: '--adapter',
  sae: '--sae',
  saeKind: '--sae-kind',
  saeK: '--sae-k',
  saeThreshold: '--sae-threshold',
  saeBias: '--sae-bias',
} as const;

/** The model and all that comes with it: from the study, or from the flags. */
async function subjectOf(study: string | undefined, options: Options) {
  const given = await promptsOf(options);
  if (study === undefined) {
    const { model, adapter, sae } = options;
    return { base: { model: model!, adapter, sae, saeSaid: saeSaidBy(options) }, prompts: given! };
  }
  const flag = Object.entries(decided).find(([name]) => options[name as keyof typeof decided] !== undefined);
  if (flag !== undefined) throw new InputError(`steer STUDY: takes no ${flag[1]}: study.yaml sets that`);
  const { base, prompt } = await studySteering(study);
  return { base, prompts: given ?? [await prompt()] };
}

/** The group that --group asks for. */
async function askedGroup(study: string | undefined, { group }: Options): Promise<SteeredGroup | undefined> {
  if (group === undefined) return undefined;
  if (study === undefined)
    throw new InputError('steer: --group needs a study: the files in its latents/ name the groups');
  return groupOf(study, group);
}

async function requestOf(
  study: string | undefined,
  options: Options,
  group: SteeredGroup | undefined,
): Promise<SteerRequest> {
  const alone = variantsOf(options);
  const variants = group === undefined ? alone : withGroup(alone, group);
  const { base, prompts } = await subjectOf(study, options);
  const { site, baseline, scale, steeredTokens: tokens, samples, seed, maxTokens } = options;
  return {
    ...base,
    variants,
    prompts,
    textIsMessage: options.prompt !== undefined,
    ...(site !== undefined && { site }),
    // the study's is of its own site
    ...(site !== undefined && 'site' in base && site !== base.site && { baseline: undefined }),
    ...(baseline !== undefined && { baseline }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(options.date !== undefined && { now: options.date }),
    sampling: {
      temperature: steerDefaults.temperature,
      ...('sampling' in base && base.sampling),
      ...(options.temperature !== undefined && { temperature: options.temperature }),
    },
    ...{ scale, tokens, samples, seed },
    ...machineOf(options),
    progress: progressOn(process.stderr),
  };
}

/** The texts as one document. */
function steerDocument(
  { layer, norm, vectors, comparisons }: SteerResult,
  request: SteerRequest,
): DocumentOf<'steer'> {
  const { adapter, sae, baseline, maxTokens = steerDefaults.maxTokens } = request;
  return {
    document: 'steer',
    model: request.model,
    adapter: adapter ?? null,
    sae: sae ?? null,
    baseline: baseline ?? null,
    site: `resid_post ${layer}`,
    norm,
    scale: request.scale ?? 'norm',
    tokens: request.tokens ?? 'all',
    sampling: { ...request.sampling },
    max_tokens: maxTokens,
    vectors: Object.fromEntries(vectors),
    comparisons: comparisons.map(({ prompt, seed, unsteered, steered }) => ({
      prompt: typeof prompt === 'string' ? prompt : prompt.map((message) => ({ ...message })),
      seed,
      unsteered,
      steered: steered.map((text) => ({
        ...text,
        interventions: text.interventions.map((one) => ({ ...one })),
      })),
    })),
  };
}

const stageFlags: readonly string[] = ['cache', 'memory', 'json', 'redo', 'accept', 'rows', 'full'];
const bothFlags: readonly string[] = ['cache', 'memory', 'json'];

/** Throws InputError where a flag is given that belongs to the other use of the command. */
function checkFlags(command: Command, asStage: boolean): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const given = command.getOptionValueSource(name) === 'cli' && !bothFlags.includes(name);
    if (given && asStage !== stageFlags.includes(name))
      throw new InputError(
        asStage
          ? `steer: ${option.long} needs --latent, --group or --vector; without them, steer STUDY runs the causal test as study.yaml says`
          : `steer: ${option.long} is for the causal test of a study, without --latent, --group and --vector`,
      );
  }
}

async function run(study: string | undefined, options: Options, command: Command): Promise<void> {
  if (options.json && study?.endsWith('.json'))
    throw new InputError(`steer: --json takes no file: --out ${study} writes one`);
  const asStage = study !== undefined && targetsOf(options).length === 0;
  checkFlags(command, asStage);
  if (asStage) return steerStudy(study, options);
  const missing = missingOf(study, options);
  if (missing.length > 0) throw new InputError(missingLine('culprit steer', missing));
  const { json, out } = options;
  const group = await askedGroup(study, options);
  const request = await requestOf(study, options, group);
  if (out !== undefined) await outFile(out);
  const result = await runSteer(request);
  const document = steerDocument(result, request);
  if (out !== undefined)
    await replaceFile(out, async (file) => void (await file.writeFile(documentText(document))));
  if (json) return printDocument(document);
  const written = out === undefined ? '' : `written to ${out}\n`;
  process.stdout.write(steerReport(result, request, group) + written);
}

/** What is missing of the flags for single texts. */
function missingOf(study: string | undefined, options: Options): string[] {
  const { model, prompt, prompts } = options;
  const kinds = [options.dose, options.set, options.cap, options.ablate];
  return [
    ...(study === undefined && model === undefined ? ['a study or --model <path>'] : []),
    ...(targetsOf(options).length === 0 ? ['--latent <index> or --vector <file>'] : []),
    ...(kinds.every((one) => one === undefined) ? ['--dose, --set, --cap or --ablate'] : []),
    ...(study === undefined && prompt === undefined && prompts === undefined
      ? ['--prompt <text> or --prompts <file>']
      : []),
  ];
}

const about = `
\`culprit steer STUDY\` without a latent or vector runs the stage steer of
\`culprit run\`: the causal test of what attribution found. Otherwise it shows
single texts.

Steering along a latent adds its decoder direction to the residual stream. Doses
are in units of s, the mean norm of the residual stream there over the prompts:
--dose -0.3 subtracts 0.3 s at every token, --dose 0.3 adds it. Between 0.3 and
0.5 most texts begin to break. With several doses, separated by commas, each
dose gives its own text. Several latents and vectors are steered along together,
all with one --dose, or each with its own: first those of the latents, then
those of the vectors. --group I shows latent I and, next to it, the whole group
that \`interpret\` found for it; the dose is divided, so that both move equally
far.

Vector files: .safetensors (FILE:NAME picks one tensor of several), GGUF control
vectors as llama.cpp and repeng write them, Neuronpedia's JSON. With --scale raw
a dose of 1 is the vector as published, because its norm often is its strength.

Examples:
  culprit steer --model smollm2/ --sae sae/ --latent 3194 --dose -0.3,0.3 \\
    --prompt "I have a headache. What should I do?"
  culprit steer my-study --latent 3194 --dose -0.3
  culprit steer --model smollm2/ --vector happy.gguf --site 15 --scale raw \\
    --dose 1 --prompt "How are you?"`;

export function steerCommand(): Command {
  const command = new Command('steer')
    .summary('show how steering along a latent or vector changes completions')
    .description('Complete prompts with and without steering along latents or vectors, side by side.')
    .argument('[study]', 'a study; model, adapter, SAE and site are taken from its study.yaml')
    .usage('STUDY | [STUDY] [--model M] --latent I | --vector FILE ...')
    .optionsGroup('Inputs:');
  withSaeSaid(withModelOptions(command, { required: false }).option('--sae <path>', saeForm))
    .option(
      '--site <layer>',
      'steer after this block, the first being 0 (default: the site of the SAE or the vector)',
      wholeNumber(0),
    )
    .option('--prompt <text>', 'a prompt, as one user message; repeat for more', gathered(String))
    .addOption(
      new Option('--prompts <file>', 'prompts, one per line: JSONL of {"prompt"}, or CSV').conflicts(
        'prompt',
      ),
    )
    .option('--field <name>', 'the field to use as one user message (default: prompt, unchanged)')
    .optionsGroup('Steering:')
    .option('--latent <index>', 'a latent of the SAE; repeat for more', gathered(wholeNumber(0)))
    .addOption(
      new Option('--group <index>', 'a latent of the study, by itself and with its whole group')
        .argParser(wholeNumber(0))
        .conflicts(['latent', 'vector']),
    )
    .option('--vector <file>', 'a vector from a file; repeat for more', gathered(String))
    .option(
      '--dose <parts>',
      'add this many s along it; several separated by commas, such as -0.3,0.3',
      gathered(ladder),
    )
    .option('--set <parts>', 'set the component along it to this many s', gathered(ladder))
    .option('--cap <parts>', 'limit the component along it to this many s', gathered(ladder))
    .option('--ablate', "set the component along it to the baseline's")
    .option('--baseline <file>', "the baseline, a file that `culprit baseline` wrote (default: the study's)")
    .addOption(
      new Option('--scale <kind>', 'unit of the amounts: norm is s, raw is the vector as published')
        .choices(steerScales)
        .default('norm'),
    )
    .addOption(
      new Option('--steered-tokens <set>', 'the tokens steered').choices(steeredTokens).default('all'),
    )
    .optionsGroup('Sampling:')
    .option('--samples <count>', 'completions of each prompt', wholeNumber(1), steerDefaults.samples)
    .option(
      '--temperature <number>',
      `0 always takes the likeliest token (default: ${steerDefaults.temperature}, or the study's)`,
      temperature,
    )
    .option(
      '--max-tokens <count>',
      `the most tokens of a completion (default: ${steerDefaults.maxTokens}, or the study's)`,
      wholeNumber(1),
    )
    .option(
      '--seed <number>',
      'seed of the first completion; each next one has the next seed',
      wholeNumber(0),
      steerDefaults.seed,
    )
    .optionsGroup('Output:')
    .option(...jsonFlag)
    .option('--out <file>', 'also write that document to this file')
    .optionsGroup('For the causal test of a study:')
    .option('--full', 'no funnel: sample every candidate on every evaluation prompt')
    .option('--rows <count>', 'rows of the table on the screen', wholeNumber(0), screenRows);
  return withStageOptions(command).optionsGroup('Other:').addHelpText('after', about).action(run);
}
