/**
 * What belongs to one entry of the browser's history, and comes back with it: where it was scrolled to, and which link
 * was followed from it. Kept while the page lives.
 */
import { type RefObject, useEffect } from 'react';

interface EntryState {
  readonly entry?: string;
}

let made = 0;

/** The name of the entry that is shown; one without a name is given one. */
function entryName(): string {
  const { entry } = (window.history.state ?? {}) as EntryState;
  if (entry !== undefined) return entry;
  const name = `${performance.timeOrigin} ${made++}`;
  window.history.replaceState({ entry: name } satisfies EntryState, '');
  return name;
}

const places = new Map<string, number>();

/** Between two tries, milliseconds; and how many there are while what is loading grows to where one was. */
const pause = 50;
const tries = 80;

/** What ends the way back: one who scrolls is where they want to be. */
const gestures = ['wheel', 'pointerdown', 'keydown', 'touchstart'] as const;

/** Keeps the scrolling of an element, or of the page, for each entry of the history. `deps`: what makes another entry. */
export function useKeptScroll(
  name: string,
  element: RefObject<HTMLElement | null> | undefined,
  deps: readonly unknown[],
): void {
  useEffect(() => {
    window.history.scrollRestoration = 'manual';
    const scrolled = element ? element.current! : document.documentElement;
    const source = element ? element.current! : document;
    const key = `${entryName()} ${name}`;
    let wanted = places.get(key) ?? 0;
    let timer = 0;
    let left = tries;
    const record = () => {
      if (wanted === 0) places.set(key, scrolled.scrollTop);
    };
    const arrived = () => {
      wanted = 0;
      clearTimeout(timer);
      for (const gesture of gestures) window.removeEventListener(gesture, arrived);
    };
    const goBack = () => {
      scrolled.scrollTop = wanted;
      if (Math.abs(scrolled.scrollTop - wanted) < 2 || left-- <= 0) return arrived();
      timer = window.setTimeout(goBack, pause);
    };
    for (const gesture of gestures) window.addEventListener(gesture, arrived, { passive: true });
    goBack();
    source.addEventListener('scroll', record, { passive: true });
    return () => {
      arrived();
      source.removeEventListener('scroll', record);
    };
    // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what makes another entry
  }, deps);
}

/** By the name of the entry. */
const followed = new Map<string, string>();

/** Remembers which link is followed from the entry that is shown. */
export function keepFollowed({ target }: { readonly target: EventTarget }): void {
  const link = (target as Element).closest('a');
  const href = link?.getAttribute('href');
  if (href) followed.set(entryName(), href);
}

/**
 * Moves the focus to the link that was followed from the entry that is shown, once it is drawn, and to `page` until
 * then or where none was. Returns what ends the waiting.
 */
export function focusFollowed(page: HTMLElement): () => void {
  page.focus({ preventScroll: true });
  const href = followed.get(entryName());
  if (href === undefined) return () => undefined;
  let left = tries;
  const look = () => {
    const link = page.querySelector<HTMLElement>(`a[href="${CSS.escape(href)}"]`);
    if (document.activeElement !== page || left-- <= 0) clearInterval(timer);
    else link?.focus({ preventScroll: true });
  };
  const timer = setInterval(look, pause);
  return () => clearInterval(timer);
}
