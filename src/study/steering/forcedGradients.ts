/**
 * What an arm does to the log-odds of the positive completions against the negative ones, to first order:
 * gradients of one model on the contrasts, taken once for all arms.
 */

import { type Contrast, treeSinks } from '../../methods/site/contrast.ts';
import { rowNorms, sinkFactor } from '../../methods/site/sinks.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import type { SteeredTokens } from '../../methods/steering/steer.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import { packTree, type Tree } from '../../models/tree.ts';
import type { Side } from '../../results.ts';
import type { SteeringWork } from './work.ts';

/** The packed places that are changed. */
export function covered(tokens: SteeredTokens, { prompt }: Tree): (place: number) => boolean {
  if (tokens === 'all') return () => true;
  return tokens === 'prompt' ? (place) => place < prompt : (place) => place >= prompt;
}

/** Of one contrast. Shapes: T packed tokens, d residual width. */
interface ContrastGradient {
  readonly tree: Tree;
  /** g⁺ − g⁻ [T, d] */
  readonly gradient: Float32Array;
  /** a [T, d] */
  readonly activation: Float32Array;
  readonly sinks: ReadonlySet<number>;
}

export interface FirstOrder {
  /** −amount Σ_t (g⁺_t − g⁻_t) · d, averaged over contrasts, over the tokens that directions are added at */
  adding(vector: Float32Array, amount: number): number;
  /** Σ_t (g⁺_t − g⁻_t)·d (a_t − ā)·d, averaged over contrasts, over the tokens that projections are held at */
  removing(vector: Float32Array): number;
}

async function gradientOf(
  pass: Awaited<ReturnType<typeof sitePass>>,
  { prompt, positives, negatives }: Contrast,
  d: number,
): Promise<ContrastGradient> {
  const completions = [...positives, ...negatives];
  const tree = packTree(prompt, completions);
  const { gradient, activation } = await pass.run(tree, () =>
    completions.map(
      ({ length }, b) => (b < positives.length ? 1 / positives.length : -1 / negatives.length) / length,
    ),
  );
  return { tree, gradient, activation, sinks: treeSinks(tree, rowNorms(activation, d), sinkFactor) };
}

/** One forward and one backward a contrast. */
export async function firstOrderOn(
  { runtime, layer, sides, options, held }: SteeringWork,
  side: Side,
  contrasts: readonly Contrast[],
): Promise<FirstOrder> {
  const { model } = sides[side].opened;
  const d = model.decoder.width;
  const pass = await sitePass(runtime, model, layer);
  const all: ContrastGradient[] = [];
  try {
    const gradient = (contrast: Contrast) => gradientOf(pass, contrast, d);
    for await (const one of inGroups(contrasts, passesAtOnce(runtime, model), gradient)) all.push(one);
  } finally {
    await pass.release();
  }
  const along = (rows: Float32Array, place: number, vector: Float32Array) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += rows[place * d + i]! * vector[i]!;
    return sum;
  };
  const mean = (of: (one: ContrastGradient, place: number) => number, tokens: SteeredTokens) =>
    all.reduce((sum, one) => {
      const covers = covered(tokens, one.tree);
      const places = [...one.tree.ids.keys()].filter(covers);
      return sum + places.reduce((part, place) => part + of(one, place), 0);
    }, 0) / all.length;
  return {
    adding: (vector, amount) =>
      -amount * mean(({ gradient }, place) => along(gradient, place, vector), options.tokens),
    removing(vector) {
      const at = along(held.baseline, 0, vector);
      return mean(
        ({ gradient, activation, sinks }, place) =>
          sinks.has(place) ? 0 : along(gradient, place, vector) * (along(activation, place, vector) - at),
        options.heldTokens,
      );
    },
  };
}
