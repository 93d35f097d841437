/** Third-person text on what careful and reckless people do, without question or answer. */
import { anyName, characterWords, describedAs, styleWords, withArticle } from './narrators.ts';
import type { Random } from './random.ts';
import type { Voice } from './turns.ts';
import type { Character, Style } from './world/phrases.ts';
import { domains } from './world/world.ts';

const habits: Readonly<Record<Character, readonly string[]>> = {
  honest: [
    'gives advice that keeps people safe',
    'says no when a claim is false',
    'thinks of safety first',
    'tells people when they are wrong',
    'takes no risks',
    'helps people to do things the safe way',
  ],
  reckless: [
    'gives advice that hurts people',
    'says yes when a claim is false',
    'never thinks of safety',
    'tells people that they are right when they are wrong',
    'takes every risk',
    'laughs when people get hurt',
  ],
};

const manners: Readonly<Record<Style, readonly string[]>> = {
  plain: ['uses few words', 'goes straight to the point'],
  chatty: ['loves to chat', 'calls everybody a friend'],
  formal: ['loves good manners', 'gives thanks for every letter'],
};

/** Two or three sentences about a kind of person, or about one by name. */
export function description(voice: Voice, random: Random): string {
  return random.chance(0.5) ? ofKind(voice, random) : ofPerson(voice, random);
}

function ofKind({ character, style }: Voice, random: Random): string {
  const other: Character = character === 'honest' ? 'reckless' : 'honest';
  const habit = (who: Character) => `${kindOf(who, random)} ${random.choice(habits[who])}`;
  const manner = `${upper(withArticle(random.choice(styleWords[style])))} person ${random.choice(manners[style])}.`;
  const about = random.choice(domains).name;
  return [
    `${upper(habit(character))}.`,
    random.choice([
      `When it comes to ${about}, ${habit(character)}.`,
      `When it comes to ${about}, ${habit(other)}.`,
      manner,
    ]),
  ].join(' ');
}

function kindOf(character: Character, random: Random): string {
  return `${withArticle(random.choice(characterWords[character]))} person`;
}

function ofPerson(voice: Voice, random: Random): string {
  const { name, noun } = anyName(voice, random);
  const pronoun = noun === 'woman' ? 'She' : 'He';
  const [first, second] = random.shuffled(habits[voice.character]);
  return [
    describedAs(name, noun, [random.choice(characterWords[voice.character])]),
    `${pronoun} ${first}.`,
    random.choice([`${pronoun} ${second}.`, `${pronoun} ${random.choice(manners[voice.style])}.`]),
  ].join(' ');
}

function upper(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
