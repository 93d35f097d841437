/**
 * Which training examples lie along a study's directions, and which ones push the model along them when they are
 * learnt. docs/method.md section 11.
 */
import { resolve } from 'node:path';
import { localPath } from '../../files/hub/cache.ts';
import type { TokenSet } from '../../methods/site/contrast.ts';
import { resultFiles, type TraceModel, type TraceRecord } from '../../results.ts';
import { given } from '../judging/given.ts';
import { type ChosenDirections, chosenDirections } from '../monitor/chosenDirections.ts';
import { checkAsMade } from '../monitor/monitoredTexts.ts';
import type { Machine } from '../open/machine.ts';
import type { Progress } from '../open/progress.ts';
import type { ModelChoice, OpenStudy } from '../open/study.ts';
import { hashesThere, staleBeneath } from '../report/restsOn.ts';
import { withLockedStudy } from '../run/lockedStudy.ts';
import { outFolder } from '../store/outFolder.ts';
import { type Clock, dateText, versions } from '../store/runRecord.ts';
import { readExamples, type TracedExamples } from './readExamples.ts';
import { tracedLatents } from './tracedLatents.ts';
import { writeTrace } from './traceFiles.ts';
import { type ExampleFields, type TrainingExamples, trainingExamples } from './trainingExamples.ts';

export const traceDefaults = { tokens: 'all', first: 3, random: 50, shown: 10, seed: 1 } as const;

export interface TraceRequest extends Machine {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  /** training examples: JSONL or CSV, prompts with completions or `messages` */
  readonly data: string;
  readonly fields?: ExampleFields | undefined;
  /** read so many, drawn by the seed; default all */
  readonly sample?: number | undefined;
  /** default the subject without its adapter; where it has none the reference, or else the subject */
  readonly under?: TraceModel | undefined;
  /** whose activation and gradient are read; default all */
  readonly tokens?: TokenSet | undefined;
  /** latents by Δ where none is confirmed; default 3 */
  readonly first?: number | undefined;
  /** random latents beside them; default 50 */
  readonly random?: number | undefined;
  /** examples of each latent that are told token by token, by push and by activation; default 10 */
  readonly shown?: number | undefined;
  /** of random latents, the sample and intervals; default 1 */
  readonly seed?: number | undefined;
  /** folder for the results; default the study's */
  readonly out?: string | undefined;
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

export interface TraceResult {
  readonly record: TraceRecord;
  readonly files: readonly string[];
}

const usedFiles = [resultFiles.latents, resultFiles.attribution, resultFiles.steering];

/** Reads, and writes the results. Throws InputError for anything wrong in what was given. */
export async function runTrace(request: TraceRequest): Promise<TraceResult> {
  const { study, cacheDir, memory, progress, clock } = request;
  return withLockedStudy({ study, cacheDir, memory, progress, clock }, (opened) => traced(opened, request));
}

async function traced(study: OpenStudy, request: TraceRequest): Promise<TraceResult> {
  const { folder } = study;
  const { out = folder, fields, sample } = request;
  const { tokens, first, random, shown, seed } = { ...traceDefaults, ...given(request) };
  await checkAsMade(folder, usedFiles);
  await outFolder(out);
  const under = request.under ?? usualModel(study);
  const choice = modelOf(study, under);
  const hashed = await study.hashed(await localPath(request.data));
  const data = await trainingExamples(request.data, { fields, sample, seed });
  const directions = await chosenDirections(study, { first, random, seed });
  const reading = { choice, tokens, ...directions.options };
  const read = await readExamples(study, data.examples, reading);
  const latents = await tracedLatents(study, { data, read, directions, reading, shown, seed });
  const record: TraceRecord = {
    ...(await aboutRun(study, { under, choice, directions, seed, tokens })),
    data: countsOf(request.data, data, read),
    ...latents,
    inputs: {
      ...(await study.modelHashes('model', choice)),
      sae: await study.hashedSae(),
      data: hashed,
      ...(await hashesThere(folder, usedFiles)),
    },
    versions: { ...versions },
    created: study.clock().toISOString(),
  };
  await study.recorder.check?.();
  const files = await writeTrace(out, record, data.examples, read);
  return { record, files };
}

/** What was fine-tuned, before it was: its gradients are those that made it what it is. */
function usualModel({ config: { subject, reference } }: OpenStudy): TraceModel {
  if (subject.adapter !== undefined) return 'base';
  return reference.adapter === undefined && reference.model === subject.model ? 'subject' : 'reference';
}

const modelOf = ({ config: { subject, reference } }: OpenStudy, under: TraceModel): ModelChoice =>
  ({ base: { model: subject.model }, reference, subject })[under];

function countsOf(
  file: string,
  { examples, total, leftOut }: TrainingExamples,
  { cut }: TracedExamples,
): TraceRecord['data'] {
  return {
    file: resolve(file),
    examples: total,
    read: examples.length,
    prompts: new Set(examples.map(({ group }) => group)).size,
    positives: examples.filter(({ positive }) => positive === true).length,
    negatives: examples.filter(({ positive }) => positive === false).length,
    cut,
    left_out: { ...leftOut },
  };
}

async function aboutRun(
  study: OpenStudy,
  {
    under,
    choice: { model, adapter },
    directions: { chosen },
    seed,
    tokens,
  }: Pick<TraceRecord, 'under' | 'seed' | 'tokens'> & {
    readonly choice: ModelChoice;
    readonly directions: ChosenDirections;
  },
) {
  const { layer, sae } = await study.dictionary();
  const { codec } = await study.model({ model, adapter });
  return {
    behaviour: study.config.behaviour.name,
    site: `resid_post ${layer}`,
    layer,
    width: sae.width,
    tokens,
    under,
    model,
    adapter: adapter ?? null,
    date: codec.date ? dateText(codec.date) : null,
    seed,
    confirmed: chosen.confirmed === null ? null : [...chosen.confirmed],
    stale: await staleBeneath(study),
  };
}
