/**
 * Chat templates: the Jinja text of a model that turns messages into one prompt, in the environment that
 * transformers gives it. Knows no tokenizer and no file; the clock is passed in.
 *
 * `jinja/` follows Jinja 3.1 with trim_blocks, lstrip_blocks, loop controls and generation marks, and refuses
 * by name what it does not know. Where the result differs all the same: whole numbers are exact up to 2^53,
 * and a message's 1.0 is 1, as JSON.parse reads it. Time and ranges are bounded; memory is bounded by time
 * alone.
 */
import { InputError, inOneLine } from '../errors.ts';
import type { ChatMessage } from '../results.ts';
import { OverTime, withinTime } from '../timeLimit.ts';
import { JinjaError } from './jinja/errors.ts';
import { runTemplate } from './jinja/interpreter.ts';
import { parseTemplate } from './jinja/parser.ts';
import { strftime } from './jinja/strftime.ts';
import { str } from './jinja/text.ts';
import { Callable, fromJson } from './jinja/values.ts';

export interface RenderOptions {
  /** Whether to end with the header of the assistant's turn, for the model to go on from. */
  readonly addGenerationPrompt: boolean;
  /** Variables of the template: `bos_token`, `eos_token`, ... Default none. */
  readonly specialTokens?: Readonly<Record<string, string>>;
  /** What `strftime_now` takes for now, in local time. A template that asks for the date fails without it. */
  readonly now?: Date;
}

export interface ChatTemplate {
  /** Whether it may print the date. */
  readonly readsDate: boolean;
  /** The prompt; throws InputError where the template refuses the messages or does not end within 5 s. */
  render(messages: readonly ChatMessage[], options: RenderOptions): string;
}

/**
 * The template of the Jinja text `template`; throws InputError, which begins with `where`, where it does
 * not parse.
 */
export function chatTemplate(template: string, where: string): ChatTemplate {
  const parsed = within(`${where}: the chat template does not parse`, () => parseTemplate(template));
  return {
    readsDate: template.includes('strftime_now'),
    render(messages, options) {
      return within(`${where}: the chat template fails`, () =>
        runTemplate(parsed, variablesOf(messages, options, where)),
      );
    },
  };
}

function variablesOf(
  messages: readonly ChatMessage[],
  { addGenerationPrompt, specialTokens = {}, now }: RenderOptions,
  where: string,
): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    [
      'raise_exception',
      new Callable('raise_exception', ([message]) => {
        throw new InputError(
          `${where}: the chat template refuses these messages: ${inOneLine(str(message ?? ''))}`,
        );
      }),
    ],
    [
      'strftime_now',
      new Callable('strftime_now', ([format]) => {
        if (now === undefined)
          throw new InputError(`${where}: the chat template asks for the date, and none is given`);
        return strftime(now, str(format ?? ''));
      }),
    ],
    ...Object.entries(specialTokens),
    ['messages', messages.map((message) => fromJson(normalised(message)))],
    ['tools', null],
    ['documents', null],
    ['add_generation_prompt', addGenerationPrompt],
  ]);
}

/** Names that a message's reasoning goes by; a template reads the first, or gpt-oss's the second. */
const reasoningFields = ['reasoning_content', 'thinking', 'reasoning'];

/** A message as transformers hands it on: without fields that are null, its reasoning under both names. */
function normalised(message: ChatMessage): object {
  const fields = Object.fromEntries(Object.entries(message).filter(([, value]) => value != null));
  const reasoning = reasoningFields.map((name) => fields[name]).find((value) => value !== undefined);
  return reasoning === undefined ? fields : { thinking: reasoning, ...fields, reasoning_content: reasoning };
}

/** `work()`, stopped after 5 s; any error becomes an InputError that begins with `where`. */
function within<T>(where: string, work: () => T): T {
  try {
    return withinTime(work);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    throw new InputError(`${where}: ${reason}`);
  }
}

/** What a template's own fault says of itself; undefined for any other error. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof JinjaError) return inOneLine(error.message);
  if (error instanceof OverTime) return error.message;
  const { message = '', name } = error as { message?: string; name?: string };
  // Text, recursion or a list without bounds.
  return name === 'RangeError' ? inOneLine(message) : undefined;
}
