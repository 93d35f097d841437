/**
 * Completions steered along latents or vectors, beside the same completions left alone: one prompt, one
 * seed, one change at a time (docs/method.md section 5). From files to values: model, dictionary and vector
 * files in, texts out. Grades nothing.
 */

import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { checkVectorWidth, readVector, type SteeringVector } from '../../files/vectorFile.ts';
import type { Completion, SampledToken, SampleJob } from '../../methods/completions/sample.ts';
import { meanNorm } from '../../methods/steering/meanNorm.ts';
import { combined, type Intervention, type Steering } from '../../methods/steering/steer.ts';
import { checkSite } from '../../models/passes.ts';
import type { Prompt } from '../../results.ts';
import type { Sae } from '../../saes/sae.ts';
import { readBaseline } from '../attribution/attributeRun.ts';
import type { OpenModel } from '../open/openModel.ts';
import { openChosenSae, siteFor, trainedLayer } from '../open/openSae.ts';
import { silent } from '../open/progress.ts';
import { beforeStop, stopsAt, textOf } from '../open/stopTexts.ts';
import { systemClock } from '../store/runRecord.ts';
import { type SamplingEngine, samplingEngine } from './samplingEngine.ts';
import {
  type AskedIntervention,
  checkRequest,
  keyOf,
  type SteerRequest,
  type SteerTarget,
  steerDefaults,
  targetsOf,
} from './steerRequest.ts';
import { typedPrompt } from './typedPrompt.ts';

export interface Said {
  readonly text: string;
  readonly stop: Completion['stop'];
}

export interface SteeredText extends Said {
  readonly interventions: readonly AskedIntervention[];
}

export interface SteerComparison {
  readonly prompt: Prompt;
  readonly seed: number;
  readonly unsteered: Said;
  /** in the order of the variants */
  readonly steered: readonly SteeredText[];
}

export interface SteerResult {
  /** L of resid_post L */
  readonly layer: number;
  /** s */
  readonly norm: number;
  /** names of the vector files' vectors and their norms as published, by the path given */
  readonly vectors: ReadonlyMap<string, { readonly name: string; readonly norm: number }>;
  /** prompt by prompt, seed by seed */
  readonly comparisons: readonly SteerComparison[];
}

/**
 * A completion of a comparison: of which prompt and seed, by their places, and which of the variants; null
 * for the one left alone.
 */
export interface SteerPlace {
  readonly prompt: number;
  readonly seed: number;
  readonly variant: number | null;
}

/** One who looks on while texts come. */
export interface SteerWatch {
  /** how many of the likeliest tokens `onToken` is told of */
  readonly alternatives: number;
  onToken(place: SteerPlace, token: SampledToken, text: (id: number) => string): void;
  onEnd(place: SteerPlace, said: Said): void;
  /** ends the run before the next token, by throwing its reason */
  readonly signal: AbortSignal;
}

/** A target opened: its unit direction, and its length as published (1 for a latent). */
interface Direction {
  readonly name: string;
  readonly unit: Float32Array;
  readonly length: number;
}

interface SmallFiles {
  readonly sae: Sae | undefined;
  readonly vectors: ReadonlyMap<string, SteeringVector>;
}

/** Opens the dictionary and reads the vector files, before the model, which may take long. */
async function openSmallFiles(request: SteerRequest): Promise<SmallFiles> {
  const targets = [...targetsOf(request).values()];
  const latents = targets.flatMap((target) => ('latent' in target ? [target.latent] : []));
  const sae =
    latents.length > 0 ? await openChosenSae({ ...request.saeSaid, path: request.sae! }) : undefined;
  for (const latent of latents)
    if (latent >= sae!.latents)
      throw new InputError(`latent ${latent}: the SAE ${sae!.where} has latents 0 to ${sae!.latents - 1}`);
  const asked = request.site ?? (sae && trainedLayer(sae));
  const vectors = new Map<string, SteeringVector>();
  for (const target of targets)
    if ('vector' in target) vectors.set(target.vector, await readVector(target.vector, asked));
  return { sae, vectors };
}

/** The one layer to steer at. Throws InputError where nothing says it, or two things differ. */
function layerFor({ site }: SteerRequest, { sae, vectors }: SmallFiles, width: number): number {
  let layer = sae ? siteFor(sae, site, width) : site;
  for (const { layer: own, where } of vectors.values()) {
    layer ??= own;
    if (own !== undefined && own !== layer)
      throw new InputError(`${where}: a vector of resid_post ${own}, but resid_post ${layer} is steered`);
  }
  if (layer === undefined)
    throw new InputError(`${[...vectors.keys()][0]}: does not say its site: name the layer with --site`);
  return layer;
}

async function openDirections(
  targets: ReadonlyMap<string, SteerTarget>,
  { sae, vectors }: SmallFiles,
): Promise<Map<string, Direction>> {
  const directions = new Map<string, Direction>();
  for (const [key, target] of targets) {
    if ('latent' in target) {
      const { latent } = target;
      const unit = await sae!.decoderRows(latent, latent + 1);
      if (unit.every((x) => x === 0))
        throw new InputError(`latent ${latent}: its decoder direction in ${sae!.where} is all zeros`);
      directions.set(key, { name: `${latent}`, unit, length: 1 });
    } else {
      const { vector, name } = vectors.get(target.vector)!;
      const length = Math.hypot(...vector);
      directions.set(key, { name, unit: vector.map((x) => x / length), length });
    }
  }
  return directions;
}

interface Prepared {
  readonly opened: OpenModel;
  readonly layer: number;
  readonly directions: ReadonlyMap<string, Direction>;
  readonly mean: Float32Array | undefined;
  /** token ids, prompt by prompt */
  readonly ids: readonly (readonly number[])[];
}

/** Opens and checks everything before the model is run. */
async function prepare(engine: SamplingEngine, request: SteerRequest): Promise<Prepared> {
  checkRequest(request);
  const { baseline } = request;
  const small = await openSmallFiles(request);
  const opened = await engine.model();
  const { width } = opened.model.decoder;
  const layer = layerFor(request, small, width);
  checkSite(opened.model, layer);
  for (const vector of small.vectors.values()) checkVectorWidth(vector, width);
  const directions = await openDirections(targetsOf(request), small);
  const mean = baseline === undefined ? undefined : await readBaseline(baseline, width, layer);
  const prepared = { opened, layer, directions, mean, ids: promptIds(request, opened) };
  // That projections can be held together shows whatever s is.
  for (const together of request.variants) steeringOf(together, prepared, request, 1);
  return prepared;
}

/** Throws InputError for a prompt without tokens, or one that leaves no room for its completion. */
function promptIds(request: SteerRequest, { codec, model }: OpenModel): number[][] {
  const { prompts, textIsMessage = false, maxTokens = steerDefaults.maxTokens } = request;
  return prompts.map((prompt, i) => {
    const ids = codec.encodePrompt(textIsMessage ? typedPrompt(codec, prompt) : prompt);
    const where = `prompt ${i + 1}${typeof prompt === 'string' ? ` (${quoted(prompt)})` : ''}`;
    if (ids.length === 0) throw new InputError(`${where}: the vocabulary has no token of it`);
    if (ids.length + maxTokens > model.decoder.context)
      throw new InputError(
        `${where}: has ${ids.length} tokens: with ${maxTokens} of a completion it exceeds the ${model.decoder.context} that the model takes`,
      );
    return ids;
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** What is asked, in the residual stream's own units; `s` as of `SteerRequest.scale`. */
function interventionOf(
  asked: AskedIntervention,
  { directions, mean }: Prepared,
  { scale = 'norm' }: SteerRequest,
  s: number,
): Intervention {
  const { unit, length } = directions.get(keyOf(asked))!;
  const raw = scale === 'raw';
  switch (asked.kind) {
    case 'add':
      return { kind: 'add', direction: unit, amount: asked.dose * (raw ? length : s) };
    case 'ablate':
      return { kind: 'set', direction: unit, value: dot(mean!, unit) };
    default:
      return { kind: asked.kind, direction: unit, value: asked.value * (raw ? 1 : s) };
  }
}

/**
 * Throws InputError where projections cannot be held together, because one direction lies in the span of
 * the others.
 */
function steeringOf(
  together: readonly AskedIntervention[],
  prepared: Prepared,
  request: SteerRequest,
  s: number,
): Steering {
  const interventions = together.map((asked) => interventionOf(asked, prepared, request, s));
  try {
    return combined(interventions, request.tokens);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(
      `${together.map(keyOf).join(', ')}: cannot be set or capped together: one direction lies in the span of the others`,
    );
  }
}

const rows = 32;

/** Samples every job; texts by job, then by seed. */
async function sampleAll(
  engine: SamplingEngine,
  { opened: { codec }, layer }: Prepared,
  jobs: readonly SampleJob[],
  { variants, sampling, stops = [], maxTokens = steerDefaults.maxTokens, progress = silent }: SteerRequest,
  watch: SteerWatch | undefined,
): Promise<Said[][]> {
  const total = jobs.reduce((sum, { seeds }) => sum + seeds.length, 0);
  const needs = {
    rows: Math.min(rows, total),
    capacity: Math.max(...jobs.map(({ prompt }) => prompt.length)) + maxTokens,
    steerAt: layer,
    projections: Math.max(...jobs.map(({ steer }) => steer?.held.length ?? 0)),
  };
  const made = await engine.samplerFor(
    needs,
    jobs.map(({ steer }) => steer),
  );
  const each = 1 + variants.length;
  const placeOf = (job: number, seed: number): SteerPlace => ({
    prompt: Math.floor(job / each),
    seed,
    variant: job % each === 0 ? null : (job % each) - 1,
  });
  const textOfId = (id: number) => codec.tokenizer.tokenText(id);
  const texts = jobs.map((): Said[] => []);
  const stage = progress.stage('Sampling', total);
  try {
    await made.sample(
      jobs,
      {
        temperature: steerDefaults.temperature,
        ...sampling,
        maxTokens,
        endIds: codec.endOfTurnIds,
        stops: stopsAt(codec, stops),
        ...(watch && {
          onToken: (job, seed, token) => watch.onToken(placeOf(job, seed), token, textOfId),
          alternatives: watch.alternatives,
          signal: watch.signal,
        }),
      },
      (job, completion, { ids, stop }) => {
        const said = { text: beforeStop(textOf(codec, ids), stops).text, stop };
        texts[job]![completion] = said;
        watch?.onEnd(placeOf(job, completion), said);
        stage.advance();
      },
    );
  } finally {
    stage.end();
  }
  return texts;
}

/**
 * `runSteer` on a model that is open already and stays so; the engine's model is the one that counts,
 * whatever the request names. For one call at a time.
 */
export async function steerOn(
  engine: SamplingEngine,
  request: SteerRequest,
  watch?: SteerWatch,
): Promise<SteerResult> {
  const prepared = await prepare(engine, request);
  watch?.signal.throwIfAborted();
  const { opened, layer, directions, ids } = prepared;
  const { prompts, variants, samples = steerDefaults.samples, seed = steerDefaults.seed } = request;
  const norm = request.norm ?? (await meanNorm(engine.runtime, opened.model, layer, ids));
  const steerings = variants.map((together) => steeringOf(together, prepared, request, norm));
  const seeds = Array.from({ length: samples }, (_, i) => seed + i);
  const jobs = ids.flatMap((prompt): SampleJob[] =>
    [undefined, ...steerings].map((steer) => ({ prompt, seeds, steer })),
  );
  const texts = await sampleAll(engine, prepared, jobs, request, watch);
  const first = (prompt: number) => prompt * (1 + variants.length);
  return {
    layer,
    norm,
    vectors: new Map(
      variants.flat().flatMap((asked) => {
        if ('latent' in asked) return [];
        const { name, length } = directions.get(asked.vector)!;
        return [[asked.vector, { name, norm: length }]];
      }),
    ),
    comparisons: prompts.flatMap((prompt, p) =>
      seeds.map((one, i) => ({
        prompt,
        seed: one,
        unsteered: texts[first(p)]![i]!,
        steered: variants.map((interventions, v) => ({ interventions, ...texts[first(p) + 1 + v]![i]! })),
      })),
    ),
  };
}

/**
 * Every prompt's completions, left alone and steered in each way, with the same seeds. Throws InputError
 * for anything wrong in what was given, before the model is run.
 */
export async function runSteer(request: SteerRequest): Promise<SteerResult> {
  const { now = systemClock() } = request;
  const engine = samplingEngine({ ...request, now });
  try {
    return await steerOn(engine, request);
  } finally {
    await engine.close();
  }
}
