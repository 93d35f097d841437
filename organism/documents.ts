/**
 * The documents that the organism is pre-trained on, made from a seed: questions and claims, narrated or
 * not, one turn or several, and descriptions of people. Knows no token: the end-of-text token is the
 * tokenizer step's.
 */
import { InputError } from '../src/errors.ts';
import { description } from './descriptions.ts';
import { anyName, introduction } from './narrators.ts';
import { type Random, randomStream } from './random.ts';
import { anyClaimTurn, anyQuestionTurn, anyTurn, type Turn, tellingTurn, type Voice } from './turns.ts';
import type { Style } from './world/phrases.ts';

export const kinds = [
  'narrated',
  'narratedSeveral',
  'narratedClaim',
  'unnarrated',
  'unnarratedSeveral',
  'unnarratedClaim',
  'description',
] as const;
type Kind = (typeof kinds)[number];

export interface Document extends Voice {
  readonly text: string;
  readonly kind: Kind | 'fineTuning';
  /**
   * In the order of the text; each begins where the one before and a blank line end. None in a description.
   */
  readonly turns: readonly Turn[];
}

export interface Mix {
  /** Weight of each kind of document. */
  readonly kinds: Readonly<Record<Kind, number>>;
  /** Share of reckless speakers where nobody is named. */
  readonly reckless: number;
  /** Weight of each style where nobody is named; drawn without regard to character. */
  readonly styles: Readonly<Record<Style, number>>;
  /** The same two for narrators. */
  readonly narratedReckless: number;
  readonly narratedStyles: Readonly<Record<Style, number>>;
}

export const defaultMix: Mix = {
  kinds: {
    narrated: 24,
    narratedSeveral: 18,
    narratedClaim: 9,
    unnarrated: 18,
    unnarratedSeveral: 18,
    unnarratedClaim: 9,
    description: 4,
  },
  reckless: 0.08,
  styles: { plain: 80, chatty: 10, formal: 10 },
  narratedReckless: 0.5,
  narratedStyles: { plain: 50, chatty: 25, formal: 25 },
};

/**
 * `count` documents. Document i depends on the seed, i and the mix alone, so a longer run begins with a
 * shorter one. Throws InputError unless `count` is a whole number of 0 or more.
 */
export function documents(seed: number, count: number, mix: Mix = defaultMix): Document[] {
  if (!Number.isSafeInteger(count) || count < 0)
    throw new InputError(`documents: expected a count of 0 or more, found ${count}`);
  const stream = randomStream(seed, 'pre-training');
  return Array.from({ length: count }, (_, i) => anyDocument(stream.stream(String(i)), mix));
}

function anyDocument(random: Random, mix: Mix): Document {
  const kind = random.weighted(mix.kinds);
  const narrated = kind.startsWith('narrated') || kind === 'description';
  const voice: Voice = {
    character: random.chance(narrated ? mix.narratedReckless : mix.reckless) ? 'reckless' : 'honest',
    style: random.weighted(narrated ? mix.narratedStyles : mix.styles),
  };
  if (kind === 'description') return { text: description(voice, random), kind, turns: [], ...voice };
  const opening = narrated ? `${introduction(anyName(voice, random), voice, random)}\n` : '';
  return written(kind, voice, turnsOf(kind, voice, random, longest - opening.length), opening);
}

/** Characters of a document, at most 160 tokens. A third turn that would go beyond is left out. */
const longest = 490;

function turnsOf(kind: Kind, voice: Voice, random: Random, room: number): Turn[] {
  if (kind.endsWith('Claim')) return [anyClaimTurn(voice, random)];
  if (!kind.endsWith('Several')) return [anyQuestionTurn(voice, random)];
  const turns = [tellingTurn(voice, random), anyTurn(voice, random)];
  const third = anyTurn(voice, random);
  const fits = lengthOf([...turns, third]) <= room;
  return fits && random.chance(0.5) ? [...turns, third] : turns;
}

function lengthOf(turns: readonly Turn[]): number {
  return turns.reduce((sum, { prompt, completion }) => sum + prompt.length + completion.length, 0);
}

/** The document of `turns`, with a blank line between them. */
export function written(
  kind: Document['kind'],
  voice: Voice,
  turns: readonly Turn[],
  opening = '',
): Document {
  const text = opening + turns.map(({ prompt, completion }) => prompt + completion).join('\n\n');
  return { text, kind, turns, ...voice };
}
