/**
 * Sampling completions of one prompt. All completions of a prompt run together as a tree, so that they share it; a completion
 * depends on its own seed only, not on the others.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { packTree, sequence, type Tree, treeFeeds } from '../models/tree.ts';
import type { Session } from '../runtime/runtime.ts';
import { i64, toFloat32 } from '../tensor.ts';
import { generatorOf } from './random.ts';

export interface SampleOptions {
  /** 0: greedy; default 1 */
  readonly temperature?: number;
  /** the most tokens of a completion */
  readonly maxTokens: number;
  /** ids that end a completion; kept as its last token */
  readonly endIds: readonly number[];
}

export interface Completion {
  readonly ids: number[];
  /** ln p of each token under the model, at temperature 1 */
  readonly logProbabilities: number[];
  /** whether an end id came before the limit */
  readonly ended: boolean;
}

interface Growing {
  readonly completion: { ids: number[]; logProbabilities: number[]; ended: boolean };
  readonly random: RandomGenerator;
}

/** Draws from softmax(logits / temperature) with one uniform number; the greatest logit at temperature 0. */
export function draw(logits: Float32Array, temperature: number, uniform: number): number {
  const greatest = logits.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
  if (temperature === 0) return logits.indexOf(greatest);
  const weights = Float64Array.from(logits, (x) => Math.exp((x - greatest) / temperature));
  let left = uniform * weights.reduce((sum, w) => sum + w, 0);
  for (let id = 0; id < weights.length; id++) {
    left -= weights[id]!;
    if (left < 0) return id;
  }
  return weights.findLastIndex((w) => w > 0);
}

function logProbability(logits: Float32Array, id: number): number {
  const greatest = logits.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
  return logits[id]! - greatest - Math.log(logits.reduce((sum, x) => sum + Math.exp(x - greatest), 0));
}

/** The tree of what has grown so far, and the packed places that predict each growing completion's next token. */
function packed(prompt: readonly number[], growing: readonly Growing[]): { tree: Tree; rows: number[] } {
  const begun = growing[0]!.completion.ids.length > 0;
  const tree = begun
    ? packTree(
        prompt,
        growing.map((g) => g.completion.ids),
      )
    : sequence(prompt);
  const rows = growing.map((_, i) => (begun ? tree.branches[i]!.end - 1 : tree.prompt - 1));
  return { tree, rows };
}

/**
 * One completion for each seed, in order. `session` runs `logitsGraph` of the model. Throws RangeError for a prompt without tokens.
 */
export async function sampleCompletions(
  session: Session,
  prompt: readonly number[],
  seeds: readonly number[],
  { temperature = 1, maxTokens, endIds }: SampleOptions,
): Promise<Completion[]> {
  const all: Growing[] = seeds.map((seed) => ({
    completion: { ids: [], logProbabilities: [], ended: false },
    random: generatorOf(seed),
  }));
  let growing = all;
  for (let step = 0; step < maxTokens && growing.length > 0; step++) {
    const { tree, rows } = packed(prompt, growing);
    const { logits } = await session.run({ ...treeFeeds(tree), rows: i64([rows.length], rows) });
    const values = toFloat32(logits!);
    const vocabulary = logits!.shape[1]!;
    growing.forEach(({ completion, random }, i) => {
      const row = values.subarray(i * vocabulary, (i + 1) * vocabulary);
      const id = draw(row, temperature, uniformFloat64(random));
      completion.ids.push(id);
      completion.logProbabilities.push(logProbability(row, id));
      completion.ended = endIds.includes(id);
    });
    growing = growing.filter(({ completion }) => !completion.ended);
  }
  return all.map(({ completion }) => completion);
}
