/** The section of study.yaml that has a fix searched: which latents are held how, so that the behaviour goes. */
import { z } from 'zod';
import { about, oneOf, path, real, section, seed, whole } from '../fields.ts';
import type { Section } from '../section.ts';

/** What a fix does to each latent's projection. */
export const fixOperations = ['remove', 'cap'] as const;
export type FixOperation = (typeof fixOperations)[number];

/** By what the first latents are the first. */
export const fixOrders = ['confirmed', 'delta', 'certainty'] as const;
export type FixOrder = (typeof fixOrders)[number];

const rising = z
  .array(whole(1), { error: 'expected a list of sizes' })
  .min(1, { error: 'expected at least one size' })
  .refine((sizes) => sizes.every((size, i) => i === 0 || size > sizes[i - 1]!), {
    error: 'expected sizes in rising order',
  });

const listOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z
    .array(oneOf(words), { error: `expected a list of ${words.join(', ')}` })
    .min(1, { error: `expected at least one of ${words.join(', ')}` })
    .refine((given) => new Set(given).size === given.length, { error: 'expected each once' });

const schema = (folder: string) =>
  section({
    orders: about(
      listOf(fixOrders).default([...fixOrders]),
      'which latents come first: those confirmed, by delta, by delta over its standard error',
    ),
    sizes: about(rising.default([1, 2, 3, 5, 10]), 'how many of the first latents to hold together'),
    operations: about(
      listOf(fixOperations).default([...fixOperations]),
      'how: remove, the projection held at the baseline; cap, held below what the reference rarely exceeds',
    ),
    quantile: about(
      real({ above: 0.5, below: 1 }).default(0.95),
      "cap: the quantile of the reference's projections that is not exceeded",
    ),
    completions: about(
      whole(1).default(2),
      'completions of each prompt, of the search and of the measurement',
    ),
    random: about(
      whole(3).default(20),
      'how many sets of random latents, as many as the fix has, to hold in the same way',
    ),
    comparisons: about(
      z.boolean({ error: 'expected true or false' }).default(true),
      'also remove directions that need no dictionary, such as the difference of means',
    ),
    text: about(
      z
        .array(path(folder), { error: 'expected a list of paths' })
        .min(1, { error: 'expected at least one path' })
        .optional(),
      'ordinary texts that should stay as they are: JSONL of {text} or {messages}, or .txt files',
      ['prose.jsonl'],
    ),
    text_tokens: about(whole(2).default(10_000), 'read this many tokens of the texts'),
    seed: about(seed().default(1), 'seed of the completions and of the random sets'),
  });

export type FixConfig = z.output<ReturnType<typeof schema>>;

export const fixSection: Section = {
  name: 'fix',
  about:
    'A fix for the behaviour: the set of latents whose holding takes most of it away, searched on the calibration prompts. Without this section there is none.',
  schema: (folder) => schema(folder).optional(),
};
