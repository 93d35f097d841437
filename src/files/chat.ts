/**
 * Chat templates: the Jinja text of a model that turns messages into one prompt, in the environment that
 * transformers gives it. Knows no tokenizer and no file; the clock is passed in.
 *
 * Where the result differs from transformers': `trim` and the like strip what JavaScript calls white space:
 * U+FEFF too, but not U+0085 and U+001C to U+001F. Time and ranges are bounded; memory is bounded by time
 * alone.
 */
import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { InputError } from '../errors.ts';
import { withinTime } from '../timeLimit.ts';

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface RenderOptions {
  /** Whether to end with the header of the assistant's turn, for the model to go on from. */
  readonly addGenerationPrompt: boolean;
  /** Variables of the template: `bos_token`, `eos_token`, ... Default none. */
  readonly specialTokens?: Readonly<Record<string, string>>;
  /** What `strftime_now` takes for now, in local time. A template that asks for the date fails without it. */
  readonly now?: Date;
}

export interface ChatTemplate {
  /** The prompt; throws InputError where the template refuses the messages or does not end within 5 s. */
  render(messages: readonly ChatMessage[], options: RenderOptions): string;
}

const maxRange = 100_000;

/**
 * The template of the Jinja text `template`; throws InputError, which begins with `where`, where it does
 * not parse.
 */
export function chatTemplate(template: string, where: string): ChatTemplate {
  const { parsed } = within(`${where}: the chat template does not parse`, () => new Template(template));
  return {
    render(messages, options) {
      const environment = environmentOf(messages, options, where);
      return within(`${where}: the chat template fails`, () => {
        const result = new Interpreter(environment).run(parsed);
        return String(result.value);
      });
    },
  };
}

function environmentOf(messages: readonly ChatMessage[], options: RenderOptions, where: string): Environment {
  const environment = new Environment();
  const variables: Record<string, unknown> = {
    ...options.specialTokens,
    ...constants,
    messages: messages.map(({ role, content }) => ({ role, content })),
    add_generation_prompt: options.addGenerationPrompt,
    tools: null,
    documents: null,
    range: (...bounds: unknown[]) => range(bounds, where),
    raise_exception: (message: unknown) => {
      throw new InputError(`${where}: the chat template refuses these messages: ${oneLine(String(message))}`);
    },
    strftime_now: (format: unknown) => {
      if (options.now === undefined)
        throw new InputError(`${where}: the chat template asks for the date, and none is given`);
      return formatDate(options.now, String(format), where);
    },
  };
  for (const [name, value] of Object.entries(variables)) environment.set(name, value);
  return environment;
}

const constants = { true: true, True: true, false: false, False: false, none: null, None: null };

/** Python's range, at most `maxRange` long. */
function range(bounds: readonly unknown[], where: string): number[] {
  const numbers = bounds.map(Number);
  const [start, stop, step = 1] = numbers.length === 1 ? [0, ...numbers] : numbers;
  const length = Math.max(0, Math.ceil((stop! - start!) / step));
  if (!(length <= maxRange))
    throw new InputError(
      `${where}: the chat template: expected range() of at most ${maxRange}, found range(${numbers})`,
    );
  return Array.from({ length }, (_, i) => start! + i * step);
}

/** `work()`, stopped after 5 s; any error becomes an InputError that begins with `where`. */
function within<T>(where: string, work: () => T): T {
  try {
    return withinTime(work);
  } catch (error) {
    if (error instanceof InputError) throw error;
    // The interpreter leaves a loop by an error without a message.
    const why = oneLine((error as Error).message ?? '') || 'break or continue outside a loop';
    throw new InputError(`${where}: ${why}`);
  }
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 297)}...` : line;
}

const months = 'January February March April May June July August September October November December';
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday';
const nameIn = (names: string, i: number) => names.split(' ')[i]!;
const pad = (number: number, width = 2) => String(number).padStart(width, '0');
const hour12 = (date: Date) => date.getHours() % 12 || 12;
const dayOfYear = (date: Date) =>
  Math.round(
    (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 0)) /
      86_400_000,
  );

/** Python's strftime in the C locale, by directive. */
const directives: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()),
  y: (date) => pad(date.getFullYear() % 100),
  m: (date) => pad(date.getMonth() + 1),
  d: (date) => pad(date.getDate()),
  H: (date) => pad(date.getHours()),
  I: (date) => pad(hour12(date)),
  M: (date) => pad(date.getMinutes()),
  S: (date) => pad(date.getSeconds()),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  B: (date) => nameIn(months, date.getMonth()),
  b: (date) => nameIn(months, date.getMonth()).slice(0, 3),
  A: (date) => nameIn(days, date.getDay()),
  a: (date) => nameIn(days, date.getDay()).slice(0, 3),
  j: (date) => pad(dayOfYear(date), 3),
  '%': () => '%',
};

/** `%-d` is `%d` without the leading zero, as glibc has it. */
function formatDate(date: Date, format: string, where: string): string {
  return format.replace(/%(-?)([^-]?)/g, (directive, bare: string, letter: string) => {
    const text = Object.hasOwn(directives, letter) ? directives[letter]?.(date) : undefined;
    if (text === undefined)
      throw new InputError(`${where}: the chat template: strftime_now: ${directive} is not supported`);
    return bare === '' ? text : text.replace(/^0+(?=.)/, '');
  });
}
