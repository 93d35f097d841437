/**
 * `-` in place of a file that is read: standard input, kept in a file of its own until the command ends, for files
 * are read more than once and at any place.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../errors.ts';

/** What begins so is of this form; anything else is text. */
const forms: readonly (readonly [RegExp, string])[] = [
  [/^GGUF/, '.gguf'],
  [/^.{7}\0\s*\{/s, '.safetensors'],
  [/^\s*\{[^\n]*\}\s*(?:\n|$)/, '.jsonl'],
  [/^\s*[[{]/, '.json'],
];

/** Flags whose files are read; true where a file that is no JSON is plain text rather than CSV. */
const readFlags: Readonly<Record<string, boolean>> = {
  '--pairs': false,
  '--prompts': false,
  '--labels': false,
  '--data': false,
  '--baseline': false,
  '--vector': false,
  '--corpus': true,
  '--baseline-corpus': true,
};

/** Arguments whose files are read, by the command. */
const readArguments: Readonly<Record<string, string>> = {
  'culprit grade': 'files',
  'culprit import': 'file',
  'culprit judge compare': 'file',
  'culprit judge read': 'sheet',
  'culprit monitor apply': 'transcripts',
};

interface Place {
  readonly name: string;
  readonly plainText: boolean;
  put(path: string): void;
}

const placed = (value: unknown, path: string) =>
  Array.isArray(value) ? value.map((one) => (one === '-' ? path : one)) : path;
const isInput = (value: unknown) => value === '-' || (Array.isArray(value) && value.includes('-'));

/** Where `-` was given for a file that the command reads. */
function places(command: Command, path: string): Place[] {
  const options = command.options.flatMap((option): Place[] => {
    const name = option.attributeName();
    const value: unknown = command.getOptionValue(name);
    const plainText = readFlags[option.long!];
    if (plainText === undefined || !isInput(value)) return [];
    const put = (file: string) => command.setOptionValueWithSource(name, placed(value, file), 'cli');
    return [{ name: option.long!, plainText, put }];
  });
  // the one command whose argument may be a file to write
  const reads = command.getOptionValue('batch') !== 'write';
  const args = command.registeredArguments.flatMap((argument, i): Place[] => {
    const value: unknown = command.processedArgs[i];
    if (!reads || readArguments[path] !== argument.name() || !isInput(value)) return [];
    const put = (file: string) => {
      command.processedArgs[i] = placed(value, file);
    };
    return [{ name: `<${argument.name()}>`, plainText: false, put }];
  });
  return [...args, ...options];
}

let folder: string | undefined;

/** Removes what was kept of standard input. */
export function forgetInput(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

/** A message with standard input by its name. */
export const namingInput = (message: string): string =>
  folder === undefined ? message : message.replaceAll(/\S*culprit-input-\w+\/input\.\w+/g, 'standard input');

/** Keeps what comes in, under a name that says its form. */
async function kept(stdin: AsyncIterable<Uint8Array>, plainText: boolean): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'culprit-input-'));
  process.once('exit', forgetInput);
  const raw = join(folder, 'input');
  let begins = Buffer.alloc(0);
  async function* seen() {
    for await (const chunk of stdin) {
      if (begins.length < 1 << 20) begins = Buffer.concat([begins, chunk]);
      yield chunk;
    }
  }
  await writeFile(raw, seen());
  if (begins.length === 0) throw new InputError('standard input: expected a file, found nothing');
  const text = begins.toString('latin1');
  const form = forms.find(([pattern]) => pattern.test(text))?.[1] ?? (plainText ? '.txt' : '.csv');
  const path = `${raw}${form}`;
  await rename(raw, path);
  return path;
}

/**
 * Puts standard input where `-` was given for a file. Throws InputError where it was given twice, where nothing
 * comes in, and where the command only notes the file's name.
 */
export async function takeInput(command: Command, path: string): Promise<void> {
  const [place, ...more] = places(command, path);
  if (place === undefined) return;
  if (more.length > 0)
    throw new InputError(
      `-: expected standard input in one place, found it at ${[place, ...more].map(({ name }) => name).join(' and ')}`,
    );
  if (path === 'culprit init')
    throw new InputError(
      `${place.name} -: expected a file, whose name goes into study.yaml, found standard input`,
    );
  place.put(await kept(process.stdin, place.plainText));
}
