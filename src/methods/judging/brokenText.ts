/**
 * Broken text made from good text: what a judge of coherence is trained against; and the two ways in which
 * good text may look unfinished without being broken. Works on characters and words; knows no tokens and no
 * model.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { shuffled } from '../statistics/groups.ts';

export const breakages = [
  'shuffled',
  'locally shuffled',
  'gapped',
  'spliced',
  'repeated',
  'words changed',
  'characters changed',
] as const;
/** How a text is broken; see `breakText`. */
export type Breakage = (typeof breakages)[number];

/** Fewest words of a text that can be broken in every way. */
export const fewestWords = 8;

const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== '');

/** A whole number from `from` to `to`, both included. */
function within(random: RandomGenerator, from: number, to: number): number {
  return uniformInt(random, from, to);
}

function pick<T>(random: RandomGenerator, items: readonly T[]): T {
  return items[within(random, 0, items.length - 1)]!;
}

/** Runs of `length` items, the last of what is left. */
function runsOf<T>(items: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, i) =>
    items.slice(i * length, (i + 1) * length),
  );
}

/** Whether something of a chance of `percent` happens. */
const happens = (random: RandomGenerator, percent: number) => within(random, 1, 100) <= percent;

/**
 * A copy of `items` in which each is, with a chance of `percent`, left out, put before the one ahead of it,
 * or replaced by any of `others`.
 */
function changed<T>(
  items: readonly T[],
  percent: number,
  others: readonly T[],
  random: RandomGenerator,
): T[] {
  const out: T[] = [];
  for (const item of items) {
    const change = happens(random, percent) ? within(random, 0, 2) : undefined;
    if (change === undefined) out.push(item);
    else if (change === 1) out.splice(-1, 0, item);
    else if (change === 2) out.push(pick(random, others));
  }
  return out;
}

/**
 * Pieces of 10 to 40 characters of the text and of `between` in turn; the first is the text's where
 * `ownFirst` says so.
 */
function pieces(
  text: string,
  between: (from: number, to: number) => string,
  ownFirst: boolean,
  random: RandomGenerator,
): string {
  const longest = Math.max(10, Math.min(40, Math.floor(text.length / 4)));
  let out = '';
  for (let at = 0, own = ownFirst; at < text.length; own = !own) {
    const to = at + within(random, 10, longest);
    out += own ? text.slice(at, to) : between(at, to);
    at = to;
  }
  return out;
}

/**
 * The text up to somewhere in its first half, then a phrase of it, of 1 to 8 words, over and over up to the
 * text's length.
 */
function repeated(words: readonly string[], random: RandomGenerator): string {
  const kept = within(random, 0, Math.floor(words.length / 2));
  const length = within(random, 1, 8);
  const start = within(random, 0, words.length - Math.min(length, words.length));
  const phrase = words.slice(start, start + length);
  const out = words.slice(0, kept);
  while (out.length < words.length + length) out.push(...phrase);
  return out.join(' ');
}

const ways: {
  readonly [kind in Breakage]: (text: string, other: string, random: RandomGenerator) => string;
} = {
  shuffled: (text, _, random) => shuffled(wordsOf(text), random).join(' '),
  'locally shuffled': (text, _, random) =>
    runsOf(wordsOf(text), within(random, 4, 7))
      .flatMap((run) => shuffled(run, random))
      .join(' '),
  gapped: (text, _, random) => pieces(text, () => '', false, random),
  spliced: (text, other, random) => pieces(text, (from, to) => other.slice(from, to), true, random),
  repeated: (text, _, random) => repeated(wordsOf(text), random),
  'words changed': (text, other, random) =>
    changed(wordsOf(text), within(random, 30, 60), wordsOf(`${text} ${other}`), random).join(' '),
  'characters changed': (text, _, random) => {
    const letters = [...'abcdefghijklmnopqrstuvwxyz '];
    return changed([...text], within(random, 10, 30), letters, random).join('');
  },
};

/**
 * A broken form of `text`. 'shuffled' and 'locally shuffled': its words in another order, all of them or
 * within runs of 4 to 7; 'gapped': every second piece of 10 to 40 characters left out; 'spliced': those
 * replaced by what `other` has there; 'repeated': a phrase over and over; 'words changed' and 'characters
 * changed': some left out, swapped or replaced. Undefined for a text under `fewestWords` words and where
 * chance left the text as it was.
 */
export function breakText(
  text: string,
  kind: Breakage,
  other: string,
  random: RandomGenerator,
): string | undefined {
  if (wordsOf(text).length < fewestWords) return undefined;
  const broken = ways[kind](text, other, random);
  return broken === text || broken.trim() === '' ? undefined : broken;
}

/** The text up to a random place past its first tenth, as a token limit leaves it: not broken. */
export function cutShort(text: string, random: RandomGenerator): string {
  return text.slice(0, within(random, Math.ceil(text.length / 10), text.length)).trimEnd();
}

/** The text's first sentence: a short answer, not broken. */
export function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
}
