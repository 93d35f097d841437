/** What the causal test's figure is drawn of, beside its points. */
import type { Direction, Zone } from '../../../results.ts';
import { signed } from '../../format.ts';
import type { LegendPlace } from './legendPlaces.ts';
import { type Plane, type PlanePoint, pixelX, pixelY, ticksOf } from './plane.ts';

/** Pixels. */
export const radii = { candidate: 5, random: 3.5 } as const;

/** In the drawing itself, so that a saved one has it. */
export function Legend({ items }: { items: readonly LegendPlace[] }) {
  return (
    <g className="axes">
      {items.map(({ name, kind, x, y }) => (
        <g key={name} transform={`translate(${x},${y})`}>
          {kind === 'zone' ? (
            <g className="zone">
              <rect x={-6} y={-6} width={14} height={12} />
            </g>
          ) : (
            <circle className={`dot ${kind}`} r={kind === 'random' ? radii.random : radii.candidate} />
          )}
          <text x={12} dy="0.32em">
            {name}
          </text>
        </g>
      ))}
    </g>
  );
}

export function Axes({ plane }: { plane: Plane }) {
  const { left, top, right, bottom } = plane.frame;
  const few = right - left < 400 ? 5 : 9;
  return (
    <g className="axes">
      {ticksOf(plane.x, few).map((tick) => (
        <g key={tick} transform={`translate(${pixelX(plane, tick)},0)`}>
          <line y1={top} y2={bottom} className={tick === 0 ? 'zero' : 'grid'} />
          <text y={bottom + 16} textAnchor="middle">
            {signed(tick, 0)}
          </text>
        </g>
      ))}
      {ticksOf(plane.y, 6).map((tick) => (
        <g key={tick} transform={`translate(0,${pixelY(plane, tick)})`}>
          <line x1={left} x2={right} className={tick === 0 ? 'zero' : 'grid'} />
          <text x={left - 6} dy="0.32em" textAnchor="end">
            {signed(tick, 0)}
          </text>
        </g>
      ))}
      <text x={(left + right) / 2} y={bottom + 36} textAnchor="middle">
        subject steered away, change in percentage points
      </text>
      <text transform={`translate(13,${(top + bottom) / 2}) rotate(-90)`} textAnchor="middle">
        reference steered toward
      </text>
    </g>
  );
}

export function ZoneBands({ plane, zone }: { plane: Plane; zone: Zone }) {
  const { left, top, right, bottom } = plane.frame;
  const at = (side: Direction, edge: 'low' | 'high') =>
    (side === 'away' ? pixelX : pixelY)(plane, 100 * zone[side][edge]);
  const [x1, x2, y1, y2] = [at('away', 'low'), at('away', 'high'), at('toward', 'high'), at('toward', 'low')];
  return (
    <g className="zone">
      <rect x={x1} width={x2 - x1} y={top} height={bottom - top} />
      <rect x={left} width={right - left} y={y1} height={y2 - y1} />
    </g>
  );
}

export function Bars({ plane, point }: { plane: Plane; point: PlanePoint }) {
  const { away, toward } = point.effects;
  const [x, y] = [pixelX(plane, point.away), pixelY(plane, point.toward)];
  return (
    <g className="bars">
      {away?.low != null && away.high != null && (
        <line x1={pixelX(plane, 100 * away.low)} x2={pixelX(plane, 100 * away.high)} y1={y} y2={y} />
      )}
      {toward?.low != null && toward.high != null && (
        <line x1={x} x2={x} y1={pixelY(plane, 100 * toward.low)} y2={pixelY(plane, 100 * toward.high)} />
      )}
    </g>
  );
}
