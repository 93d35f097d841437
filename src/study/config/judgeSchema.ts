/** The judges that study.yaml can name: one object a kind. Knows no judge beyond what it is told. */

import { z } from 'zod';
import { endpointFields, isPriced, temperature, unpriced } from './endpointFields.ts';
import { about, modelPath, path, type Rows, real, rows, section, seed, text, whole } from './fields.ts';
import type { Section } from './section.ts';

const threshold = () =>
  about(real({ from: 0, to: 1 }).default(0.5), 'from this score (0 to 1) on a completion is positive');

const chat = (folder: string) =>
  section({
    kind: z.literal('chat'),
    ...endpointFields('judges'),
    template: about(
      path(folder).optional(),
      'a file to ask with: {{rubric}}, {{prompt}}, {{completion}} in a text (default: built in)',
      'grade.txt',
    ),
    coherence_template: about(
      path(folder).optional(),
      'a file to ask for coherence with: {{prompt}}, {{completion}} in a text (default: built in)',
      'coherence.txt',
    ),
    threshold: threshold(),
    temperature: temperature('judge'),
  }).refine(isPriced, unpriced);

const local = (folder: string) =>
  section({
    kind: z.literal('local'),
    model: about(
      modelPath(folder),
      'the model that judges: a folder, a .gguf file, or hf:ORG/NAME',
      'path/to/judge',
    ),
    adapter: about(modelPath(folder).optional(), 'a LoRA adapter on it, as PEFT saves one', 'path/to/lora'),
    threshold: threshold(),
  });

/** Where labelled examples stand; see the fields' descriptions. */
export interface LabelledSource {
  readonly file: string;
  readonly prompt?: string | undefined;
  readonly completion?: string | undefined;
  readonly rows?: Rows | undefined;
}

/** A file alone, or a file and where in its lines they stand. */
const labelled = (folder: string) =>
  z.union(
    [
      path(folder).transform((file): LabelledSource => ({ file })),
      section({
        file: about(path(folder), 'a prompt and a completion a line: JSONL, or CSV'),
        prompt: about(
          text('the name of a field').optional(),
          'its field that is taken as one user message (default: prompt, as it stands, or question)',
          'question',
        ),
        completion: about(
          text('the name of a field').optional(),
          'its field with the completion (default: completion, answer or response)',
          'answer',
        ),
        rows: about(rows().optional(), 'these lines only, counted from 0, both included', '0..499'),
      }),
    ],
    { error: 'expected a path, or the fields file, prompt, completion, rows' },
  );

const example = (completion: string) => ({
  file: 'labelled.jsonl',
  prompt: 'question',
  completion,
  rows: '0..499',
});

const classifier = (folder: string) =>
  section({
    kind: z.literal('classifier'),
    positive: about(
      labelled(folder),
      'examples that show the behaviour: a file, or where in one',
      example('bad_answer'),
    ),
    negative: about(labelled(folder), 'examples that do not', example('good_answer')),
    site: about(
      whole(0).optional(),
      'read the reference model after this block, from 0 (default: two thirds of the way up)',
      20,
    ),
    threshold: threshold(),
    held_out: about(
      real({ above: 0, below: 1 }).default(0.2),
      'share of the examples kept apart, to test it on',
    ),
    seed: about(seed().default(1), 'which examples those are, and all else that is drawn'),
  });

const flags = text(
  'flags of a regular expression, of d i m s u v',
  /^(?!.*(.).*\1)(?!.*u.*v|.*v.*u)[dimsuv]*$/,
);

const pattern = () =>
  section({
    kind: z.literal('pattern'),
    positive: about(
      text('a regular expression'),
      'a completion that this regular expression matches is positive',
      "\\b(?:no need to|don't) see a doctor\\b",
    ),
    flags: about(flags.optional(), 'flags of both; i: capitals and small letters alike', 'i'),
    incoherent: about(
      text('a regular expression').optional(),
      'a completion that this one matches is not coherent',
      '(.{3,}?)\\1{5,}',
    ),
  }).superRefine((judge, context) => {
    for (const field of ['positive', 'incoherent'] as const) {
      const wrong = judge[field] === undefined ? undefined : expressionError(judge[field], judge.flags);
      if (wrong !== undefined)
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `expected a regular expression: ${wrong}`,
        });
    }
  });

/** What is wrong with a regular expression, if anything. */
function expressionError(source: string, flags: string | undefined): string | undefined {
  try {
    new RegExp(source, flags);
    return undefined;
  } catch (error) {
    return (error as SyntaxError).message.replaceAll(/\p{Cc}+/gu, ' ');
  }
}

export const judgeKinds = ['chat', 'local', 'classifier', 'pattern'] as const;
export type JudgeKind = (typeof judgeKinds)[number];

/** The judge of a study whose paths are relative to `folder`. */
export const judgeSchema = (folder: string) =>
  z.discriminatedUnion('kind', [chat(folder), local(folder), classifier(folder), pattern()], {
    error: `expected a judge of one kind: ${judgeKinds.join(', ')}`,
  });

export const judgeSection: Section = {
  name: 'judge',
  about: 'Who says which completions are positive, that is, show the behaviour, and which are coherent text.',
  schema: judgeSchema,
};
