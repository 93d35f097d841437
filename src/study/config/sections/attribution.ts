/** What is measured on the pairs, as study.yaml says it. */
import type { z } from 'zod';
import { rankings } from '../../../methods/attribution/reranking.ts';
import { lossKinds, tokenSets } from '../../../methods/site/contrast.ts';
import { about, oneOf, section, whole } from '../fields.ts';
import { defaulted } from '../section.ts';

const schema = section({
  tokens: about(
    oneOf(tokenSets).default('prompt'),
    `the tokens over which delta is averaged: ${tokenSets.join(', ')}`,
  ),
  loss: about(
    oneOf(lossKinds).default('mean'),
    `a completion's loss, the mean or sum over its tokens: ${lossKinds.join(', ')}`,
  ),
  top: about(whole(1).default(100), 'how many latents to write token by token as well'),
  rank: about(
    oneOf(rankings).default('first-order'),
    `what latents are ranked by: ${rankings.join(', ')}; the last two remove the first 4 × steering.candidates by delta, and re-rank these`,
  ),
  rank_pairs: about(whole(1).default(8), 'pairs to remove them on for that, spread over all of them'),
});

export const attributionSection = defaulted('attribution', 'What is measured on the pairs.', () => schema);
export type AttributionConfig = z.output<typeof schema>;
