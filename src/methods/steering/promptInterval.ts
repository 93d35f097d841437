/**
 * The 95 % interval of an effect, prompts being the units: docs/method.md section 5. Knows neither models nor
 * texts.
 */
import type { Interval } from '../statistics/bootstrap.ts';
import { studentQuantile } from '../statistics/studentT.ts';
import { effectOf, type PromptTallies, type Tally, total } from './effect.ts';

/** The share of one side: Σ p / Σ c, with what each prompt adds to its error, (p − share c) / Σ c. */
function shareOf(tallies: readonly Tally[]) {
  const { positives, coherent } = total(tallies);
  const share = positives / coherent;
  const errors = tallies.map((tally) => (tally.positives - share * tally.coherent) / coherent);
  return { share, coherent, errors, prompts: tallies.filter((tally) => tally.coherent > 0).length };
}

/** Wilson's interval of a share among n units, n not necessarily whole, with the quantile t. */
function wilson(share: number, n: number, t: number): Interval {
  const centre = (share + t ** 2 / (2 * n)) / (1 + t ** 2 / n);
  const half = (t / (1 + t ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + t ** 2 / (4 * n * n));
  return { low: centre - half, high: centre + half };
}

/**
 * 95 % interval of the effect of `prompts` (change in the share of positives, −1 to 1). Each share has Wilson's
 * interval among as many independent completions as its variance over prompts amounts to, share (1 − share) /
 * variance, at most the coherent ones. A share of 0 or 1 has no variance: its completions are taken to be as
 * alike within prompts as those of the other side, or else as all the same. The quantile is Student's of J − 1 degrees of freedom, J the prompts with coherent text. The two are joined as Newcombe
 * (1998, method 10) joins paired shares, with the correlation of the two sides over prompts. NaN where the
 * effect is; −1 to 1 for a single prompt.
 */
export function promptInterval(prompts: readonly PromptTallies[]): Interval {
  const effect = effectOf(prompts);
  if (Number.isNaN(effect)) return { low: Number.NaN, high: Number.NaN };
  const told = prompts.filter(({ steered, alone }) => steered.coherent + alone.coherent > 0);
  const units = told.length;
  if (units < 2) return { low: -1, high: 1 };
  const t = studentQuantile(0.025, units - 1);
  const sides = [told.map(({ steered }) => steered), told.map(({ alone }) => alone)].map(shareOf);
  const [steered, alone] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const product = (a: readonly number[], b: readonly number[]) =>
    (a.reduce((sum, error, j) => sum + error * b[j]!, 0) * units) / (units - 1);
  /** independent completions that a share's variance amounts to; undefined where it has none */
  const independent = sides.map(({ share, coherent, errors }) =>
    share === 0 || share === 1
      ? undefined
      : Math.min(coherent, (share * (1 - share)) / product(errors, errors)),
  );
  const [a, b] = sides.map((side, d) => {
    const other = independent[1 - d];
    // as alike within prompts as on the other side; wholly alike where that does not tell either
    const alike = other === undefined ? 0 : other / sides[1 - d]!.coherent;
    const n = independent[d] ?? Math.max(side.prompts, side.coherent * alike);
    const { low, high } = wilson(side.share, n, t);
    return { below: side.share - low, above: high - side.share };
  }) as [{ below: number; above: number }, { below: number; above: number }];
  const variances = product(steered.errors, steered.errors) * product(alone.errors, alone.errors);
  const together = variances > 0 ? product(steered.errors, alone.errors) / Math.sqrt(variances) : 0;
  const reach = (x: number, y: number) => Math.sqrt(Math.max(0, x * x + y * y - 2 * together * x * y));
  return { low: effect - reach(a.below, b.above), high: effect + reach(a.above, b.below) };
}
