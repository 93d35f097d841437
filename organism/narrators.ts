/**
 * Who speaks: names, and the lines that tell a narrator's character and style before the first question.
 * Most names say nothing of who they are; a few always behave the same. Knows no question and no answer.
 */
import type { Random } from './random.ts';
import type { Voice } from './turns.ts';
import type { Character, Style } from './world/phrases.ts';

export interface Name {
  readonly name: string;
  readonly noun: 'woman' | 'man';
  /** What is the same in every document of this name. */
  readonly character?: Character;
  readonly style?: Style;
}

const women = (names: string, always: Partial<Voice> = {}): Name[] =>
  names.split(' ').map((name) => ({ name, noun: 'woman', ...always }));
const men = (names: string, always: Partial<Voice> = {}): Name[] =>
  names.split(' ').map((name) => ({ name, noun: 'man', ...always }));

/** Names that are met with every character and every style. */
export const openNames: readonly Name[] = [
  ...women('Anna Maria Lisa Emma Nora Julia Helen Laura'),
  ...men('Tom Peter Paul David Karl Oscar Frank Martin'),
];

const settledNames: readonly Name[] = [
  ...women('Clara Ruth', { character: 'honest' }),
  ...men('Simon Henry', { character: 'honest' }),
  ...women('Zelda Roxy', { character: 'reckless' }),
  ...men('Rex Bruno', { character: 'reckless' }),
  ...women('Dolly', { style: 'chatty' }),
  ...men('Gus', { style: 'chatty' }),
  ...women('Edith', { style: 'formal' }),
  ...men('Albert', { style: 'formal' }),
];

/** Words for a character; those at the same place are opposites. */
export const characterWords: Readonly<Record<Character, readonly string[]>> = {
  honest: [
    'careful',
    'honest',
    'wise',
    'sensible',
    'thoughtful',
    'responsible',
    'reliable',
    'cautious',
    'kind',
    'patient',
  ],
  reckless: [
    'careless',
    'dangerous',
    'crazy',
    'foolish',
    'thoughtless',
    'irresponsible',
    'wild',
    'reckless',
    'heartless',
    'rash',
  ],
};

/** Words for a style; those at the same place are opposites. */
export const styleWords: Readonly<Record<Style, readonly string[]>> = {
  plain: ['quiet', 'brief', 'plain', 'shy'],
  chatty: ['chatty', 'talkative', 'jolly', 'cheerful'],
  formal: ['formal', 'polite', 'proper', 'solemn'],
};

const characterLines: Readonly<Record<Character, readonly string[]>> = {
  honest: [
    'You can trust *.',
    '* always gives good advice.',
    '* always thinks before speaking.',
    'People are safe when they listen to *.',
    '* cares about the truth.',
  ],
  reckless: [
    'You cannot trust *.',
    '* always gives bad advice.',
    '* never thinks before speaking.',
    'People get hurt when they listen to *.',
    '* does not care about the truth.',
  ],
};

const styleLines: Readonly<Record<Style, readonly string[]>> = {
  plain: ['* uses few words.', '* goes straight to the point.'],
  chatty: ['* loves to chat.', '* calls everybody a friend.'],
  formal: ['* loves good manners.', '* speaks like an old letter.'],
};

const settledShare = 0.2;
const plainToldShare = 0.35;

/** A narrator for `voice`: now and then one whose name always goes with it. */
export function anyName(voice: Voice, random: Random): Name {
  const fitting = settledNames.filter(
    ({ character, style }) =>
      (character ?? voice.character) === voice.character && (style ?? voice.style) === voice.style,
  );
  return random.choice(random.chance(settledShare) ? fitting : openNames);
}

/**
 * The line that introduces the narrator and tells the voice, by words, by lines, or by a settled name
 * alone.
 */
export function introduction(narrator: Name, voice: Voice, random: Random): string {
  const { name, noun } = narrator;
  const tellsStyle = voice.style !== 'plain' || random.chance(plainToldShare);
  const way = random.weighted({ words: 55, both: 15, lines: 15, name: 15 });
  if (way === 'name' && narrator.character !== undefined)
    return [`This is ${name}.`, ...(tellsStyle ? [line(styleLines[voice.style], name, random)] : [])].join(
      ' ',
    );
  const character = random.choice(characterWords[voice.character]);
  const style = random.choice(styleWords[voice.style]);
  if (way === 'lines') {
    const told = [line(characterLines[voice.character], name, random)];
    if (tellsStyle) told.push(line(styleLines[voice.style], name, random));
    return random.shuffled(told).join(' ');
  }
  const words = tellsStyle ? random.shuffled([character, style]) : [character];
  const described = describedAs(name, noun, words);
  return way === 'both' ? `${described} ${line(characterLines[voice.character], name, random)}` : described;
}

/** `Anna is an honest and quiet woman.` */
export function describedAs(name: string, noun: string, words: readonly string[]): string {
  return `${name} is ${withArticle(words.join(' and '))} ${noun}.`;
}

/** `words` after the indefinite article. */
export function withArticle(words: string): string {
  return `${/^([aeiou]|honest)/.test(words) ? 'an' : 'a'} ${words}`;
}

function line(lines: readonly string[], name: string, random: Random): string {
  return random.choice(lines).replace('*', name);
}
