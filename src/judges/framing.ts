/**
 * How texts written by whoever stand in a question. They stand between tags that carry a mark, 64 bits of
 * the SHA-256 of that very content: to close a tag early, a text would have to contain its own hash.
 * Control tokens of chat formats, which servers would take for the end of the message, are broken by a
 * zero-width space. Knows no question.
 */
import { createHash } from 'node:crypto';

/** `{{name}}` in a template. */
export const placeholder = /\{\{(?:\s*([\w-]+))?\s*\}\}/g;

/** The mark of a content, as JSON. */
export const markOf = (content: unknown): string => sha256(JSON.stringify(content)).slice(0, 16);

/** A text between tags that carry a mark. */
export function block(tag: string, mark: string, text: string, attributes = ''): string {
  return `<${tag} ${mark}${attributes}>\n${disarmed(text)}\n</${tag} ${mark}>`;
}

/** Control tokens of the common chat formats: `<|...|>`, `</s>`, `<end_of_turn>`, `[INST]` and their like. */
const control =
  /<(?=[|｜]|\/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|think)>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])/gi;

/** `text` with every control token broken after its first character. */
export function disarmed(text: string): string {
  return text.replace(control, '$&\u200B');
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
