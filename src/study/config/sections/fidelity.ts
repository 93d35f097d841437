/** How the ranking of latents is checked against their removal, as study.yaml says it. */
import type { z } from 'zod';
import { about, section, seed, whole } from '../fields.ts';
import { defaulted } from '../section.ts';

const schema = section({
  latents: about(
    whole(0).default(20),
    'how many of the first latents to remove, and as many random ones; 0 skips the check',
  ),
  pairs: about(whole(1).default(8), 'pairs to remove them on, spread over all of them'),
  integrated: about(
    whole(0).default(5),
    'how many of the first latents, and of the random ones, to follow by integrated gradients as well',
  ),
  integrated_pairs: about(whole(1).default(1), 'pairs to do that on'),
  steps: about(whole(1).default(10), 'steps of integrated gradients'),
  seed: about(seed().default(1), 'seed of the random latents'),
});

export const fidelitySection = defaulted(
  'fidelity',
  'How far the ranking of latents, which is an estimate, agrees with their removal.',
  () => schema,
);
export type FidelityConfig = z.output<typeof schema>;
