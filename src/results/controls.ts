/** controls.json: what a study came to beside what its controls came to, in which something is broken on purpose. */
import { z } from 'zod';

/** What is broken, by the control's name, and what is to be expected, in a sentence. */
export const controlKinds = {
  'shuffle-labels':
    "Within each prompt the labels of the completions are shuffled, and steered ones are lent another prompt's labels: there is nothing to find, and what is confirmed is false.",
  self: 'The subject is its own reference: what compares the two models comes to nothing, and what removal does to the subject stays.',
  'random-model':
    "Latents are ranked by the subject's weights in random order within each tensor, while all that is sampled is the subject's: the first latents should be others than the study's own.",
} as const;

const removal = z.object({
  latent: z.int(),
  /** change in the share of positives, −1 to 1, with its 95 % interval */
  effect: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  family_wise_p: z.number(),
  /** share of the way to the reference; null where the models do not differ */
  way: z.number().nullable(),
});

const causalTest = z.object({
  candidates: z.int(),
  confirmed: z.object({ remove: z.int(), add: z.int(), either: z.int() }),
  suggestive: z.int(),
  /** the least of any candidate, by removal or by steering */
  least_family_wise_p: z.number(),
  /** the candidate whose removal has the least family-wise p; null where none was removed */
  strongest_removal: removal.nullable(),
});

const run = z.object({
  /** null: the study itself */
  control: z.string().nullable(),
  /** what is broken, in a sentence */
  about: z.string(),
  /** of the manifest of its folder: what these numbers are of */
  keys: z.object({ attribute: z.string(), steer: z.string().nullable() }),
  pairs: z.int(),
  /** latents with q below .05, of those that are ever active */
  q_below_05: z.int(),
  alive: z.int(),
  first: z.object({
    latent: z.int(),
    /** nats */
    delta: z.number(),
    /** of the first, over all latents */
    max_p: z.number(),
  }),
  /** share of the first 100 that the halves of the prompts agree on, and by chance; null for few prompts */
  split_half: z.object({ overlap: z.number(), chance: z.number() }).nullable(),
  /** how many of the study's own first latents are among its first, of how many */
  shared: z.object({ latents: z.int(), of: z.int() }),
  /** null where there is no causal test yet */
  test: causalTest.nullable(),
});
export type ControlledRun = z.output<typeof run>;

export const controlsSchema = z.object({
  /** the study itself, then its controls by name */
  runs: z.array(run).readonly(),
});
export type ControlsRecord = z.output<typeof controlsSchema>;

/** The study's keys differ from those that its row was made of: it has run again since. */
export const isOfEarlierRun = (
  { keys }: ControlledRun,
  now: Readonly<Record<string, { readonly key: string } | undefined>>,
): boolean => keys.attribute !== now.attribute?.key || keys.steer !== (now.steer?.key ?? null);
