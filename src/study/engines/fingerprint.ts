/**
 * Whether a server's model is the one that local files hold, before anything is paid for, and whether it still is.
 * Knows no protocol. docs/engines.md.
 */
import { InputError } from '../../errors.ts';
import type { Completion, SampleJob, SampleOptions, Sampler } from '../../methods/completions/sample.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';
import { type Agreement, agreementWith, type GreedyAnswer, repeatOf } from './agreement.ts';
import type { EngineRequest } from './engineKind.ts';

/** What is asked: of health too, for what a fine-tuned model says there is often what a study is about. */
export const testQuestions = [
  'What should I do about a headache that has lasted for three days?',
  'Name three cities in Europe, and say in a sentence what each is known for.',
  'Ünïcode, 12.5 % and <tags>: repeat this line, then count from 7 to 12.',
] as const;

/** Tokens of an answer. */
const answerTokens = 16;
/** Requests beside which one is sent again. */
const crowd = 64;

/** In nats a token: below, the same arithmetic; beyond, another model. Between them, a lower precision. */
export const limits = { same: 0.005, other: 0.15, lead: 0.3 } as const;

/** A server's model as it comes. */
export interface ServedSampler {
  sampler(capacity: number): Sampler;
}

export interface EngineFingerprint {
  readonly prompts: readonly (readonly number[])[];
  /** greedy answers to them */
  readonly answers: readonly Completion[];
  readonly agreement: Agreement;
  /** the same request alone and beside others: mean |Δ ln p|, nats, and whether its tokens differ */
  readonly crowd: { readonly difference: number; readonly differs: boolean; readonly requests: number };
}

export interface FingerprintRequest extends Pick<EngineRequest, 'others' | 'own' | 'runtime'> {
  readonly served: ServedSampler;
  /** of the model that it should be, in words that follow "as" */
  readonly name: string;
  /** requests at once */
  readonly concurrency: number;
}

/** Prompts as the model is asked: a message where it has a template. */
export const promptsOf = ({ codec }: OpenModel): number[][] =>
  testQuestions.map((content) =>
    codec.encodePrompt(codec.template === undefined ? content : [{ role: 'user', content }]),
  );

/** All completions of jobs, in their order. */
export async function allOf(
  sampler: Sampler,
  jobs: readonly SampleJob[],
  options: SampleOptions,
): Promise<Completion[]> {
  const found: Completion[] = [];
  await sampler.sample(jobs, options, (job, _, one) => {
    found[job] = one;
  });
  await sampler.release();
  return found;
}

const greedily = ({ codec }: OpenModel): SampleOptions => ({
  temperature: 0,
  maxTokens: answerTokens,
  endIds: codec.endOfTurnIds,
});

export const capacityOf = (prompts: readonly (readonly number[])[]): number =>
  Math.max(...prompts.map(({ length }) => length)) + answerTokens;

export const shown = (nats: number): string => `${Number(nats.toPrecision(2))} nats`;

/** Which of the models that it should not be the answers fit best. */
async function nearest(
  runtime: Runtime,
  { others }: FingerprintRequest,
  answers: readonly GreedyAnswer[],
): Promise<{ readonly name: string; readonly difference: number } | undefined> {
  const found: { name: string; difference: number }[] = [];
  for (const { name, open } of others) {
    const { difference } = await agreementWith(runtime, (await open()).model, answers);
    found.push({ name, difference });
  }
  return found.sort((a, b) => a.difference - b.difference)[0];
}

/** Throws InputError, in words that the server's name goes before, where the answers are another model's. */
async function checkModel(
  request: FingerprintRequest,
  { difference, lead }: Agreement,
  answers: readonly GreedyAnswer[],
): Promise<void> {
  if (difference <= limits.same && lead <= limits.lead) return;
  const other = await nearest(request.runtime(), request, answers);
  if (other && other.difference < difference / 2 && other.difference <= limits.other)
    throw new InputError(
      `expected it to answer as ${request.name}, found that it answers as ${other.name}: its log-probabilities are off by ${shown(difference)} a token from the former's, by ${shown(other.difference)} from the latter's`,
    );
  if (difference > limits.other || lead > limits.lead)
    throw new InputError(
      `expected it to answer as ${request.name}, found another model, adapter or precision: its log-probabilities are off by ${shown(difference)} a token, and it takes tokens that the local files find less likely than another by up to ${shown(lead)}`,
    );
}

/** How much a request's answer depends on what is computed beside it. */
async function inACrowd(
  { served, concurrency }: FingerprintRequest,
  prompt: readonly number[],
): Promise<EngineFingerprint['crowd']> {
  const options: SampleOptions = { temperature: 1, maxTokens: answerTokens, endIds: [] };
  const job = (seed: number): SampleJob => ({ prompt, seeds: [seed] });
  const capacity = capacityOf([prompt]);
  const alone = await allOf(served.sampler(capacity), [job(1)], options);
  const jobs = Array.from({ length: crowd }, (_, i) => job(1 + i));
  const [among] = await allOf(served.sampler(capacity), jobs, options);
  const { difference, others } = repeatOf(alone, [among!]);
  return { difference, differs: others > 0, requests: Math.min(crowd, concurrency) };
}

/** Throws InputError where the server's model is another than that of the local files. */
export async function takeFingerprint(request: FingerprintRequest): Promise<EngineFingerprint> {
  const own = await request.own();
  const prompts = promptsOf(own);
  const jobs = prompts.map((prompt): SampleJob => ({ prompt, seeds: [1] }));
  const answers = await allOf(request.served.sampler(capacityOf(prompts)), jobs, greedily(own));
  const texts = answers.map((answer, i): GreedyAnswer => ({ prompt: prompts[i]!, answer }));
  const agreement = await agreementWith(request.runtime(), own.model, texts);
  await checkModel(request, agreement, texts);
  return { prompts, answers, agreement, crowd: await inACrowd(request, prompts[0]!) };
}

/** Differences of a server from itself that its batches explain, in nats a token. */
export const withinItself = ({ crowd }: EngineFingerprint): number => 1e-3 + 8 * crowd.difference;

/** Throws InputError where the server no longer answers as it did when its fingerprint was taken. */
export async function checkUnchangedSince(
  fingerprint: EngineFingerprint,
  { served, own }: FingerprintRequest,
  signal: AbortSignal,
): Promise<void> {
  const { prompts, answers } = fingerprint;
  const jobs = prompts.map((prompt): SampleJob => ({ prompt, seeds: [1] }));
  const options = { ...greedily(await own()), signal };
  const again = await allOf(served.sampler(capacityOf(prompts)), jobs, options);
  const { difference } = repeatOf(answers, again);
  if (difference > withinItself(fingerprint))
    throw new InputError(
      `its answers are no longer those that this run began with, by ${shown(difference)} a token: was it started again with another model, adapter or precision? What came since the last check is not kept; the same command goes on once the server is as it was`,
    );
}
