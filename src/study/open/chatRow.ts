/** A row with `messages` as a prompt and its completion. */
import { InputError } from '../../errors.ts';
import { messageText, type Prompt } from '../../results.ts';
import { type FieldRow, promptIn } from './fieldRows.ts';

/** Whether a row says what was asked and answered as a conversation. */
export const isChatRow = ({ fields }: FieldRow): boolean =>
  Object.hasOwn(fields, 'messages') && !Object.hasOwn(fields, 'prompt');

/**
 * The last message is the completion, those before it are the prompt. Throws InputError where the last is not the
 * assistant's, or the only one.
 */
export function fromMessages(row: FieldRow): { readonly prompt: Prompt; readonly completion: string } {
  const messages = promptIn(row, 'messages', 'as it stands');
  const last = typeof messages === 'string' ? undefined : messages.at(-1);
  if (typeof messages === 'string' || last?.role !== 'assistant' || messages.length < 2)
    throw new InputError(
      `${row.where}: messages: expected a prompt and then the assistant's message, found ${typeof messages === 'string' ? 'a text' : messages.map(({ role }) => role).join(', ')}`,
    );
  return { prompt: messages.slice(0, -1), completion: messageText(last) };
}
