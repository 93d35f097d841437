/** What is measured on the pairs, as study.yaml says it. */
import type { z } from 'zod';
import { lossKinds, tokenSets } from '../../../methods/site/contrast.ts';
import { about, oneOf, section, whole } from '../fields.ts';
import { defaulted } from '../section.ts';

const schema = section({
  tokens: about(
    oneOf(tokenSets).default('prompt'),
    `tokens that delta is the mean over: ${tokenSets.join(', ')}`,
  ),
  loss: about(
    oneOf(lossKinds).default('mean'),
    `a completion's loss over its tokens: ${lossKinds.join(', ')}`,
  ),
  top: about(whole(1).default(100), 'latents to write token by token too'),
});

export const attributionSection = defaulted('attribution', 'What is measured on the pairs.', () => schema);
export type AttributionConfig = z.output<typeof schema>;
