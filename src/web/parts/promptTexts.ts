import { promptText, type SteeredPrompt } from '../../results.ts';

/** The text of each prompt that was steered on, by its id. */
export const promptTexts = (prompts: readonly SteeredPrompt[]) =>
  new Map(prompts.map(({ id, prompt }) => [id, promptText(prompt)]));
