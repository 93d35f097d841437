/** A prompt as somebody types it. */
import type { TextCodec } from '../../files/textCodec.ts';
import type { Prompt } from '../../results.ts';

/** A text is one user message to a model with a chat template; else it stands as it is. */
export const typedPrompt = (codec: TextCodec, prompt: Prompt): Prompt =>
  typeof prompt === 'string' && codec.template !== undefined ? [{ role: 'user', content: prompt }] : prompt;
