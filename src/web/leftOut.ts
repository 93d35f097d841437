/** What a report left out of a study's files for its size, many pages of latents counted as one. */
import { latentOfPage } from '../results.ts';

type Trimmed = Readonly<Record<string, string>>;

const isPage = (path: string) => latentOfPage(path) !== undefined;

/**
 * What parts are left out of: `pairs.jsonl, steered.jsonl and 20 pages of latents`; undefined for nothing.
 */
export function shortened(trimmed: Trimmed): string | undefined {
  const paths = Object.keys(trimmed);
  const pages = paths.filter(isPage).length;
  const names = paths.filter((path) => !isPage(path));
  if (pages > 0) names.push(pages === 1 ? 'a page of a latent' : `${pages} pages of latents`);
  if (names.length === 0) return undefined;
  return [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' and ');
}

/** By how much, a line for each file, or for all pages that lack the same. */
export function leftOut(trimmed: Trimmed): { readonly what: string; readonly left: string }[] {
  const pages = new Map<string, number>();
  for (const [path, left] of Object.entries(trimmed))
    if (isPage(path)) pages.set(left, (pages.get(left) ?? 0) + 1);
  const files = Object.entries(trimmed).filter(([path]) => !isPage(path));
  return [
    ...files.map(([what, left]) => ({ what, left })),
    ...Array.from(pages, ([left, count]) => ({
      what: count === 1 ? 'a page of a latent' : `${count} pages of latents`,
      left,
    })),
  ];
}
