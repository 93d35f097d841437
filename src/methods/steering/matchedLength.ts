/**
 * The effect of steering with completions of the same length compared: a judge may take long texts for
 * positive, or steering may shorten texts so that they never come to the point. Knows no model and no text.
 */
import { bootstrap, quantile } from '../statistics/bootstrap.ts';
import { grouped } from '../statistics/groups.ts';
import type { ShareEffect } from './shareEffects.ts';

/** One graded completion, as a line of steered.jsonl has it. */
export interface LengthItem {
  readonly prompt_id: string;
  readonly tokens: number;
  readonly label: 'positive' | 'negative';
  readonly coherent: boolean;
}

export interface MatchedEffect extends ShareEffect {
  /** share of the coherent completions, of both sides, whose length the other side has too */
  readonly overlap: number;
}

export interface MatchedLengthOptions {
  /** classes of length, of about equally many completions; default 10 */
  readonly bins?: number;
  readonly seed: number;
}

interface Placed {
  readonly bin: number;
  readonly isSteered: boolean;
  readonly isPositive: boolean;
}

interface Cell {
  steered: number;
  alone: number;
  steeredPositives: number;
  alonePositives: number;
}

function cellsOf(items: readonly Placed[], bins: number): Cell[] {
  const cells = Array.from(
    { length: bins },
    (): Cell => ({ steered: 0, alone: 0, steeredPositives: 0, alonePositives: 0 }),
  );
  for (const { bin, isSteered, isPositive } of items) {
    const cell = cells[bin]!;
    cell[isSteered ? 'steered' : 'alone']++;
    if (isPositive) cell[isSteered ? 'steeredPositives' : 'alonePositives']++;
  }
  return cells;
}

/** Risk difference of Mantel and Haenszel over prompts' cells together; NaN where no class has both sides. */
function mantelHaenszel(prompts: readonly (readonly Cell[])[], classes: number): number {
  let [sum, weights] = [0, 0];
  for (let k = 0; k < classes; k++) {
    let [steered, alone, steeredPositives, alonePositives] = [0, 0, 0, 0];
    for (const cells of prompts) {
      const cell = cells[k]!;
      steered += cell.steered;
      alone += cell.alone;
      steeredPositives += cell.steeredPositives;
      alonePositives += cell.alonePositives;
    }
    if (steered === 0 || alone === 0) continue;
    const weight = (steered * alone) / (steered + alone);
    sum += weight * (steeredPositives / steered - alonePositives / alone);
    weights += weight;
  }
  return sum / weights;
}

/** Upper edges of classes of about equally many values, each edge once. */
function edgesOf(values: readonly number[], bins: number): number[] {
  const sorted = Float64Array.from(values).sort();
  const edges = Array.from({ length: bins - 1 }, (_, i) => quantile(sorted, (i + 1) / bins));
  return [...new Set(edges)];
}

/**
 * Change in the share of positives among coherent completions, at the same length: within classes of length
 * (quantiles of both sides together), weighted by n_s n_a / (n_s + n_a) (Mantel and Haenszel), so that
 * lengths that one side alone has count for nothing:
 *
 *     Σ_k w_k (steered share_k − alone share_k) / Σ_k w_k,     w_k = n_s,k n_a,k / (n_s,k + n_a,k)
 *
 * The 95 % interval resamples prompts, the classes held. The effect is NaN where the sides share no length.
 */
export function effectAtMatchedLength(
  steered: readonly LengthItem[],
  alone: readonly LengthItem[],
  { bins = 10, seed }: MatchedLengthOptions,
): MatchedEffect {
  const sides = [steered, alone].map((items) => items.filter(({ coherent }) => coherent));
  const edges = edgesOf(
    sides.flat().map(({ tokens }) => tokens),
    bins,
  );
  const classes = edges.length + 1;
  const placed = sides.flatMap((items, side) =>
    items.map(({ prompt_id, tokens, label }) => ({
      prompt_id,
      bin: edges.filter((edge) => tokens > edge).length,
      isSteered: side === 0,
      isPositive: label === 'positive',
    })),
  );
  const prompts = [...grouped(placed, ({ prompt_id }) => prompt_id).values()].map((own) =>
    cellsOf(own, classes),
  );
  const effectIn = (drawn: readonly (readonly Cell[])[]) => mantelHaenszel(drawn, classes);
  const groups = prompts.map((cells) => [cells]);
  const { effect: interval } = bootstrap(groups, (drawn) => ({ effect: effectIn(drawn) }), { seed });
  const shared = cellsOf(placed, classes).filter((cell) => cell.steered > 0 && cell.alone > 0);
  return {
    effect: effectIn(prompts),
    ...interval,
    overlap: shared.reduce((sum, cell) => sum + cell.steered + cell.alone, 0) / placed.length,
  };
}
