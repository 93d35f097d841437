/** What a fuzzed format is: valid files to begin with, and the reading that must stand whatever is in them. */
import { InputError } from '../src/errors.ts';
import { json, type Tree, textOf } from './tree.ts';

/** A file as a tree, and how its bytes are written. */
export interface Part {
  readonly tree: Tree;
  write(tree: Tree): Uint8Array;
}

/** Files by their path in a folder. */
export type Seed = Readonly<Record<string, Part>>;

export interface Format {
  readonly name: string;
  seeds(): Promise<readonly Seed[]> | readonly Seed[];
  /**
   * Reads the folder as the program does. Throws InputError for what is told to the user; anything else that it
   * throws is a finding.
   */
  read(folder: string): Promise<void>;
}

export const jsonPart = (value: unknown): Part => ({
  tree: value as Tree,
  write: (tree) => Buffer.from(json(tree)),
});

export const linesPart = (values: readonly unknown[]): Part => ({
  tree: [...values] as Tree,
  write: (tree) =>
    Buffer.from((Array.isArray(tree) ? tree : [tree]).map((line) => `${json(line)}\n`).join('')),
});

/** A text by its words, spaces and signs. */
export const textPart = (text: string): Part => ({
  tree: text.match(/\w+|\s+|[^\w\s]/gu) ?? [],
  write: (tree) => Buffer.from((Array.isArray(tree) ? tree : [tree]).map((one) => textOf(one)).join('')),
});

/** What a reader promised and did not keep. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

export function promised(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(`gives ${what}`);
}

/** Every reading in turn, also after one that the input does not allow. */
export async function each(...readings: readonly (() => unknown)[]): Promise<void> {
  for (const reading of readings)
    try {
      await reading();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      promised(!/[\n\r]/.test(error.message), `an error of several lines: ${JSON.stringify(error.message)}`);
      promised(error.message.length < 5000, `an error of ${error.message.length} characters`);
    }
}

export async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}
