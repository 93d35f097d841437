/** The way to the latents before and after one, as they were listed or by rank, with links and with the arrow keys. */
import { useEffect } from 'react';
import type { LatentRow } from '../../../results.ts';
import { listQuery } from '../../listedOrder.ts';
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

/** Those just before and after in an order; undefined where it has no such latent. */
export function besideIn(
  order: readonly number[],
  latent: number,
): { previous: number | undefined; next: number | undefined } | undefined {
  const place = order.indexOf(latent);
  return place < 0 ? undefined : { previous: order[place - 1], next: order[place + 1] };
}

/** Arrow keys are left to what uses them itself. */
const usesArrows = (element: Element | null) =>
  element?.matches('input, select, textarea, [role="group"], summary') ?? false;

interface BesideProps {
  readonly previous: number | undefined;
  readonly next: number | undefined;
  /** `by rank`, `as listed` */
  readonly order: string;
  readonly route: Route;
}

export function Beside({ previous, next, order, route }: BesideProps) {
  const list = listQuery(route.query);
  useEffect(() => {
    const go = (event: KeyboardEvent) => {
      const to = { ArrowLeft: previous, ArrowRight: next }[event.key];
      const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
      if (to !== undefined && !held && !usesArrows(document.activeElement))
        goTo(inStudy(route, 'latent', `${to}`, listQuery(route.query)));
    };
    document.addEventListener('keydown', go);
    return () => document.removeEventListener('keydown', go);
  }, [previous, next, route]);
  return (
    <nav className="previous-next" aria-label={`Latents ${order}`}>
      {previous !== undefined && <a href={inStudy(route, 'latent', `${previous}`, list)}>← {previous}</a>}
      <a href={inStudy(route, 'latents', undefined, list)}>all latents</a>
      {next !== undefined && <a href={inStudy(route, 'latent', `${next}`, list)}>{next} →</a>}
    </nav>
  );
}
