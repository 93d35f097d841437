/** What counts most for a latent of what was compared, token by token. */

import type { AttributedOver, LatentPage } from '../../../results.ts';
import { nats } from '../../parts/nats.ts';
import { ShadedPair } from '../../parts/shadedPair.tsx';
import { useVerdictName } from '../../parts/verdictWords.ts';
import { inStudy, type Route } from '../../routes.ts';

interface PairsOfProps {
  readonly page: LatentPage;
  readonly unit: AttributedOver['unit'];
  readonly route: Route;
}

export function PairsOf({ page: { latent, pairs }, unit, route }: PairsOfProps) {
  const nameOf = useVerdictName();
  return pairs.map(({ pair, delta, prompt, positive, negative }, place) => (
    <details key={pair} open={place === 0}>
      <summary>
        {unit} {pair}: Δ of this {unit} alone {nats(delta)} nats
      </summary>
      <p>
        {unit === 'prompt' && 'Its first positive and its first negative completion. '}
        <a href={inStudy(route, 'pairs', pair, { latent: `${latent}`, sort: 'delta' })}>
          {unit === 'prompt' ? 'all its completions, with every latent' : 'this pair with all latents'}
        </a>
      </p>
      <ShadedPair
        of={`latent ${latent}`}
        prompt={prompt}
        completions={[
          { ...positive, id: 'positive', label: 'positive', heading: nameOf('positive') },
          { ...negative, id: 'negative', label: 'negative', heading: nameOf('negative') },
        ]}
      />
    </details>
  ));
}
