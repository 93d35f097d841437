/** A note beside an element, kept within the window, read aloud when it changes. */
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';

interface FloatingProps {
  readonly beside: HTMLElement;
  readonly children: ReactNode;
}

const gap = 6;

interface Box {
  readonly width: number;
  readonly height: number;
}

/** Below the element's first line, or above it where there is no room below. */
function placed(anchor: DOMRect, note: Box, { width, height }: Box) {
  const below = anchor.bottom + gap;
  return {
    left: Math.max(gap, Math.min(anchor.left, width - note.width - gap)),
    top: below + note.height > height ? Math.max(gap, anchor.top - note.height - gap) : below,
  };
}

export function Floating({ beside, children }: FloatingProps) {
  const note = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<{ left: number; top: number }>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: other children have another size
  useLayoutEffect(() => {
    const place = () => {
      const anchor = beside.getClientRects()[0];
      const { clientWidth: width, clientHeight: height } = document.documentElement;
      if (anchor) setAt(placed(anchor, note.current!.getBoundingClientRect(), { width, height }));
    };
    place();
    document.addEventListener('scroll', place, { capture: true, passive: true });
    return () => document.removeEventListener('scroll', place, { capture: true });
  }, [beside, children]);
  return createPortal(
    <div
      ref={note}
      className="floating"
      role="status"
      style={at ?? { left: 0, top: 0, visibility: 'hidden' }}
    >
      {children}
    </div>,
    document.body,
  );
}
