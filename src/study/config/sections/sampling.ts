/** How completions are drawn, as study.yaml says it. */
import { z } from 'zod';
import { about, real, section, seed, whole } from '../fields.ts';
import { defaulted, type Section } from '../section.ts';

/** Where completions come from, as study.yaml names it; its other fields are its kind's own. */
export interface EngineConfig {
  readonly kind: string;
}

const fields = {
  completions: about(whole(1, 10_000).default(12), 'completions of each prompt'),
  temperature: about(real({ from: 0, to: 100 }).default(1), '0 always takes the likeliest token'),
  top_p: about(
    real({ above: 0, to: 1 }).default(1),
    'draw from the likeliest tokens that together have this probability',
  ),
  top_k: about(whole(1).optional(), 'draw from this many of the likeliest tokens (default: all)', 50),
  min_p: about(
    real({ from: 0, to: 1 }).optional(),
    "draw from tokens with at least this fraction of the likeliest token's probability",
    0.05,
  ),
  max_tokens: about(whole(1, 1_000_000).default(110), 'the most tokens of a completion'),
  stop: about(
    z
      .array(
        z.string({ error: 'expected a text' }).min(1, { error: 'expected a text of a character or more' }),
        {
          error: 'expected a list of texts',
        },
      )
      .max(64, { error: 'expected at most 64 texts' })
      .optional(),
    'texts that end a completion, besides the end-of-turn token',
    ['\n\n'],
  ),
  seed: about(seed().default(1), 'seed of all completions; the same seed gives the same completions'),
  rows: about(whole(1, 4096).default(64), 'completions that grow at the same time; more take more memory'),
};

export type SamplingConfig = z.output<z.ZodObject<typeof fields>> & {
  readonly engine?: EngineConfig | undefined;
};

/** The section with the fields of one of the kinds of engine. */
export const samplingSection = (engine: z.ZodType<EngineConfig>): Section =>
  defaulted('sampling', 'How completions are sampled.', () =>
    section({
      ...fields,
      engine: about(engine.optional(), 'where completions come from (default: this machine)', {
        kind: 'local',
      }),
    }),
  );
