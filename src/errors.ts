/**
 * Something the user gave is wrong: a file, an option, a line of data. The message is the one clear line
 * the user reads (what, where, what was expected, what was found); the command line prints it without a
 * stack and exits with code 2. Any other error is a bug of ours and keeps its stack.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/**
 * What was given is right, but there is nothing in it to work on, such as no pairs. The command line exits
 * with code 3.
 */
export class NothingToWorkOn extends InputError {}

const longest = 300;
const kept = { first: 200, last: 97 };

/**
 * A text of unknown origin, such as what a library says of a user's file, as one line of at most 300
 * characters; a longer one loses its middle, for it may quote the file and then say what is wrong.
 */
export function inOneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > longest ? `${line.slice(0, kept.first)}...${line.slice(-kept.last)}` : line;
}
