/** Options that commands share, and the readers of their values. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** How a command ends that did not do what it was asked to; docs/commands.md. */
export const exitCodes = {
  /** a bug of ours */
  bug: 1,
  /** something given was wrong */
  input: 2,
  /** what was given is right, but there is nothing to work on, such as no pairs */
  nothing: 3,
  /** a judge's or an explainer's budget is spent, or answers of a batch are outstanding: what is done is kept */
  budget: 4,
} as const;

/** Rows of a table on the screen where nothing is said. */
export const screenRows = 12;

/** A whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    return value;
  };
}

const dateForm = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?)?$/;

/** A date, with or without a time, in local time. */
function dateIn(text: string): Date {
  const numbers = dateForm.exec(text)?.slice(1).map(Number);
  const [year = 0, month = 0, day = 0, ...time] = numbers ?? [];
  const [hours = 0, minutes = 0, seconds = 0] = time.map((x) => (Number.isNaN(x) ? 0 : x));
  const date = new Date(year, month - 1, day, hours, minutes, seconds);
  const same = date.getMonth() === month - 1 && date.getDate() === day && date.getHours() === hours;
  if (numbers === undefined || !same || minutes > 59 || seconds > 59)
    throw new InvalidArgumentError('Expected a date such as 2024-07-26 or 2024-07-26T14:05.');
  return date;
}

/** --date; `otherwise` says what a template prints without it. */
export const dateOption = (otherwise: string): Option =>
  new Option('--date <date>', `the date that a chat template prints (default: ${otherwise})`).argParser(
    dateIn,
  );

export const studyDate = "the study's first day";

/** A size in powers of ten, such as 8G, as a number of bytes. */
function bytesIn(text: string): number {
  const [, value, unit] = /^(\d{1,6}(?:\.\d{1,3})?)([MGT])B?$/i.exec(text) ?? [];
  if (value === undefined) throw new InvalidArgumentError('Expected a size such as 400M or 8G.');
  return Number(value) * { M: 1e6, G: 1e9, T: 1e12 }[unit!.toUpperCase() as 'M' | 'G' | 'T'];
}

export interface MachineFlags {
  readonly cache?: string | undefined;
  readonly memory?: number | undefined;
}

/** --cache and --memory. */
export function withMachineOptions(command: Command): Command {
  return command
    .option(
      '--cache <folder>',
      "where the weights of a GGUF are kept as float32 (default: $CULPRIT_CACHE, or the user's cache folder)",
    )
    .option(
      '--memory <size>',
      'how much memory to take, such as 8G: a larger model is run part by part (default: three quarters of what is free)',
      bytesIn,
    );
}

/** What they say, to those who do the work. */
export const machineOf = ({ cache, memory }: MachineFlags) => ({ cacheDir: cache, memory });

/** --model, --adapter, --date, --cache and --memory. */
export function withModelOptions(command: Command, { required = true } = {}): Command {
  const own = command
    .addOption(
      new Option(
        '--model <path>',
        'the subject model: a Hugging Face folder (safetensors), a .gguf file, or a folder with one',
      ).makeOptionMandatory(required),
    )
    .option('--adapter <folder>', 'a LoRA adapter on it, as PEFT saves one')
    .addOption(dateOption("now, or the study's first day"));
  return withMachineOptions(own);
}

/** The description of a corpus. */
export const corpusForm = 'JSONL of {"text"} or {"messages"}, or a .txt file of paragraphs';
