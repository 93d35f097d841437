/** A message of a chat, with all that its template may read of it. */
import { z } from 'zod';

export interface ChatMessage {
  readonly role: string;
  /** text, or parts of which some are text; a message that only calls tools may have none */
  readonly content?: string | readonly object[] | null | undefined;
}

const part = z.looseObject({ type: z.string().optional() });

const role = z.string().min(1);
const content = z.union([z.string(), z.array(part)], 'expected a text or a list of parts');
const called = z.array(z.looseObject({})).min(1);

/** Fields beside role and content (`tool_calls`, `name`, `reasoning_content`, ...) stay as they are. */
export const messageSchema: z.ZodType<ChatMessage> = z.union([
  z.looseObject({ role, content }),
  z.looseObject({ role, content: z.null().optional(), tool_calls: called }),
]);

/** What a message says, for people and judges: its text, then the tools that it calls. */
export function messageText(message: ChatMessage): string {
  const { content, tool_calls: calls } = message as ChatMessage & { readonly tool_calls?: unknown };
  const said = typeof content === 'string' ? content : (content ?? []).map(partText).join('');
  const called = calls === undefined || calls === null ? '' : JSON.stringify(calls);
  return [said, called].filter((text) => text !== '').join('\n');
}

function partText(part: { readonly type?: unknown; readonly text?: unknown }): string {
  return typeof part.text === 'string' ? part.text : `[${String(part.type ?? 'part')}]`;
}
