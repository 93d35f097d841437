/**
 * The causal test's figure on the page: as wide as its place, with a latent's numbers where one points, a box
 * that selects, and files to keep.
 */

import { useMemo, useState } from 'react';
import type { FigurePoint, SteeringFigure } from '../../../figure/figureData.ts';
import { pixelOf } from '../../../figure/frame.ts';
import { layoutOf } from '../../../figure/layout.ts';
import type { LatentEffects } from '../../../results.ts';
import { useWidth } from '../../parts/useWidth.ts';
import { FigureDrawing } from './figureDrawing.tsx';
import { FigureExport } from './figureExport.tsx';
import { FigureOverlay } from './figureOverlay.tsx';
import { seriesVariables } from './figurePalette.ts';
import { PointNote } from './pointNote.tsx';

interface FigureProps {
  readonly figure: SteeringFigure;
  /** of the latents drawn */
  readonly effectsOf: (latent: number) => LatentEffects;
  readonly selected: ReadonlySet<number>;
  readonly hrefOf: (latent: number) => string;
  readonly onSelect: (latents: readonly number[]) => void;
}

/** A plot that is lower the narrower the page, down to what its titles need. */
const sizeOf = (width: number) => ({ width, plotHeight: Math.max(300, Math.min(420, 0.6 * width)) });

interface PlaneProps extends FigureProps {
  readonly width: number;
}

function Plane({ width, effectsOf, ...props }: PlaneProps) {
  const { figure } = props;
  const [shown, setShown] = useState<FigurePoint>();
  const layout = useMemo(() => layoutOf(figure, sizeOf(width)), [figure, width]);
  const at = shown && pixelOf(layout.axes, shown.away, shown.toward);
  return (
    <>
      <div className="plane">
        <FigureDrawing figure={figure} layout={layout} />
        <FigureOverlay {...props} layout={layout} shown={shown} onShow={setShown} />
        {shown && at && <PointNote effects={effectsOf(shown.latent)} x={at.x} y={at.y} width={width} />}
      </div>
      <figcaption>
        <span className="quiet">
          A cause lies at the upper left: less when steered away, more when steered toward. Drag a box to list
          what is in it.
        </span>
        <FigureExport figure={figure} layout={layout} name="steering" />
      </figcaption>
    </>
  );
}

export function SteeringFigureView(props: FigureProps) {
  const { behaviour, points, random } = props.figure;
  const [holder, width] = useWidth<HTMLDivElement>();
  return (
    <figure
      className="steering"
      style={seriesVariables}
      ref={holder}
      aria-label={`Effects of steering on ${behaviour}: ${points.length + random.length} latents`}
    >
      {width > 0 && <Plane {...props} width={width} />}
    </figure>
  );
}
