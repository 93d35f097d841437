/** The prompts of a causal test's arm without a direction: each with a system message before it. */
import type { Prompt } from '../../results.ts';
import { systemOf } from '../config/sections/steering.ts';
import type { StudyPrompt } from '../open/promptsFile.ts';
import type { OpenStudy } from '../open/study.ts';
import type { SystemMessage } from './work.ts';

/**
 * The prompt with the message before it; one that begins with a system message has both, ours first. A plain text,
 * which has no roles, begins with the message and a blank line.
 */
export function withSystem(prompt: Prompt, message: string): Prompt {
  if (typeof prompt === 'string') return `${message}\n\n${prompt}`;
  const [first, ...rest] = prompt;
  if (first?.role !== 'system') return [{ role: 'system', content: message }, ...prompt];
  return [{ role: 'system', content: `${message}\n\n${first.content}` }, ...rest];
}

/**
 * Undefined for a study without such an arm. Throws InputError where the chat template takes no system message, or
 * where a prompt leaves no room for its completion.
 */
export async function systemPrompts(
  study: OpenStudy,
  prompts: readonly StudyPrompt[],
): Promise<SystemMessage | undefined> {
  const { config } = study;
  const text = systemOf(config.steering);
  if (text === undefined) return undefined;
  const maxTokens = config.steering.max_tokens ?? config.sampling.max_tokens;
  const what = `${maxTokens} tokens of a completion under steering.system`;
  const withIt = prompts.map((one) => ({ ...one, prompt: withSystem(one.prompt, text) }));
  const ids = await study.encoded(config.subject, withIt, { maxTokens, what });
  return { text, ids: new Map(prompts.map(({ id }, i) => [id, ids[i]!])) };
}
