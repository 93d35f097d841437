/** Which completions are compared, as study.yaml says it. */
import { z } from 'zod';
import { about, section, whole } from '../fields.ts';
import { defaulted } from '../section.ts';

const schema = section({
  per_prompt: about(
    z
      .union([whole(1), z.literal('all')], { error: 'expected a whole number of at least 1, or all' })
      .default(1),
    'pairs per prompt; `all` pairs every positive with every negative, at the same cost',
  ),
  limit: about(
    whole(1).default(148),
    'at most this many pairs in total (with `all`: prompts), the most certain first',
  ),
});

export const pairsSection = defaulted(
  'pairs',
  'Which completions are compared: a positive and a negative of the same prompt, both coherent and complete.',
  () => schema,
);
export type PairsConfig = z.output<typeof schema>;
