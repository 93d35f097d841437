/**
 * The baseline ā: the mean residual at the site over the tokens of a corpus, attention sinks left out
 * (docs/method.md).
 */
import { sequence } from '../../models/tree.ts';
import { lowerMedian, rowNorms, sinkFactor, sinksOf } from './sinks.ts';
import type { SitePass } from './siteGradient.ts';

/** Sums that grow passage by passage; plain JSON but for the array. */
export interface BaselineSums {
  /** Σ a_t [d] */
  readonly sum: Float64Array;
  /** tokens in the sum, tokens left out as sinks, passages */
  tokens: number;
  sinks: number;
  passages: number;
  /** norms of the tokens in the sum */
  readonly norms: number[];
}

export interface Baseline {
  /** ā [d] */
  readonly mean: Float32Array;
  readonly tokens: number;
  readonly sinks: number;
  readonly passages: number;
  /** of the residual norms, sinks left out */
  readonly norm: {
    readonly mean: number;
    readonly median: number;
    readonly least: number;
    readonly greatest: number;
  };
}

export function emptySums(d: number): BaselineSums {
  return { sum: new Float64Array(d), tokens: 0, sinks: 0, passages: 0, norms: [] };
}

/** Adds one passage's tokens. */
export async function addPassage(
  sums: BaselineSums,
  pass: Pick<SitePass, 'activation'>,
  ids: readonly number[],
  factor = sinkFactor,
): Promise<void> {
  const d = sums.sum.length;
  const activation = await pass.activation(sequence(ids));
  const norms = rowNorms(activation, d);
  const sinks = new Set(sinksOf(norms, [...ids.keys()], factor));
  norms.forEach((norm, t) => {
    if (sinks.has(t)) return;
    sums.norms.push(norm);
    for (let i = 0; i < d; i++) sums.sum[i]! += activation[t * d + i]!;
  });
  sums.tokens += ids.length - sinks.size;
  sums.sinks += sinks.size;
  sums.passages++;
}

/** The mean and the norms' statistics; throws RangeError for sums without tokens. */
export function baselineOf({ sum, tokens, sinks, passages, norms }: BaselineSums): Baseline {
  if (tokens === 0) throw new RangeError('baseline: no tokens');
  const bound = (pick: (a: number, b: number) => number) => norms.reduce((m, x) => pick(m, x));
  return {
    mean: Float32Array.from(sum, (x) => x / tokens),
    tokens,
    sinks,
    passages,
    norm: {
      mean: norms.reduce((total, x) => total + x, 0) / tokens,
      median: lowerMedian(norms),
      least: bound(Math.min),
      greatest: bound(Math.max),
    },
  };
}
