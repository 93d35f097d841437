/**
 * Whether a server steers as the local files would: a vector of zeros changes nothing, and one as long as the mean
 * residual changes answers and residuals by as much as it does here. Knows no protocol. docs/engines.md.
 */
import { InputError } from '../../errors.ts';
import { lossPass, residualsPass } from '../../methods/check/textPass.ts';
import type { Completion, SampleJob, SampleOptions, Sampler } from '../../methods/completions/sample.ts';
import { rowNorms, sinksOf } from '../../methods/site/sinks.ts';
import { randomDirection } from '../../methods/statistics/random.ts';
import { addedVector, type SteeredTokens, steeredTokens } from '../../methods/steering/steer.ts';
import type { Model } from '../../models/decoder.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { repeatOf } from './agreement.ts';
import { allOf, capacityOf, type EngineFingerprint, shown, withinItself } from './fingerprint.ts';

/** Tokens of a steered answer. */
const answerTokens = 4;
/** Greatest part by which residuals may differ, and what is added to them. */
const mostResidual = 0.05;

export interface ServedSteering {
  sampler(capacity: number, steerAt: number): Sampler;
  /** undefined where residuals cannot be read here */
  readonly residuals:
    | ((layer: number, ids: readonly number[], added?: Float32Array) => Promise<Float32Array>)
    | undefined;
}

export interface SteeringCheck {
  readonly served: ServedSteering;
  readonly runtime: Runtime;
  readonly model: Model;
  readonly layer: number;
  readonly fingerprint: EngineFingerprint;
}

export interface SteeringFindings {
  /** sets of tokens that it steers as the local files do */
  readonly tokens: readonly SteeredTokens[];
  /** of the answers under the vector: mean |Δ ln p| between server and files, and between steered and not, nats */
  readonly difference: number;
  readonly effect: number;
  /** |a − b|/|b| over all residuals; undefined where none could be read */
  readonly residuals: number | undefined;
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** A model cut at the layer. */
async function cutModel({ runtime, model, layer }: SteeringCheck) {
  const below = await residualsPass(runtime, model, [layer]);
  const above = await lossPass(runtime, model, layer);
  return {
    residuals: async (ids: readonly number[]) => (await below.run(ids)).get(layer)!,
    /** ln p of each of an answer's tokens, with this residual */
    answer: async (ids: readonly number[], residual: Float32Array, prompt: number) =>
      [...(await above.run(ids, residual)).slice(prompt - 1)].map((loss) => -loss),
    release: () => Promise.all([below.release(), above.release()]),
  };
}
type CutModel = Awaited<ReturnType<typeof cutModel>>;

const covered = (tokens: SteeredTokens, prompt: number) => (place: number) =>
  tokens === 'all' || (tokens === 'prompt') === place < prompt;

const withAdded = (residual: Float32Array, added: Float32Array, covers: (place: number) => boolean) =>
  residual.map((x, i) => {
    const d = added.length;
    return covers(Math.floor(i / d)) ? x + added[i % d]! : x;
  });

/** A random direction, as long as the mean residual of the prompts without their attention sinks. */
async function testVector(cut: CutModel, { model, fingerprint }: SteeringCheck): Promise<Float32Array> {
  const { width } = model.decoder;
  const norms: number[] = [];
  for (const ids of fingerprint.prompts) {
    const own = rowNorms(await cut.residuals(ids), width);
    const sinks = new Set(sinksOf(own, [...ids.keys()]));
    norms.push(...[...own].filter((_, t) => !sinks.has(t)));
  }
  return randomDirection(width, 1).direction.map((x) => x * mean(norms));
}

const greedy: SampleOptions = { temperature: 0, maxTokens: answerTokens, endIds: [] };

async function answersUnder(
  { served, layer, fingerprint: { prompts } }: SteeringCheck,
  added: Float32Array,
  tokens: SteeredTokens,
  options: SampleOptions,
): Promise<Completion[]> {
  const jobs = prompts.map(
    (prompt): SampleJob => ({ prompt, seeds: [1], steer: addedVector(added, tokens) }),
  );
  return allOf(served.sampler(capacityOf(prompts), layer), jobs, options);
}

/** How far the answers are from what the local files say under the vector, and how far that is from without it. */
async function underVector(
  check: SteeringCheck,
  cut: CutModel,
  added: Float32Array,
  tokens: SteeredTokens,
): Promise<{ difference: number; effect: number }> {
  const answers = await answersUnder(check, added, tokens, greedy);
  const [differences, effects]: [number[], number[]] = [[], []];
  for (const [i, { ids, logProbabilities }] of answers.entries()) {
    const prompt = check.fingerprint.prompts[i]!;
    const text = [...prompt, ...ids];
    const residual = await cut.residuals(text);
    const moved = withAdded(residual, added, covered(tokens, prompt.length));
    const [steered, alone] = [
      await cut.answer(text, moved, prompt.length),
      await cut.answer(text, residual, prompt.length),
    ];
    for (const [t, own] of steered.entries()) {
      differences.push(Math.abs(own - logProbabilities[t]!));
      effects.push(Math.abs(own - alone[t]!));
    }
  }
  return { difference: mean(differences), effect: mean(effects) };
}

async function checkZeros(check: SteeringCheck): Promise<void> {
  const { model, fingerprint } = check;
  const longest = Math.max(...fingerprint.answers.map(({ ids }) => ids.length));
  const same = { ...greedy, maxTokens: longest };
  const zeros = await answersUnder(check, new Float32Array(model.decoder.width), 'all', same);
  const { difference } = repeatOf(
    fingerprint.answers,
    zeros.map(({ ids, logProbabilities, stop }, i) => {
      const { length } = fingerprint.answers[i]!.ids;
      return { ids: ids.slice(0, length), logProbabilities: logProbabilities.slice(0, length), stop };
    }),
  );
  if (difference > withinItself(fingerprint))
    throw new InputError(
      `expected a vector of zeros to change nothing, found that its log-probabilities change by ${shown(difference)} a token`,
    );
}

const lengthOf = (values: Iterable<number>) => {
  let sum = 0;
  for (const x of values) sum += x * x;
  return Math.sqrt(sum);
};

/** |a − b| in parts of |b|. */
const partOff = (a: Float32Array, b: Float32Array) => lengthOf(a.map((x, i) => x - b[i]!)) / lengthOf(b);

async function checkResiduals(
  { served, layer, fingerprint: { prompts } }: SteeringCheck,
  cut: CutModel,
  added: Float32Array,
): Promise<number | undefined> {
  if (served.residuals === undefined) return undefined;
  let most = 0;
  for (const ids of prompts) {
    const [own, found] = [await cut.residuals(ids), await served.residuals(layer, ids)];
    const part = partOff(found, own);
    if (!(part <= mostResidual))
      throw new InputError(
        `expected its residuals at resid_post ${layer} to be those of the local files, found them off by ${Number((100 * part).toPrecision(2))} % of their length`,
      );
    const moved = await served.residuals(layer, ids, added);
    const by = moved.map((x, i) => x - found[i]!);
    const all = by.map((_, i) => added[i % added.length]!);
    const off = partOff(by, all);
    if (!(off <= mostResidual))
      throw new InputError(
        `expected an added vector to move its residuals by itself, found them moved by another, off by ${Number((100 * off).toPrecision(2))} % of its length`,
      );
    most = Math.max(most, part);
  }
  return most;
}

/** Throws InputError, in words that the server's name goes before, where it does not steer at all tokens as files do. */
export async function checkSteering(check: SteeringCheck): Promise<SteeringFindings> {
  await checkZeros(check);
  const cut = await cutModel(check);
  try {
    return await checkVectors(check, cut);
  } finally {
    await cut.release();
  }
}

async function checkVectors(check: SteeringCheck, cut: CutModel): Promise<SteeringFindings> {
  const { fingerprint } = check;
  const added = await testVector(cut, check);
  const limit = Math.max(0.02, 5 * fingerprint.agreement.difference, withinItself(fingerprint));
  const found: [SteeredTokens, { difference: number; effect: number }][] = [];
  for (const tokens of steeredTokens) found.push([tokens, await underVector(check, cut, added, tokens)]);
  const [, all] = found.find(([tokens]) => tokens === 'all')!;
  if (all.difference > limit)
    throw new InputError(
      `expected steering at every token to do as the local files do, found its log-probabilities off by ${shown(all.difference)} a token, where the vector changes them by ${shown(all.effect)}: is the plugin vllm-lens installed in the server, and not switched off?`,
    );
  if (all.effect < 2 * limit)
    throw new InputError(
      `expected a vector as long as the mean residual to change its answers, found a change of ${shown(all.effect)} a token, too small to compare by`,
    );
  const residuals = await checkResiduals(check, cut, added);
  const tokens = found
    .filter(([, { difference, effect }]) => difference <= limit && effect >= 2 * limit)
    .map(([name]) => name);
  return { tokens, ...all, residuals };
}
