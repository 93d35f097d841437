/** The causal test's figure on the page: as wide as its place, with a direction's numbers where one points. */

import { useMemo, useState } from 'react';
import { rowsIn, type SteeringFigure } from '../../../figure/figureData.ts';
import { layoutOf } from '../../../figure/layout.ts';
import type { DirectionEffects, SteeringSummary } from '../../../results.ts';
import { useWidth } from '../../parts/useWidth.ts';
import { FigureDrawing } from './figureDrawing.tsx';
import { FigureExport } from './figureExport.tsx';
import { FigureOverlay, type ShownDirection } from './figureOverlay.tsx';
import { markVariables } from './figurePalette.ts';
import { PointNote } from './pointNote.tsx';

interface FigureProps {
  readonly figure: SteeringFigure;
  /** of a file that it is saved as */
  readonly name: string;
  /** of the directions drawn */
  readonly effects: ReadonlyMap<string, DirectionEffects>;
  readonly zone: SteeringSummary['zone'];
  readonly hrefOf: (latent: number) => string;
}

interface PlaneProps extends FigureProps {
  readonly width: number;
}

function Plane({ width, figure, name, effects, zone, hrefOf }: PlaneProps) {
  const [shown, setShown] = useState<ShownDirection>();
  const layout = useMemo(() => layoutOf(figure, { width }), [figure, width]);
  return (
    <>
      <div className="plane">
        <FigureDrawing figure={figure} layout={layout} />
        <FigureOverlay layout={layout} shown={shown} hrefOf={hrefOf} onShow={setShown} />
        {shown && (
          <PointNote
            effects={effects.get(shown.direction)!}
            zone={zone}
            x={shown.x}
            y={shown.y}
            width={width}
          />
        )}
      </div>
      <figcaption>
        <span className="quiet">Point at a row or a dot for its numbers.</span>
        <FigureExport figure={figure} layout={layout} name={name} />
      </figcaption>
    </>
  );
}

export function SteeringFigureView(props: FigureProps) {
  const { figure } = props;
  const [holder, width] = useWidth<HTMLDivElement>();
  return (
    <figure
      className="steering"
      style={markVariables}
      ref={holder}
      aria-label={`Effects of removal and steering on ${figure.behaviour}: ${rowsIn(figure).length} directions; the numbers stand in the tables below`}
    >
      {width > 0 && <Plane {...props} width={width} />}
    </figure>
  );
}
