/** The sections of a long page, in reach wherever one is in it. */
import { type DependencyList, type RefObject, useEffect, useState } from 'react';

interface OnThisPageProps {
  /** whose second headings are the sections */
  readonly of: RefObject<HTMLElement | null>;
  /** what may bring other sections */
  readonly changed: DependencyList;
}

const headingsIn = (page: HTMLElement | null) => [...(page?.querySelectorAll('h2') ?? [])];

export function OnThisPage({ of, changed }: OnThisPageProps) {
  const [names, setNames] = useState<readonly string[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what brings other sections
  useEffect(() => setNames(headingsIn(of.current).map(({ textContent }) => textContent ?? '')), changed);
  if (names.length < 2) return null;
  const go = (place: number) => {
    const heading = headingsIn(of.current)[place];
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: 'start' });
  };
  return (
    <nav className="on-this-page" aria-label="On this page">
      {names.map((name, place) => (
        <button key={name} type="button" onClick={() => go(place)}>
          {name}
        </button>
      ))}
    </nav>
  );
}
