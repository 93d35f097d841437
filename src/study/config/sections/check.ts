/** What is looked at before a run, as study.yaml says it. */
import type { z } from 'zod';
import { about, oneOf, path, section, whole } from '../fields.ts';
import { defaulted } from '../section.ts';

const schema = (folder: string) =>
  section({
    mode: about(
      oneOf(['stop', 'warn', 'skip']).default('stop'),
      'what a failed check does to a run: stop it, or warn only; skip leaves the check out',
    ),
    labels: about(
      path(folder).optional(),
      "completions with labels, as `culprit import` takes them, that the judge's verdicts are held against",
      'labelled.jsonl',
    ),
    answers: about(
      whole(0).default(24),
      "answers of each model that are sampled and shown to the judge; 0 leaves the judge's checks out",
    ),
  });

export const checkSection = defaulted(
  'check',
  'What is looked at before anything is computed: tokenizer, template, gradient, dictionary, judge, prompts.',
  schema,
);
export type CheckConfig = z.output<ReturnType<typeof schema>>;
