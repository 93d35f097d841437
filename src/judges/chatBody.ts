/** What stands in the body of a chat server's response, whatever sent it. Knows no network. */
import { z } from 'zod';
import { parseJsonIf } from '../results.ts';

export interface ChatTokens {
  readonly input: number;
  readonly output: number;
}

/** Bytes of a body that are read where nothing is said: a reply is some kilobytes, with its thoughts too. */
const bytesOfReply = 4 * 2 ** 20;
/** Characters of a reply in which an answer is looked for. */
const longestReply = 200_000;

/**
 * The body as text, unpacked; undefined where it is larger than `mostBytes`, default 4 MiB: the rest is not read
 * then, since little can be unpacked to much.
 */
export async function bodyText(response: Response, mostBytes = bytesOfReply): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const reader = response.body?.getReader(); reader !== undefined; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > mostBytes) {
      await reader.cancel();
      return undefined;
    }
    pieces.push(value);
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

/** What is said of a body that is not read. */
export const tooLarge = (mostBytes = bytesOfReply): string =>
  `a reply of more than ${Math.ceil(mostBytes / 2 ** 20)} MiB`;

/** `text` as JSON; undefined where it is none, or too deep. A list of one is what is in it. */
export function jsonIn(text: string): unknown {
  const value = parseJsonIf(text);
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

const counted = z.number().int().nonnegative();
const usageSchema = z.object({ usage: z.object({ prompt_tokens: counted, completion_tokens: counted }) });

export function tokensIn(body: unknown): ChatTokens | undefined {
  const usage = usageSchema.safeParse(body).data?.usage;
  return usage && { input: usage.prompt_tokens, output: usage.completion_tokens };
}

/** An error that a server tells of. */
export interface ToldError {
  readonly message: string;
  /** a number such as 429, or a name such as `insufficient_quota` */
  readonly code: string;
}

const record = z.record(z.string(), z.unknown());
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => record.safeParse(value).data ?? {};

function errorOf(value: unknown): ToldError | undefined {
  if (typeof value === 'string') return value === '' ? undefined : { message: value, code: '' };
  if (Array.isArray(value)) return errorOf(value[0]);
  const fields = fieldsOf(value);
  const message = [fields.message, fields.msg, fields.detail, fields.status_msg, fields.error].find(
    (one) => typeof one === 'string' && one !== '',
  );
  const code = [fields.code, fields.status, fields.status_code, fields.type].find(
    (one) => ['string', 'number'].includes(typeof one) && one !== '' && one !== 0,
  );
  if (message === undefined && code === undefined) return undefined;
  return { message: typeof message === 'string' ? message : JSON.stringify(value), code: String(code ?? '') };
}

/**
 * The error in a body, in any of the forms that servers and routers have; undefined for none. With status
 * 200 too nothing comes from the model then.
 */
export function errorIn(body: unknown): ToldError | undefined {
  const fields = fieldsOf(body);
  const { choices, error, errors, detail, object, base_resp } = fields;
  const [choice] = Array.isArray(choices) ? choices : [];
  const { error: inChoice, finish_reason } = fieldsOf(choice);
  const given = errorOf(error) ?? errorOf(errors) ?? errorOf(inChoice);
  if (given !== undefined) return given;
  if (finish_reason === 'error') return { message: 'finish_reason error', code: '' };
  const { status_code = 0 } = fieldsOf(base_resp);
  if (status_code !== 0) return errorOf(base_resp);
  if (choice !== undefined) return undefined;
  return errorOf(detail) ?? (object === 'error' || 'message' in fields ? errorOf(fields) : undefined);
}

/** What a model said. */
export interface ChatSaid {
  readonly text: string;
  /** that it declined to answer, in its words; empty where it did not */
  readonly refusal: string;
  /** `stop`, `length`, ...; empty where it is not given */
  readonly finish: string;
  /** whether the reply ended at its limit */
  readonly cut: boolean;
  /** whether it is longer than any answer; `text` is empty then */
  readonly isTooLong: boolean;
}

const endsCut = /length|max_?(?:output_?|completion_?)?tokens|token_?limit/i;
const endsWithheld = /content_?filter|safety|recitation|refusal|blocked|prohibited/i;

/** The first choice of a body; undefined where it has none with a message. */
export function saidIn(body: unknown): ChatSaid | undefined {
  const { choices } = fieldsOf(body);
  const choice = record.safeParse(Array.isArray(choices) ? choices[0] : undefined).data;
  const message = record.safeParse(choice?.message).data;
  if (choice === undefined || message === undefined) return undefined;
  const finish = typeof choice.finish_reason === 'string' ? choice.finish_reason : '';
  const text = contentText(message.content);
  const declined = typeof message.refusal === 'string' ? message.refusal : '';
  const withheld = endsWithheld.test(finish) && text !== '' ? `withheld (finish_reason ${finish})` : '';
  const isTooLong = text.length > longestReply;
  return {
    text: isTooLong ? '' : text,
    refusal: declined || refusalPart(message.content) || withheld,
    finish,
    cut: endsCut.test(finish),
    isTooLong,
  };
}

/** The text of a content: a text, parts of which some are texts, or the object that was asked for. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(partText).join('');
  const fields = record.safeParse(content).data;
  if (fields === undefined) return '';
  return 'text' in fields ? partText(fields) : JSON.stringify(fields);
}

const textTypes: readonly unknown[] = ['text', 'output_text', null, undefined];

/** Of a part, such as `{type: 'text', text}`; thoughts and pictures have none. */
function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  const { type, text } = fieldsOf(part);
  if (!textTypes.includes(type)) return '';
  if (typeof text === 'string') return text;
  const { value } = fieldsOf(text);
  return typeof value === 'string' ? value : '';
}

function refusalPart(content: unknown): string {
  const found = Array.isArray(content)
    ? content.map((part) => fieldsOf(part).refusal).find((one) => typeof one === 'string')
    : undefined;
  return typeof found === 'string' ? found : '';
}
