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
