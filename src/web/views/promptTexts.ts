/** Prompts as text. */
import type { CompletionRecord, Prompt } from '../../results.ts';

/** A chat's messages one below the other, each with its role; a lone message of the user's as it is. */
export function promptText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt;
  if (prompt.length === 1 && prompt[0]!.role === 'user') return prompt[0]!.content;
  return prompt.map(({ role, content }) => `${role}: ${content}`).join('\n');
}

/** The text of each prompt that was sampled, by its id. */
export const promptTexts = (completions: ReadonlyMap<string, CompletionRecord> | undefined) =>
  new Map(
    Array.from(completions?.values() ?? [], ({ prompt_id, prompt }) => [prompt_id, promptText(prompt)]),
  );
