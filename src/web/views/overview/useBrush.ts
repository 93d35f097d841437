/** A box drawn over a figure with a mouse or a pen; a finger scrolls the page. */
import { type PointerEvent, useState } from 'react';
import type { Box } from './plane.ts';

/** Pixels that a pointer moves before it brushes. */
const slack = 4;

function boxOf(from: readonly [number, number], to: readonly [number, number]): Box {
  const [[a, b], [c, d]] = [from, to];
  return { left: Math.min(a, c), top: Math.min(b, d), right: Math.max(a, c), bottom: Math.max(b, d) };
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
