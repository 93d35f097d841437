/** What reacts in the figure, laid over its drawing: a row per direction, a spot per dot, links to the latents. */
import type { ReactNode } from 'react';
import { dotsOn } from '../../../figure/effectMarks.ts';
import { type FigureDot, type FigureRow, type Panel, panels } from '../../../figure/figureData.ts';
import type { Layout } from '../../../figure/layout.ts';
import { isDots, isRow } from '../../../figure/lines.ts';
import { points } from '../../format.ts';

/** A direction, and where its note goes. */
export interface ShownDirection {
  readonly direction: string;
  readonly x: number;
  readonly y: number;
}

interface OverlayProps {
  readonly layout: Layout;
  readonly shown: ShownDirection | undefined;
  readonly hrefOf: (latent: number) => string;
  readonly onShow: (shown: ShownDirection | undefined) => void;
}

/** Pixels around a dot that a pointer finds. */
const reach = 5;

const done: Readonly<Record<Panel, string>> = { remove: 'removed', away: 'away', toward: 'toward' };

function spoken({ direction, effects }: FigureRow): string {
  const said = panels.flatMap((panel) => {
    const found = effects[panel];
    return found ? [`${done[panel]} ${points(found.effect)}`] : [];
  });
  return `${direction}: ${said.join(', ')}`;
}

interface TargetProps {
  readonly latent: number | null;
  /** spoken; undefined for what keys pass over */
  readonly label: string | undefined;
  readonly at: ShownDirection;
  readonly overlay: OverlayProps;
  readonly children: ReactNode;
}

function Target({ latent, label, at, overlay: { hrefOf, onShow }, children }: TargetProps) {
  const listeners = { onPointerEnter: () => onShow(at), onPointerLeave: () => onShow(undefined) };
  if (latent === null) return <g {...listeners}>{children}</g>;
  return (
    <a
      href={hrefOf(latent)}
      {...(label === undefined ? { tabIndex: -1, 'aria-hidden': true } : { 'aria-label': label })}
      onFocus={() => onShow(at)}
      onBlur={() => onShow(undefined)}
      {...listeners}
    >
      {children}
    </a>
  );
}

/** Every line once where panels stand side by side, once a panel where they stand one below the other. */
function Rows(overlay: OverlayProps) {
  const { layout, shown } = overlay;
  const copies = layout.words.isStacked ? layout.panels : layout.panels.slice(0, 1);
  return copies.flatMap(({ panel, frame }, copy) =>
    layout.lines.filter(isRow).map(({ row, top, height }) => {
      const y = frame.top + top;
      return (
        <Target
          key={`${panel} ${row.direction}`}
          latent={row.latent}
          label={copy === 0 ? spoken(row) : undefined}
          at={{ direction: row.direction, x: layout.namesEnd, y: y + height }}
          overlay={overlay}
        >
          <rect
            x={0}
            y={y}
            width={layout.width}
            height={height}
            className={shown?.direction === row.direction ? 'target shown' : 'target'}
          />
        </Target>
      );
    }),
  );
}

function Dots(overlay: OverlayProps) {
  const { layout, shown } = overlay;
  const target = (key: string, dot: FigureDot, x: number, y: number) => (
    <Target
      key={key}
      latent={dot.latent}
      label={undefined}
      at={{ direction: dot.direction, x, y }}
      overlay={overlay}
    >
      <circle
        cx={x}
        cy={y}
        r={reach}
        className={shown?.direction === dot.direction ? 'target shown' : 'target'}
      />
    </Target>
  );
  return layout.panels.flatMap((place) =>
    layout.lines
      .filter(isDots)
      .flatMap((line) =>
        dotsOn(place, line).map(({ dot, x, y }) => target(`${place.panel} ${dot.direction}`, dot, x, y)),
      ),
  );
}

export function FigureOverlay(props: OverlayProps) {
  const { width, height } = props.layout;
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: the figure has a label; a title would pop up over the marks
    <svg className="overlay" width={width} height={height}>
      <Rows {...props} />
      <Dots {...props} />
    </svg>
  );
}
