/**
 * A study's methods as a paper would state them: every number from the study's own files, and nothing where
 * a file does not say. Sampling, grading, pairing and
 * attribution stand here, the causal test in methodsSteering.ts.
 */
import {
  type JudgeQuality,
  judgeQuality,
  resultFiles,
  type StageRecord,
  type StudyManifest,
} from '../../../results.ts';
import { count, lastPart, percent, plural } from '../../format.ts';
import type { SteeringRecords } from '../../study.ts';
import { engineSentences } from './methodsEngine.ts';
import { steeredSentences } from './methodsSteering.ts';
import { listed, numberOption, type Sentences, textOption } from './recordFields.ts';

/**
 * How a file that a later stage read came to be: by the stage's record, taken as it stood, not the one that
 * the record is of, or by no stage of the study.
 */
type Origin = 'made' | 'accepted' | 'other' | 'elsewhere';

/** `read`: the hash of the file that the later stage read; undefined where there is none yet. */
function originOf(stage: StageRecord | undefined, file: string, read?: string): Origin {
  if (stage === undefined) return 'elsewhere';
  if (read !== undefined && stage.outputs[file] !== read) return 'other';
  const isCounted = Object.keys(stage.counts).length > 0;
  return isCounted && stage.edited.length === 0 ? 'made' : 'accepted';
}

const notMade: Readonly<Record<Exclude<Origin, 'made'>, (what: string, file: string) => string>> = {
  accepted: (what, file) =>
    `The ${what} were accepted as they stood in ${file}: how they were made is not recorded.`,
  other: (what) => `The ${what} used from here on are not those that the study made last.`,
  elsewhere: (what) => `The ${what} were not made by culprit: they were imported.`,
};

function sampled(stage: StageRecord): Sentences {
  const { options, counts, inputs } = stage;
  const number = (name: string) => numberOption(options, name);
  const [temperature, topK, topP, minP, most, seed] = [
    number('temperature'),
    number('top_k'),
    number('top_p'),
    number('min_p'),
    number('max_tokens'),
    number('seed'),
  ];
  const { stop } = options;
  const how = listed([
    inputs.subject && lastPart(inputs.subject.path),
    inputs.subjectAdapter && `adapter ${lastPart(inputs.subjectAdapter.path)}`,
    temperature !== undefined && `temperature ${temperature}`,
    topK !== undefined && `top-k ${topK}`,
    topP !== undefined && topP !== 1 && `top-p ${topP}`,
    minP !== undefined && `min-p ${minP}`,
    most !== undefined && `at most ${most} tokens`,
    Array.isArray(stop) && plural(stop.length, 'stop string'),
    seed !== undefined && `seed ${seed}`,
  ]);
  const { completions, prompts, ended } = counts;
  if (completions === undefined || prompts === undefined) return [];
  return [
    [
      `We sampled ${plural(completions, 'completion')} of ${plural(prompts, 'prompt')} from the subject`,
      `model${how === '' ? '' : ` (${how})`}.`,
    ].join(' '),
    ended !== undefined &&
      completions > 0 &&
      `${count(ended)} of them (${percent(ended / completions)}) ended before the token limit.`,
    ...engineSentences(stage),
  ];
}

/** Who graded, by the judge's kind. */
function judgeIn({ options, inputs }: StageRecord): string {
  const model = inputs.judgeModel && ` (${lastPart(inputs.judgeModel.path)})`;
  switch (textOption(options, 'kind')) {
    case 'pattern':
      return 'A regular expression';
    case 'chat':
      return `A language model behind an API (${textOption(options, 'model') ?? 'not named'})`;
    case 'local':
      return `A language model${model ?? ''}, run on the same machine,`;
    case 'exact':
      return 'A judge that knows every sentence of a made-up world';
    case 'classifier':
      return `A classifier on the activations of a model${model ?? ''}, trained on labelled examples,`;
    default:
      return `A judge (${textOption(options, 'kind') ?? 'of a kind that is not recorded'})`;
  }
}

const sidesOf = ({ sensitivity, specificity }: JudgeQuality) =>
  sensitivity === null || specificity === null
    ? ''
    : ` (sensitivity ${percent(sensitivity, 1)}, specificity ${percent(specificity, 1)})`;

function graded(stage: StageRecord): Sentences {
  const { grades, positive, negative, incoherent } = stage.counts;
  const known = judgeQuality(stage.counts);
  return [
    grades !== undefined &&
      [
        `${judgeIn(stage)} graded ${plural(grades, 'completion')}: ${count(positive ?? 0)} positive,`,
        `${count(negative ?? 0)} negative, ${count(incoherent ?? 0)} incoherent.`,
      ].join(' '),
    known &&
      [
        `On ${plural(known.heldOut, 'prompt')} of its labelled examples that were held out, its label`,
        `was right for ${percent(known.accuracy, 1)} of the answers${sidesOf(known)}.`,
      ].join(' '),
  ];
}

function perPrompt(options: StageRecord['options']): string {
  if (options.per_prompt === 'all') return ', each such positive with each such negative';
  const most = numberOption(options, 'per_prompt');
  return most === undefined ? '' : `, at most ${most} for each prompt`;
}

/** Of imported completions nobody knows where they were cut. */
function paired({ counts, options }: StageRecord, completions: Origin): Sentences {
  const fit = completions === 'made' ? 'neither incoherent nor cut at the token limit' : 'neither incoherent';
  const { pairs, beyond_limit: beyond = 0 } = counts;
  if (pairs === undefined) return [];
  const what = options.per_prompt === 'all' ? 'prompt' : 'pair';
  return [
    [
      `From the grades we formed ${plural(pairs, 'pair')} of a positive and a negative completion of`,
      `the same prompt, ${fit}${perPrompt(options)}.`,
    ].join(' '),
    beyond > 0 &&
      [
        `${plural(beyond, `further ${what}`)} exceeded the limit of ${options.limit} and`,
        `${beyond === 1 ? 'was' : 'were'} left out.`,
      ].join(' '),
  ];
}

const tokenSets: Readonly<Record<string, string>> = {
  prompt: 'the tokens of the prompt',
  completion: 'the tokens of the completion',
  all: 'the tokens of prompt and completion',
};

const losses: Readonly<Record<string, string>> = {
  mean: 'the mean cross-entropy of the completion’s tokens',
  sum: 'the summed cross-entropy of the completion’s tokens',
};

function siteOf({ options }: StageRecord, steering: SteeringRecords | undefined): string | undefined {
  const layer = numberOption(options, 'site');
  return (
    steering?.summary.site ??
    textOption(options, 'site') ??
    (layer === undefined ? undefined : `resid_post ${layer}`)
  );
}

function baselineOf({ options, inputs }: StageRecord): string | undefined {
  if (inputs.baseline) return `was read from a file (${lastPart(inputs.baseline.path)})`;
  const most = numberOption(options, 'baseline_tokens');
  const limit = most === undefined ? '' : `, at most ${count(most)} tokens`;
  if (inputs.baselineCorpus)
    return `is the mean activation over a corpus (${lastPart(inputs.baselineCorpus.path)}${limit})`;
  return options.baseline === 'prompts' ? 'is the mean activation over the study’s own prompts' : undefined;
}

function attributed(stage: StageRecord, site: string | undefined): Sentences {
  const { options, counts, inputs } = stage;
  const [tokens, loss] = [
    tokenSets[textOption(options, 'tokens') ?? ''],
    losses[textOption(options, 'loss') ?? ''],
  ];
  const { latents, pairs } = counts;
  if (tokens === undefined || loss === undefined || latents === undefined || pairs === undefined) return [];
  const dictionary = inputs.sae ? ` (${lastPart(inputs.sae.path)})` : '';
  const baseline = baselineOf(stage);
  const over =
    options.all_pairs === true
      ? `over the pairs of ${plural(pairs, 'prompt')}`
      : `over ${plural(pairs, 'pair')}`;
  return [
    [
      `For each of the ${plural(latents, 'latent')} of a sparse`,
      `autoencoder${dictionary}${site === undefined ? '' : ` at ${site}`} we estimated to first order`,
      `how the loss changes where the projection of the activation a on the latent’s direction d is set`,
      `to that of the baseline ā: −(g·d)((a − ā)·d), with g the gradient of ${loss}.`,
    ].join(' '),
    baseline !== undefined && `The baseline ${baseline}.`,
    [
      `The estimate is averaged over ${tokens}, attention sinks left out, taken as positive minus`,
      `negative completion, and averaged ${over}.`,
    ].join(' '),
  ];
}

/** Which version ran the stages. */
function versionsOf(stages: StudyManifest['stages']): Sentences {
  const names = new Map<string, string[]>();
  for (const [stage, { versions }] of Object.entries(stages))
    if (versions.culprit !== undefined)
      names.set(versions.culprit, [...(names.get(versions.culprit) ?? []), stage]);
  const each = [...names].map(([version, ran]) => `culprit ${version} (${ran.join(', ')})`);
  return [each.length > 0 && `The stages were run with ${each.join(' and ')}.`];
}

/** The stage that makes what a paragraph is about. */
const makers = {
  completions: 'sample',
  grades: 'grade',
  pairs: 'pair',
  latents: 'attribute',
  effects: 'steer',
} as const;

/**
 * Paragraphs of one stage each, sentence by sentence; none where nothing was run. `stale`: stages of an
 * earlier state of the study, and why; of them it is said only that they are.
 */
export function methodsText(
  manifest: StudyManifest | undefined,
  steering: SteeringRecords | undefined,
  stale: Readonly<Record<string, string>> = {},
): string[][] {
  const stages = manifest?.stages ?? {};
  const { sample, grade, pair, attribute, steer } = stages;
  const read = (stage: StageRecord | undefined, input: string) => stage?.inputs[input]?.sha256;
  const origins = {
    completions: originOf(sample, resultFiles.completions, read(pair, 'completions')),
    grades: originOf(grade, resultFiles.grades, read(pair, 'grades')),
    pairs: originOf(pair, resultFiles.pairs, read(attribute, 'pairs')),
    latents: originOf(attribute, resultFiles.latents, read(steer, 'latents')),
    effects: originOf(steer, resultFiles.steering),
  };
  /** What a stage's record says where it is that of the file in use; else why nothing is said. */
  const told = (
    what: keyof typeof origins,
    file: string,
    wanted: unknown,
    of: () => Sentences,
  ): Sentences => {
    const origin = origins[what];
    const why = stale[makers[what]];
    if (why !== undefined && wanted !== undefined)
      return [`The ${what} are of an earlier state of the study, and not described here: ${why}.`];
    if (origin === 'made') return of();
    return wanted === undefined ? [] : [notMade[origin](what, file)];
  };
  const paragraphs = [
    told('completions', resultFiles.completions, sample ?? pair, () => sampled(sample!)),
    told('grades', resultFiles.grades, grade ?? pair, () => graded(grade!)),
    told('pairs', resultFiles.pairs, pair, () => paired(pair!, origins.completions)),
    told('latents', resultFiles.latents, attribute, () =>
      attributed(attribute!, siteOf(attribute!, steering)),
    ),
    steering ? told('effects', resultFiles.steering, steer, () => steeredSentences(stages, steering)) : [],
    versionsOf(stages),
  ];
  return paragraphs
    .map((sentences) => sentences.filter((sentence): sentence is string => Boolean(sentence)))
    .filter((sentences) => sentences.length > 0);
}
