/** Hashes by which a grade knows the completion that it is of. */
import type { ChatMessage } from '../../results.ts';
import { jsonHash } from './hash.ts';

type Prompt = string | readonly ChatMessage[];

/** Hash of what a grade is of: prompt and completion, without their ids. */
export const contentOf = (prompt: Prompt, text: string): string => jsonHash([canonical(prompt), text]);

/** Hash of a prompt: equal prompts, whatever the order of a message's keys, have equal hashes. */
export const promptHash = (prompt: Prompt): string => jsonHash(canonical(prompt));

const canonical = (prompt: Prompt): Prompt =>
  typeof prompt === 'string'
    ? prompt
    : prompt.map(({ role, content, ...more }) => ({ role, content, ...more }));
