/** From a causal test's rows and summary to what its figure shows. */
import type { RankedSteeringRow, SteeringSummary } from '../results.ts';
import type { FigurePoint, SteeringFigure } from './figureData.ts';

/** Latents that were sampled in both directions. */
export function figureOf(
  rows: readonly RankedSteeringRow[],
  { behaviour, zone, selectors }: Pick<SteeringSummary, 'behaviour' | 'zone' | 'selectors'>,
): SteeringFigure {
  const toward = new Map(rows.filter((row) => row.side === 'toward').map((row) => [row.latent, row]));
  const points = (role: RankedSteeringRow['role']): FigurePoint[] =>
    rows.flatMap((away) => {
      const other = toward.get(away.latent);
      if (away.side !== 'away' || away.role !== role) return [];
      if (away.effect === null || other === undefined || other.effect === null) return [];
      return [
        {
          latent: away.latent,
          away: away.effect,
          toward: other.effect,
          awayInterval: { low: away.low!, high: away.high! },
          towardInterval: { low: other.low!, high: other.high! },
          selectors: Object.keys(away.ranks),
        },
      ];
    });
  const proposed = Object.fromEntries(selectors.map(({ selector, candidates }) => [selector, candidates]));
  return { behaviour, points: points('candidate'), random: points('random'), proposed, zone };
}
