/**
 * The records of a study's completions.jsonl and grades.jsonl, one a line: what the subject said, and what the judge said of it. Knows neither where
 * they come from nor where they stand.
 */
import { z } from 'zod';
import { jsonHash } from './hash.ts';

const message = z.object({ role: z.string().min(1), content: z.string() });

/** A text, or the messages of a chat. */
export const promptSchema = z.union([z.string(), z.array(message).min(1)]);
export type Prompt = z.infer<typeof promptSchema>;

const count = z.int().min(0);
const share = z.number().min(0).max(1);

/** Stands as model or judge where that was not culprit. */
export const imported = 'imported';

export const stopReasons = ['end', 'stop', 'length'] as const;

/** A line of completions.jsonl. */
export const completionRecord = z.object({
  /** `<prompt_id>/<index>`: unique in the file */
  id: z.string().min(1),
  prompt_id: z.string().min(1),
  /** which completion of its prompt, from 0 */
  index: count,
  prompt: promptSchema,
  text: z.string(),
  /** null where the completion was not sampled here: it is tokenised when it is used */
  ids: z.array(count).nullable().default(null),
  /** ln p of each id under the model that sampled it, at temperature 1; null where not known */
  log_probabilities: z.array(z.number()).nullable().default(null),
  /** by an end-of-turn id, by a stop string, or at the token limit */
  stop: z.enum(stopReasons),
  /** of its random numbers; null where not known */
  seed: z.int().nullable().default(null),
  /** what sampled it; `imported` where that was not culprit */
  model: z.string().min(1),
});
export type CompletionRecord = z.output<typeof completionRecord>;

/** A line of grades.jsonl. */
export const gradeRecord = z.object({
  /** of the completion */
  id: z.string().min(1),
  /** `contentOf` the completion that was graded */
  content: z.string().min(1),
  score: share,
  label: z.enum(['positive', 'negative']),
  coherence: share,
  coherent: z.boolean(),
  reason: z.string(),
  raw: z.string(),
  /** the judge's name; `imported` where the grade came with the completion */
  judge: z.string().min(1),
  cost: z.object({
    calls: count,
    input_tokens: count,
    output_tokens: count,
    price: z.number().min(0),
  }),
});
export type GradeRecord = z.output<typeof gradeRecord>;

/** Hash of what a grade is of: prompt and completion, without their ids. */
export const contentOf = (prompt: Prompt, text: string): string => jsonHash([canonical(prompt), text]);

/** Hash of a prompt: equal prompts, whatever the order of a message's keys, have equal hashes. */
export const promptHash = (prompt: Prompt): string => jsonHash(canonical(prompt));

const canonical = (prompt: Prompt): Prompt =>
  typeof prompt === 'string' ? prompt : prompt.map(({ role, content }) => ({ role, content }));
