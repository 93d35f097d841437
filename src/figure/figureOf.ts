/** From a causal test's rows and summary to what its figure shows. */
import { effectsOf, type RankedSteeringRow, type SteeringSummary } from '../results.ts';
import type { FigurePoint, SteeringFigure } from './figureData.ts';

/** Latents that were sampled in both directions. */
export function figureOf(
  rows: readonly RankedSteeringRow[],
  { behaviour, zone, selectors }: Pick<SteeringSummary, 'behaviour' | 'zone' | 'selectors'>,
): SteeringFigure {
  const all = effectsOf(rows);
  const points = (role: RankedSteeringRow['role']): FigurePoint[] =>
    all.flatMap((one) => {
      const { latent, away, toward, ranks } = one;
      if (one.role !== role || away?.effect == null || toward?.effect == null) return [];
      return [
        {
          latent,
          away: away.effect,
          toward: toward.effect,
          awayInterval: { low: away.low!, high: away.high! },
          towardInterval: { low: toward.low!, high: toward.high! },
          selectors: Object.keys(ranks),
        },
      ];
    });
  const proposed = Object.fromEntries(selectors.map(({ selector, candidates }) => [selector, candidates]));
  return { behaviour, points: points('candidate'), random: points('random'), proposed, zone };
}
