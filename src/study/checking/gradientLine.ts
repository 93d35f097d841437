/** Lines about the passes that attribution runs: the gradient at the site, and what a token's loss is. */
import { type Derivative, derivativeAlong, repeated } from '../../methods/check/finiteDifferences.ts';
import type { Completion } from '../../methods/completions/sample.ts';
import { rowNorms, sinksOf } from '../../methods/site/sinks.ts';
import { generatorOf, normalsFrom } from '../../methods/statistics/random.ts';
import type { CheckLine } from '../../results.ts';
import type { Sae } from '../../saes/sae.ts';
import { fails, found, type Look, skipped, warns } from './lines.ts';
import { type ModelReading, meanOfLast } from './reading.ts';

const gradient: Look = {
  name: 'gradient',
  about:
    "The gradient at the site of an answer's mean loss against finite differences: along itself, along random moves, along decoder directions.",
  unit: 'greatest relative error',
  expected: 'at most 0.02',
};

const agreed: Look = {
  name: 'log-probabilities',
  about:
    'The ln p that sampling gave the tokens of an answer are those that the attribution pass gives them.',
  unit: 'nats, greatest difference',
  expected: 'at most 0.001',
};

/** Size of a move, in parts of the text's residuals, attention sinks left out. */
const step = 0.01;
const randomMoves = 2;
const latentMoves = 2;

/** Norm of a text's residuals, sinks left out. */
function sizeOf(residual: Float32Array, d: number): number {
  const norms = rowNorms(residual, d);
  const sinks = new Set(sinksOf(norms, [...norms.keys()]));
  return Math.sqrt(norms.reduce((sum, norm, t) => sum + (sinks.has(t) ? 0 : norm * norm), 0));
}

async function movesOf(
  own: Float32Array,
  size: number,
  sae: Sae | undefined,
): Promise<Map<string, Float32Array[]>> {
  const normal = normalsFrom(generatorOf(1));
  const random = Array.from({ length: randomMoves }, () => Float32Array.from(own, normal));
  const latents = sae ? Math.min(latentMoves, sae.latents) : 0;
  const directions: Float32Array[] = [];
  for (let i = 0; i < latents; i++) {
    const at = Math.floor((i * sae!.latents) / latents);
    directions.push(await sae!.decoderRows(at, at + 1));
  }
  const usable = directions.filter((direction) => direction.some((x) => x !== 0));
  const scaled = (moves: readonly Float32Array[]) => moves.map((one) => repeated(one, own.length, size));
  return new Map([
    ['own', scaled([own])],
    ['random', scaled(random)],
    ['decoder', scaled(usable)],
  ]);
}

/** `layer` is the site's, `prompt` and `answer` a real pair of them. */
export async function gradientLines(
  model: ModelReading,
  { layer, width }: { readonly layer: number; readonly width: number },
  prompt: readonly number[],
  answer: Completion,
  sae: Sae | undefined,
): Promise<CheckLine[]> {
  const ids = [...prompt, ...answer.ids];
  const last = answer.ids.length;
  const { residuals, losses } = await model.read(ids);
  const residual = residuals.get(layer)!;
  const apart = answer.logProbabilities.map((own, i) => Math.abs(own + losses[losses.length - last + i]!));
  const numbers = { difference: Math.max(...apart), tokens: last };
  const same = numbers.difference <= 0.001;
  const own = await model.gradient(ids, residual, last);
  if (!own.some((x) => x !== 0))
    return [
      found(
        gradient,
        { own: 0 },
        fails('the gradient is zero everywhere: the loss does not depend on the site'),
      ),
    ];
  const weights = meanOfLast(ids.length, last);
  const loss = async (x: Float32Array) =>
    (await model.lossesFrom(ids, x)).reduce((sum, value, i) => sum + value * weights[i]!, 0);
  const errors: Record<string, number> = {};
  for (const [name, moves] of await movesOf(own, step * sizeOf(residual, width), sae)) {
    const made: Derivative[] = [];
    for (const move of moves) made.push(await derivativeAlong(loss, residual, own, move));
    if (made.length > 0) errors[name] = Math.max(...made.map(({ error }) => error));
  }
  const worst = Math.max(...Object.values(errors));
  const what =
    'the gradient is not that of the loss: the numbers of an attribution would be wrong; please report it with the model that was used';
  return [
    worst <= 0.02
      ? found(gradient, errors)
      : found(gradient, errors, worst <= 0.1 ? warns(what) : fails(what)),
    same
      ? found(agreed, numbers)
      : found(
          agreed,
          numbers,
          (numbers.difference <= 0.02 ? warns : fails)(
            'sampling and attribution disagree about the same tokens: please report it with the model that was used',
          ),
        ),
  ];
}

/** Where no answer could be sampled. */
export const withoutGradient = (why: string): CheckLine[] => [skipped(gradient, why), skipped(agreed, why)];
