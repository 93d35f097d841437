/**
 * What a causal test needs of a study: a reference that is another model, latents and prompts enough,
 * prompts that nothing was found on.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../../errors.ts';
import { checkSite } from '../../models/passes.ts';
import { counted, resultFiles } from '../../results.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { StudyPrompt } from '../open/promptsFile.ts';
import {
  type FittingDictionary,
  hashesOf,
  type ModelChoice,
  type OpenStudy,
  promptPlace,
} from '../open/study.ts';
import { promptHash } from '../store/contentHash.ts';
import { systemPrompts } from './systemMessage.ts';
import { leastEvaluated } from './trialParts.ts';
import type { SteeringPrompt } from './work.ts';

/** Why the study has no causal test; undefined where it has one. */
export function withoutCausalTest({ config }: Pick<OpenStudy, 'config'>): string | undefined {
  const { prompts } = config;
  if (prompts === undefined) return 'study.yaml has no prompts';
  const missing = (['evaluation', 'calibration'] as const).find((name) => prompts[name] === 0);
  return missing === undefined ? undefined : `prompts.${missing} is 0`;
}

/** Throws InputError where subject and reference are one model: nothing could be told from steering both. */
async function checkOther(study: OpenStudy): Promise<void> {
  const { subject, reference } = study.config;
  const [own, other] = [
    hashesOf(await study.modelHashes('model', subject)),
    hashesOf(await study.modelHashes('model', reference)),
  ];
  if (!isDeepStrictEqual(own, other)) return;
  const found = subject.adapter === undefined ? 'which names no adapter' : 'found the same model and adapter';
  throw new InputError(
    `${study.file}: reference: expected a model other than the subject, ${found}: name a reference, or set prompts.evaluation to 0 to skip the causal test`,
  );
}

/** Throws InputError where the reference cannot stand beside the subject in the causal test. */
async function checkReference(study: OpenStudy, layer: number): Promise<void> {
  const { config } = study;
  if (config.control?.kind !== 'self') await checkOther(study);
  const [subject, reference] = [await study.model(config.subject), await study.model(config.reference)];
  const { decoder } = reference.model;
  const where = `reference ${config.reference.model}`;
  if (decoder.width !== subject.model.decoder.width)
    throw new InputError(
      `${where}: expected the subject's residual width ${subject.model.decoder.width}, found ${decoder.width}`,
    );
  if (decoder.vocabulary !== subject.model.decoder.vocabulary)
    throw new InputError(
      `${where}: expected the subject's vocabulary of ${subject.model.decoder.vocabulary} tokens, found ${decoder.vocabulary}`,
    );
  checkSite(reference.model, layer);
  const { discovery, evaluation, calibration } = await study.prompts();
  for (const prompt of [...evaluation, ...calibration, ...discovery])
    checkTokens(study, subject, reference, prompt);
}

function checkTokens(
  study: OpenStudy,
  subject: OpenModel,
  { codec, model }: OpenModel,
  prompt: StudyPrompt,
): void {
  const [own, other] = [subject.codec.encodePrompt(prompt.prompt), codec.encodePrompt(prompt.prompt)];
  const length = Math.max(own.length, other.length);
  const at = Array.from({ length }, (_, i) => i).find((i) => own[i] !== other[i]);
  const where = promptPlace(prompt);
  if (at !== undefined)
    throw new InputError(
      `${where}: expected the same tokens for subject and reference ${study.config.reference.model}, found that they differ at token ${at + 1}`,
    );
  if (other.length > model.decoder.context)
    throw new InputError(
      `${where}: expected at most the ${model.decoder.context} tokens that reference ${study.config.reference.model} takes, found ${other.length}`,
    );
}

function checkRandom({ file, config }: OpenStudy, { sae }: FittingDictionary): void {
  const { candidates, random } = config.steering;
  if (candidates + random > sae.latents)
    throw new InputError(
      `${file}: steering.random: expected steering.random + steering.candidates to be at most ${sae.latents}, the number of latents of ${sae.where}, found ${random} + ${candidates}: lower one of them`,
    );
}

function checkPrompts({ file }: OpenStudy, evaluation: readonly StudyPrompt[]): void {
  if (evaluation.length < leastEvaluated)
    throw new InputError(
      `${file}: prompts.evaluation: expected at least ${counted(leastEvaluated, 'prompt')} for the causal test, found ${evaluation.length}: raise it, or set it to 0 to skip the test`,
    );
}

/** Throws InputError where the latents would be confirmed on a prompt that they are found on. */
export async function checkUnseen(study: OpenStudy): Promise<void> {
  const { evaluation, calibration } = await study.prompts();
  const seen = new Set((await study.completions()).map(({ prompt }) => promptHash(prompt)));
  const found = [...evaluation, ...calibration].find(({ prompt }) => seen.has(promptHash(prompt)));
  if (found !== undefined)
    throw new InputError(
      `${promptPlace(found)}: expected a test prompt that latents were not found on, found it in ${join(study.folder, resultFiles.completions)}: name others in study.yaml, by prompts.file, prompts.rows or prompts.evaluation_file, or sample again`,
    );
}

/**
 * Prompts of the causal test as token ids. Throws InputError where one has none, or leaves no room for its
 * completion.
 */
export async function steeringPrompts(
  study: OpenStudy,
  choice: ModelChoice,
  prompts: readonly StudyPrompt[],
): Promise<SteeringPrompt[]> {
  const maxTokens = study.config.steering.max_tokens ?? study.config.sampling.max_tokens;
  const what = `${maxTokens} tokens of a steered completion`;
  const ids = await study.encoded(choice, prompts, { maxTokens, what });
  return prompts.map(({ id, prompt }, i) => ({ id, prompt, ids: ids[i]! }));
}

/** What the causal test needs beside the other stages' results. Throws InputError for what does not fit. */
export async function checkCausalTest(study: OpenStudy): Promise<void> {
  const { config } = study;
  const fitting = await study.dictionary();
  await checkReference(study, fitting.layer);
  checkRandom(study, fitting);
  const { evaluation, calibration } = await study.prompts();
  checkPrompts(study, evaluation);
  for (const choice of [config.subject, config.reference])
    await steeringPrompts(study, choice, [...calibration, ...evaluation]);
  await systemPrompts(study, evaluation);
  const { greedy, incoherence } = config.steering;
  if (greedy !== undefined && incoherence === 'cheap')
    throw new InputError(
      `${study.file}: steering.greedy: expected steering.incoherence judge or both, found cheap: a group is built by what the judge says on calibration prompts`,
    );
}
