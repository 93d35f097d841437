/** The causal test's figure: what steering away from each latent and toward it does, against random latents. */

import { useMemo, useRef, useState } from 'react';
import type { Zone } from '../../../results.ts';
import { signed } from '../../format.ts';
import { FigureExport } from './figureExport.tsx';
import { Axes, Bars, Legend, radii, ZoneBands } from './figureParts.tsx';
import { legendOf, legendPlaces } from './legendPlaces.ts';
import { domainsOf, type Plane, type PlanePoint, pixelX, pixelY, pointsIn, seriesOf } from './plane.ts';
import { PointNote } from './pointNote.tsx';
import { useBrush } from './useBrush.ts';
import { useWidth } from './useWidth.ts';

interface FigureProps {
  readonly points: readonly PlanePoint[];
  readonly zone: Zone;
  readonly behaviour: string;
  /** selectors in the causal test's order */
  readonly selectors: readonly string[];
  readonly confirmed: ReadonlySet<number>;
  readonly selected: ReadonlySet<number>;
  readonly hrefOf: (latent: number) => string;
  readonly onSelect: (latents: readonly number[]) => void;
}

/** Of the ticks and the axis' name. */
const foot = 44;

const planeOf = (width: number, top: number, { points, zone, confirmed }: FigureProps): Plane => ({
  ...domainsOf(points, zone, confirmed),
  frame: { left: 52, top, right: width - 14, bottom: top + Math.max(230, Math.min(420, 0.6 * width)) },
});

export function SteeringFigure(props: FigureProps) {
  const { points, zone, behaviour, selectors, confirmed, selected, hrefOf, onSelect } = props;
  const [holder, width] = useWidth<HTMLDivElement>();
  const svg = useRef<SVGSVGElement>(null);
  const [shown, setShown] = useState<PlanePoint>();
  const legend = legendPlaces(legendOf(points, selectors), width);
  const plane = planeOf(width, legend.at(-1)!.y + 14, props);
  const brush = useBrush((box) => onSelect(pointsIn(plane, points, box).map(({ latent }) => latent)));
  const classes = useMemo(
    () =>
      new Map(
        seriesOf(
          points.filter(({ random }) => !random),
          selectors,
        ).flatMap(({ kind, points: members }) => members.map(({ latent }) => [latent, kind] as const)),
      ),
    [points, selectors],
  );
  const barred = points.filter((point) => point === shown || confirmed.has(point.latent));
  const dot = (point: PlanePoint) => (
    <circle
      cx={pixelX(plane, point.away)}
      cy={pixelY(plane, point.toward)}
      r={point.random ? radii.random : radii.candidate}
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
      {width > 0 && (
        <div className="plane">
          {/* biome-ignore lint/a11y/noSvgWithoutTitle: the figure has a label; a title would pop up over the points */}
          <svg ref={svg} width={width} height={plane.frame.bottom + foot} {...brush.handlers}>
            <Legend items={legend} />
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
                  onFocus={() => setShown(point)}
                  onBlur={() => setShown(undefined)}
                  {...hover(point)}
                >
                  {dot(point)}
                  {confirmed.has(point.latent) && (
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
