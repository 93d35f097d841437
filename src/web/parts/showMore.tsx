/** The way to the rest of a list of which the first are shown. */
import { count } from '../format.ts';

interface ShowMoreProps {
  readonly shown: number;
  readonly of: number;
  /** how many come at once */
  readonly page: number;
  readonly onShow: (shown: number) => void;
}

/** Nothing where all are shown. */
export function ShowMore({ shown, of, page, onShow }: ShowMoreProps) {
  if (of <= shown) return null;
  return (
    <button type="button" onClick={() => onShow(shown + page)}>
      show {count(Math.min(page, of - shown))} more
    </button>
  );
}
