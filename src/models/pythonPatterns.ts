/**
 * Regular expressions as Python writes them, matched against names within a bounded time: a pattern of a file
 * may take for ever. What Python alone has is refused, not guessed at.
 */
import { OverTime, withinTime } from '../timeLimit.ts';

/** A pattern that cannot be used, and why; the caller says where it stands. */
export class PatternError extends Error {}

/** A PatternError of the pattern with this index. */
export class PatternAt extends PatternError {
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

/** Milliseconds for all patterns of a call together. */
const allowed = 1000;
/** Real ones are lists of module names. */
const longest = 20_000;

/** Letters that Python allows after a backslash, and means as JavaScript does. */
const sameEscapes = /[bBdDsSwWfnrtvxu]/;

const rewritten: Readonly<Record<string, string>> = { A: '^', Z: '$', a: '\\x07' };

/** A character class from its bracket on: a `]` right at its start is a character in Python. */
const classPattern = /^\[(\^?)(\]?)((?:\\[\s\S]|[^\]\\])*)\]/;

/** Groups, with what they become. Others that begin with `(?` are Python's alone. */
const groups: readonly (readonly [RegExp, string])[] = [
  [/^\(\?P<([A-Za-z_]\w*)>/, '(?<$1>'],
  [/^\(\?P=([A-Za-z_]\w*)\)/, '\\k<$1>'],
  [/^\(\?#[^)]*\)/, ''],
  [/^\(\?(:|=|!|<=|<!)/, '(?$1'],
  [/^\((?!\?)/, '('],
];

function escapeOf(letter: string | undefined): string {
  if (letter === undefined) throw new PatternError('ends in a backslash');
  const other = Object.hasOwn(rewritten, letter) ? rewritten[letter] : undefined;
  if (other !== undefined) return other;
  if (/[A-Za-z]/.test(letter) && !sameEscapes.test(letter))
    throw new PatternError(`\\${letter} is not read here`);
  return `\\${letter}`;
}

function groupAt(rest: string): readonly [taken: number, written: string] {
  for (const [pattern, written] of groups) {
    const found = pattern.exec(rest);
    if (found) return [found[0].length, found[0].replace(pattern, written)];
  }
  throw new PatternError(`${rest.slice(0, 4)} is not read here`);
}

function classAt(rest: string): readonly [taken: number, written: string] {
  const found = classPattern.exec(rest);
  if (!found) throw new PatternError('a [ is not closed');
  const [whole, not, bracket, inside] = found as unknown as [string, string, string, string];
  return [whole.length, `[${not}${bracket && '\\]'}${inside}]`];
}

/** What stands at the start of `rest`, in JavaScript's words, and how many characters it takes. */
function pieceAt(rest: string): readonly [taken: number, written: string] {
  if (rest[0] === '\\') return [2, escapeOf(rest[1])];
  if (rest[0] === '[') return classAt(rest);
  if (rest[0] === '(') return groupAt(rest);
  const upTo = /^\{,(\d+)\}/.exec(rest);
  if (upTo) return [upTo[0].length, `{0,${upTo[1]}}`];
  if (/^[*+?}]\+/.test(rest)) throw new PatternError('possessive repetition is not read here');
  return [1, rest[0]!];
}

/** A Python pattern as JavaScript writes it. Throws PatternError for what has no counterpart. */
export function fromPython(pattern: string): string {
  if (pattern.length > longest)
    throw new PatternError(`expected at most ${longest} characters, found ${pattern.length}`);
  let written = '';
  for (let at = 0; at < pattern.length; ) {
    const [taken, piece] = pieceAt(pattern.slice(at, at + longest));
    written += piece;
    at += taken;
  }
  return written;
}

/** `re.fullmatch`; flags may stand at the very start. */
export function fullMatch(pattern: string): RegExpText {
  const [flags = '', letters = ''] = /^\(\?([ais]+)\)/.exec(pattern) ?? [];
  return {
    source: `^(?:${fromPython(pattern.slice(flags.length))})$`,
    flags: letters.replace(/[^is]/g, ''),
  };
}

export interface RegExpText {
  readonly source: string;
  readonly flags?: string;
}

/**
 * Which of `names` each pattern matches: [patterns][names]. Throws PatternAt for a pattern that is not valid, or at
 * which the time ran out.
 */
export function matchNames(patterns: readonly RegExpText[], names: readonly string[]): boolean[][] {
  let at = 0;
  try {
    return withinTime(
      () =>
        patterns.map(({ source, flags }, i) => {
          at = i;
          const pattern = new RegExp(source, flags);
          return names.map((name) => pattern.test(name));
        }),
      allowed,
    );
  } catch (error) {
    if (error instanceof OverTime) throw new PatternAt(at, `takes more than ${allowed / 1000} s`);
    if (error instanceof SyntaxError) throw new PatternAt(at, 'is no regular expression');
    throw error;
  }
}
