/** A page of a latent of which little is known, as `culprit interpret` would write it. */
import type { LatentPage } from '../../src/results.ts';

export function latentPage(latent: number, over: Partial<LatentPage> = {}): LatentPage {
  const ends = { top: [], bottom: [] };
  return {
    latent,
    site: 'resid_post 1',
    behaviour: 'letter',
    delta: 0,
    rank: 1,
    standard_error: 0,
    same_sign: 1,
    lens: { cosine: ends, dot: ends },
    neighbours: [],
    group: [],
    corpora: [],
    passages: {
      tokens: 1,
      active: 0,
      passages: 1,
      active_passages: 0,
      mean: null,
      max: 0,
      histogram: { edges: [], counts: [] },
      top: [],
      quantiles: [],
      zero: [],
    },
    pairs: [],
    labels: [],
    explanation: null,
    ...over,
  };
}
