/** A box drawn over a figure with a mouse or a pen, and the points in it; a finger scrolls the page. */
import { type PointerEvent, useState } from 'react';
import type { FigurePoint } from '../../../figure/figureData.ts';
import { type Axes, pixelOf } from '../../../figure/frame.ts';
import type { Box } from '../../../figure/labels.ts';

/** Pixels that a pointer moves before it brushes. */
const slack = 4;

function boxOf(from: readonly [number, number], to: readonly [number, number]): Box {
  const [[a, b], [c, d]] = [from, to];
  return { left: Math.min(a, c), top: Math.min(b, d), right: Math.max(a, c), bottom: Math.max(b, d) };
}

/** The points whose pixels lie in a box, in the order given. */
export function pointsIn(axes: Axes, points: readonly FigurePoint[], box: Box): FigurePoint[] {
  return points.filter(({ away, toward }) => {
    const { x, y } = pixelOf(axes, away, toward);
    return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
  });
}

/** The box while it is drawn, and what an SVG that lies at its own origin listens with. */
export function useBrush(done: (box: Box) => void) {
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
