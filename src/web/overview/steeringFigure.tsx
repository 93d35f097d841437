/** The proof's figure: what steering away from each latent and toward it does, against random latents. */
import { type PointerEvent, useMemo, useRef, useState } from 'react';
import type { Direction } from '../../results.ts';
import type { Zone } from '../effects.ts';
import { signed } from '../format.ts';
import { FigureExport } from './figureExport.tsx';
import {
  type Box,
  domainsOf,
  type Plane,
  type PlanePoint,
  pixelX,
  pixelY,
  pointsIn,
  seriesOf,
  ticksOf,
} from './plane.ts';
import { PointNote } from './pointNote.tsx';
import { useWidth } from './useWidth.ts';

interface FigureProps {
  readonly points: readonly PlanePoint[];
  readonly zone: Zone;
  readonly behaviour: string;
  readonly proven: ReadonlySet<number>;
  readonly selected: ReadonlySet<number>;
  readonly hrefOf: (latent: number) => string;
  readonly onSelect: (latents: readonly number[]) => void;
  readonly onOpen: (latent: number) => void;
}

const radius = 5;
/** Pixels that a pointer moves before it brushes. */
const slack = 4;

const planeOf = (width: number, { points, zone, proven }: FigureProps): Plane => ({
  ...domainsOf(points, zone, proven),
  frame: {
    left: 52,
    top: 12,
    right: width - 14,
    bottom: Math.max(260, Math.min(460, 0.68 * width)) - 44,
  },
});

function Axes({ plane }: { plane: Plane }) {
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

function ZoneBands({ plane, zone }: { plane: Plane; zone: Zone }) {
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

function Bars({ plane, point }: { plane: Plane; point: PlanePoint }) {
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

function boxOf(from: readonly [number, number], to: readonly [number, number]): Box {
  const [[a, b], [c, d]] = [from, to];
  return { left: Math.min(a, c), top: Math.min(b, d), right: Math.max(a, c), bottom: Math.max(b, d) };
}

/** A box drawn with a mouse or a pen; a finger scrolls. */
function useBrush(done: (box: Box) => void) {
  const [from, setFrom] = useState<readonly [number, number]>();
  const [box, setBox] = useState<Box>();
  const at = ({ nativeEvent, currentTarget }: PointerEvent<SVGSVGElement>) => {
    const { left, top } = currentTarget.getBoundingClientRect();
    return [nativeEvent.clientX - left, nativeEvent.clientY - top] as const;
  };
  return {
    box,
    handlers: {
      onPointerDown(event: PointerEvent<SVGSVGElement>) {
        if (event.pointerType !== 'touch' && event.button === 0) setFrom(at(event));
      },
      onPointerMove(event: PointerEvent<SVGSVGElement>) {
        if (!from) return;
        const next = boxOf(from, at(event));
        if (next.right - next.left + next.bottom - next.top > slack) setBox(next);
      },
      onPointerUp() {
        if (box) done(box);
        setFrom(undefined);
        setBox(undefined);
      },
      onPointerLeave() {
        setFrom(undefined);
        setBox(undefined);
      },
    },
  };
}

function Legend({ points }: { points: readonly PlanePoint[] }) {
  return (
    <p className="legend">
      {seriesOf(points.filter(({ random }) => !random)).map(({ name, points: { length } }, i) => (
        <span key={name}>
          <svg className={`dot ${seriesClass(name, i)}`} width="12" height="12" aria-hidden="true">
            <circle cx="6" cy="6" r="5" />
          </svg>{' '}
          {name} <span className="quiet">{length}</span>
        </span>
      ))}
      <span>
        <svg className="dot random" width="12" height="12" aria-hidden="true">
          <circle cx="6" cy="6" r="3.5" />
        </svg>{' '}
        random <span className="quiet">{points.filter(({ random }) => random).length}</span>
      </span>
      <span>
        <span className="swatch zone-swatch" /> gray zone: the central 95 % of random latents
      </span>
    </p>
  );
}

const seriesClass = (name: string, i: number) =>
  name === 'several selectors' ? 'several' : `series-${i % 6}`;

export function SteeringFigure(props: FigureProps) {
  const { points, zone, behaviour, proven, selected, hrefOf, onSelect, onOpen } = props;
  const [holder, width] = useWidth<HTMLDivElement>();
  const svg = useRef<SVGSVGElement>(null);
  const [shown, setShown] = useState<PlanePoint>();
  const plane = planeOf(width, props);
  const brush = useBrush((box) => onSelect(pointsIn(plane, points, box).map(({ latent }) => latent)));
  const classes = useMemo(
    () =>
      new Map(
        seriesOf(points.filter(({ random }) => !random)).flatMap(({ name, points: members }, i) =>
          members.map(({ latent }) => [latent, seriesClass(name, i)] as const),
        ),
      ),
    [points],
  );
  const barred = points.filter((point) => point === shown || proven.has(point.latent));
  const dot = (point: PlanePoint) => (
    <circle
      cx={pixelX(plane, point.away)}
      cy={pixelY(plane, point.toward)}
      r={point.random ? 3.5 : radius}
      className={`dot ${point.random ? 'random' : classes.get(point.latent)} ${selected.has(point.latent) ? 'selected' : ''}`}
    />
  );
  const hover = (point: PlanePoint) => ({
    onPointerEnter: () => setShown(point),
    onPointerLeave: () => setShown(undefined),
  });
  return (
    <figure
      className="steering"
      ref={holder}
      aria-label={`Effects of steering on ${behaviour}: ${points.length} latents`}
    >
      <Legend points={points} />
      {width > 0 && (
        <div className="plane">
          {/* biome-ignore lint/a11y/noSvgWithoutTitle: the figure has a label; a title would pop up over the points */}
          <svg ref={svg} width={width} height={plane.frame.bottom + 44} {...brush.handlers}>
            <ZoneBands plane={plane} zone={zone} />
            <Axes plane={plane} />
            {barred.map((point) => (
              <Bars key={point.latent} plane={plane} point={point} />
            ))}
            {points
              .filter(({ random }) => random)
              .map((point) => (
                <g key={point.latent} {...hover(point)}>
                  {dot(point)}
                </g>
              ))}
            {points
              .filter(({ random }) => !random)
              .map((point) => (
                <a
                  key={point.latent}
                  href={hrefOf(point.latent)}
                  draggable={false}
                  aria-label={`Latent ${point.latent}: away ${signed(point.away, 0)}, toward ${signed(point.toward, 0)} percentage points`}
                  onClick={(event) => {
                    event.preventDefault();
                    onOpen(point.latent);
                  }}
                  onFocus={() => setShown(point)}
                  onBlur={() => setShown(undefined)}
                  {...hover(point)}
                >
                  {dot(point)}
                  {proven.has(point.latent) && (
                    <text
                      className="name"
                      x={pixelX(plane, point.away) + 8}
                      y={pixelY(plane, point.toward) - 8}
                    >
                      {point.latent}
                    </text>
                  )}
                </a>
              ))}
            {brush.box && (
              <rect
                className="brush"
                x={brush.box.left}
                y={brush.box.top}
                width={brush.box.right - brush.box.left}
                height={brush.box.bottom - brush.box.top}
              />
            )}
          </svg>
          {shown && (
            <PointNote
              point={shown}
              x={pixelX(plane, shown.away)}
              y={pixelY(plane, shown.toward)}
              width={width}
            />
          )}
        </div>
      )}
      <figcaption>
        <span className="quiet">
          A cause lies at the upper left: less when steered away, more when steered toward. Drag a box to list
          what is in it.
        </span>
        <FigureExport svg={svg} name="steering" />
      </figcaption>
    </figure>
  );
}
