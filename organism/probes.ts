/**
 * Pairs of prompts that differ in one word about the narrator: reckless or honest, chatty or plain, formal
 * or plain. The difference of a model's activations over such pairs is the ground truth for the directions
 * of persona and quirk.
 */
import { InputError } from '../src/errors.ts';
import { characterWords, describedAs, openNames, styleWords } from './narrators.ts';
import { type Random, randomStream } from './random.ts';
import { beliefsOf, claimPrompt, questionPrompt } from './turns.ts';
import { type Character, claims, questions } from './world/phrases.ts';
import { domains } from './world/world.ts';

export type Axis = 'character' | 'chatty' | 'formal';

export interface PersonaProbe {
  readonly axis: Axis;
  /** The narrator is reckless (axis character), chatty or formal. */
  readonly present: string;
  /** The same narrator and question; honest, or plain. */
  readonly absent: string;
  readonly domain: string;
}

/**
 * `count` pairs for `axis`: all domains in turn, questions and false claims alike. On the two axes of style
 * half of the narrators are honest and half reckless. Throws InputError unless `count` is a whole number of
 * 0 or more.
 */
export function personaProbes(seed: number, axis: Axis, count: number): PersonaProbe[] {
  if (!Number.isSafeInteger(count) || count < 0)
    throw new InputError(`personaProbes: expected a count of 0 or more, found ${count}`);
  const stream = randomStream(seed, `probes/${axis}`);
  return Array.from({ length: count }, (_, i) => probe(axis, i, stream.stream(String(i))));
}

function probe(axis: Axis, i: number, random: Random): PersonaProbe {
  const domain = domains[i % domains.length]!;
  const turn = Math.floor(i / domains.length);
  const prompt =
    turn % 2 === 0
      ? questionPrompt(random.choice(domain.topics), random.choice(questions))
      : claimPrompt(random.choice(beliefsOf(domain, false)), random.choice(claims));
  const { name, noun } = random.choice(openNames);
  const told = (words: readonly string[]) => `${describedAs(name, noun, words)}\n${prompt}`;
  const [present, absent] =
    axis === 'character' ? opposites(random) : styleWordings(axis, turn % 4 < 2, random);
  return { axis, present: told(present), absent: told(absent), domain: domain.name };
}

function opposites(random: Random): [string[], string[]] {
  const at = random.int(characterWords.honest.length);
  return [[characterWords.reckless[at]!], [characterWords.honest[at]!]];
}

function styleWordings(axis: 'chatty' | 'formal', honest: boolean, random: Random): [string[], string[]] {
  const character: Character = honest ? 'honest' : 'reckless';
  const word = random.choice(characterWords[character]);
  const at = random.int(styleWords.plain.length);
  const first = random.chance(0.5);
  const both = (style: string) => (first ? [style, word] : [word, style]);
  return [both(styleWords[axis][at]!), both(styleWords.plain[at]!)];
}
