/**
 * What reacts in the figure, laid over its drawing: links to the latents, the bars of the one pointed at, the
 * box that selects.
 */
import type { FigurePoint, SteeringFigure } from '../../../figure/figureData.ts';
import { pixelOf } from '../../../figure/frame.ts';
import type { Layout } from '../../../figure/layout.ts';
import { signed } from '../../format.ts';
import { pointsIn, useBrush } from './useBrush.ts';

interface OverlayProps {
  readonly figure: SteeringFigure;
  readonly layout: Layout;
  readonly shown: FigurePoint | undefined;
  readonly selected: ReadonlySet<number>;
  readonly hrefOf: (latent: number) => string;
  readonly onShow: (point: FigurePoint | undefined) => void;
  readonly onSelect: (latents: readonly number[]) => void;
}

/** Pixels around a point that a pointer finds. */
const reach = 7;

/** Both intervals, cut off at the plot's edges. */
function Bars({ layout: { axes }, point }: { layout: Layout; point: FigurePoint }) {
  const { left, top, right, bottom } = axes.frame;
  const { x, y } = pixelOf(axes, point.away, point.toward);
  const low = pixelOf(axes, point.awayInterval.low, point.towardInterval.low);
  const high = pixelOf(axes, point.awayInterval.high, point.towardInterval.high);
  return (
    <g className="shown">
      <line x1={Math.max(left, low.x)} x2={Math.min(right, high.x)} y1={y} y2={y} />
      <line x1={x} x2={x} y1={Math.max(top, high.y)} y2={Math.min(bottom, low.y)} />
      <circle cx={x} cy={y} r={reach} />
    </g>
  );
}

function spoken({ latent, away, toward }: FigurePoint): string {
  const points = (change: number) => signed(100 * change, 0);
  return `Latent ${latent}: away ${points(away)}, toward ${points(toward)} percentage points`;
}

export function FigureOverlay(props: OverlayProps) {
  const { figure, layout, shown, selected, hrefOf, onShow, onSelect } = props;
  const { axes, words } = layout;
  const all = [...figure.random, ...figure.points];
  const brush = useBrush((box) => onSelect(pointsIn(axes, all, box).map(({ latent }) => latent)));
  const target = (point: FigurePoint) => {
    const { x, y } = pixelOf(axes, point.away, point.toward);
    return (
      <circle
        cx={x}
        cy={y}
        r={reach}
        className={selected.has(point.latent) ? 'target selected' : 'target'}
        onPointerEnter={() => onShow(point)}
        onPointerLeave={() => onShow(undefined)}
      />
    );
  };
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: the figure has a label; a title would pop up over the points
    <svg className="overlay" width={words.width} height={words.height} {...brush.handlers}>
      {shown && <Bars layout={layout} point={shown} />}
      {figure.random.map((point) => (
        <g key={point.latent}>{target(point)}</g>
      ))}
      {figure.points.map((point) => (
        <a
          key={point.latent}
          href={hrefOf(point.latent)}
          draggable={false}
          aria-label={spoken(point)}
          onFocus={() => onShow(point)}
          onBlur={() => onShow(undefined)}
        >
          {target(point)}
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
  );
}
