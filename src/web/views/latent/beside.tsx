/** The way to the latents before and after one by rank, with links and with the arrow keys. */
import { useEffect } from 'react';
import type { LatentRow } from '../../../results.ts';
import { inStudy, type Route } from '../../routes.ts';
import { goTo } from '../../useRoute.ts';

/** Among the latents of which more is known than a number, those just before and after by rank. */
export function beside(
  rows: readonly LatentRow[],
  known: ReadonlySet<number>,
  latent: number,
): { previous: number | undefined; next: number | undefined } {
  const rank = rows.find((row) => row.latent === latent)?.rank;
  if (rank === undefined) return { previous: undefined, next: undefined };
  const others = known.size > 0 ? rows.filter((row) => known.has(row.latent)) : rows;
  const sorted = [...others].sort((a, b) => a.rank - b.rank);
  return {
    previous: sorted.findLast((row) => row.rank < rank)?.latent,
    next: sorted.find((row) => row.rank > rank)?.latent,
  };
}

/** Arrow keys are left to what uses them itself. */
const usesArrows = (element: Element | null) =>
  element?.matches('input, select, textarea, [role="group"], summary') ?? false;

interface BesideProps {
  readonly previous: number | undefined;
  readonly next: number | undefined;
  readonly route: Route;
}

export function Beside({ previous, next, route }: BesideProps) {
  useEffect(() => {
    const go = (event: KeyboardEvent) => {
      const to = { ArrowLeft: previous, ArrowRight: next }[event.key];
      const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
      if (to !== undefined && !held && !usesArrows(document.activeElement))
        goTo(inStudy(route, 'latent', `${to}`));
    };
    document.addEventListener('keydown', go);
    return () => document.removeEventListener('keydown', go);
  }, [previous, next, route]);
  return (
    <nav className="previous-next" aria-label="Latents by rank">
      {previous !== undefined && <a href={inStudy(route, 'latent', `${previous}`)}>← {previous}</a>}
      {next !== undefined && <a href={inStudy(route, 'latent', `${next}`)}>{next} →</a>}
    </nav>
  );
}
