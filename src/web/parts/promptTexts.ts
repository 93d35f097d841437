/** Prompts as text. */
import { messageText, type Prompt, type SteeredPrompt } from '../../results.ts';

/** A chat's messages one below the other, each with its role; a lone message of the user's as it is. */
export function promptText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt;
  if (prompt.length === 1 && prompt[0]!.role === 'user') return messageText(prompt[0]!);
  return prompt.map((message) => `${message.role}: ${messageText(message)}`).join('\n');
}

/** The text of each prompt that was steered on, by its id. */
export const promptTexts = (prompts: readonly SteeredPrompt[]) =>
  new Map(prompts.map(({ id, prompt }) => [id, promptText(prompt)]));
