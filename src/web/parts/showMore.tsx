/** The way to the rest of a list of which the first are shown. */
import type { MouseEvent } from 'react';
import { flushSync } from 'react-dom';
import { count } from '../format.ts';

interface ShowMoreProps {
  readonly shown: number;
  readonly of: number;
  /** how many come at once */
  readonly page: number;
  readonly onShow: (shown: number) => void;
}

const reachable = 'a[href], button';

/** Shows more, and moves the focus to the first of them: the button may be gone then. */
function showAndGoOn({ currentTarget }: MouseEvent, show: () => void): void {
  const list = currentTarget.previousElementSibling;
  const before = list?.querySelectorAll(reachable).length ?? 0;
  flushSync(show);
  list?.querySelectorAll<HTMLElement>(reachable)[before]?.focus();
}

/** Stands after the list. Nothing where all are shown. */
export function ShowMore({ shown, of, page, onShow }: ShowMoreProps) {
  if (of <= shown) return null;
  return (
    <button type="button" onClick={(event) => showAndGoOn(event, () => onShow(shown + page))}>
      show {count(Math.min(page, of - shown))} more
    </button>
  );
}
