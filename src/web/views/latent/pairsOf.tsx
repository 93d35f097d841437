/** The pairs that count most for a latent, token by token. */

import type { LatentPage } from '../../../results.ts';
import { nats } from '../../parts/nats.ts';
import { ShadedPair } from '../../parts/shadedPair.tsx';
import { inStudy, type Route } from '../../routes.ts';

export function PairsOf({
  page: { latent, pairs },
  route,
}: {
  readonly page: LatentPage;
  readonly route: Route;
}) {
  return pairs.map(({ pair, delta, prompt, positive, negative }, place) => (
    <details key={pair} open={place === 0}>
      <summary>
        pair {pair}: Δ of this pair alone {nats(delta)} nats
      </summary>
      <p>
        <a href={inStudy(route, 'pairs', pair, { latent: `${latent}` })}>this pair with all latents</a>
      </p>
      <ShadedPair
        of={`latent ${latent}`}
        prompt={prompt}
        completions={[
          { ...positive, id: 'positive', label: 'positive', heading: 'positive' },
          { ...negative, id: 'negative', label: 'negative', heading: 'negative' },
        ]}
      />
    </details>
  ));
}
