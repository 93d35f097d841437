/**
 * completions.jsonl, grades.jsonl and pairs.jsonl, one record a line: what the subject said, what the judge
 * said of it, and which are compared.
 */
import { z } from 'zod';
import { messageSchema, messageText } from './message.ts';

/** A text, or the messages of a chat. */
export const promptSchema = z.union([z.string(), z.array(messageSchema).min(1)]);
export type Prompt = z.infer<typeof promptSchema>;

/** A chat's messages one below the other, each with its role; a lone message of the user's as it is. */
export function promptText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt;
  if (prompt.length === 1 && prompt[0]!.role === 'user') return messageText(prompt[0]!);
  return prompt.map((message) => `${message.role}: ${messageText(message)}`).join('\n');
}

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

/** A line of pairs.jsonl: what `culprit attribute --pairs` reads, and which completions it is made of. */
export const pairRecord = z.object({
  id: z.string(),
  prompt_id: z.string(),
  prompt: promptSchema,
  positive: z.string(),
  negative: z.string(),
  positive_ended: z.boolean(),
  negative_ended: z.boolean(),
  positive_id: z.string(),
  negative_id: z.string(),
  /** the contrast that all pairs of its prompt are together, where they are one; null for a pair by itself */
  contrast: z.string().nullable().default(null),
  /** token ids as they were sampled; null where not known */
  positive_tokens: z.array(count).nullable().default(null),
  negative_tokens: z.array(count).nullable().default(null),
  /** the positive's score minus the negative's */
  certainty: z.number(),
});
export type PairRecord = z.output<typeof pairRecord>;
