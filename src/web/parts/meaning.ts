/** What a latent seems to mean, in a line. */
import type { LatentPage } from '../../results.ts';

/** In one line: what it was explained as, or labelled, else the tokens that it makes likelier. */
export function meaningOf(page: LatentPage): string {
  const said = page.explanation?.text ?? page.labels[0]?.text;
  const likelier = page.lens.cosine.top.slice(0, 6).map(({ token }) => token.trim());
  return said ?? `likelier: ${likelier.filter((token) => token !== '').join(', ')}`;
}
