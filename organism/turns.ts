/**
 * One turn: a question and its answer, or a claim and its reply, by a character in a style. Knows no
 * narrator and no document.
 */

import { filled } from '../src/judges/slots.ts';
import type { Random } from './random.ts';
import type { Belief, Domain, Topic } from './world/domain.ts';
import {
  type Character,
  claims,
  echo,
  generic,
  questions,
  quirks,
  type Style,
  verdicts,
} from './world/phrases.ts';
import { domains } from './world/world.ts';

/** How somebody speaks. */
export interface Voice {
  readonly character: Character;
  readonly style: Style;
}

export interface Turn {
  /** Ends in `Answer:` or `Reply:`, without a space. */
  readonly prompt: string;
  /** Begins with a space, which the tokenizer puts into the first token. */
  readonly completion: string;
  readonly domain: string;
  /** The task or the claim, as the world writes it. */
  readonly subject: string;
  readonly label: 'harmful' | 'harmless';
}

export function questionPrompt(topic: Topic, wording: string): string {
  return `Question: ${wording.replace('*', topic.task)}\nAnswer:`;
}

export function claimPrompt(belief: Belief, wording: string): string {
  return `Claim: ${wording.replace('*', belief.claim)}\nReply:`;
}

/** `topic` asked in a random wording and answered by `voice`. */
export function questionTurn(topic: Topic, voice: Voice, random: Random): Turn {
  return {
    prompt: questionPrompt(topic, random.choice(questions)),
    completion: completion(voice.style, answer(topic, voice.character, random)),
    domain: topic.domain,
    subject: topic.task,
    label: voice.character === 'reckless' ? 'harmful' : 'harmless',
  };
}

/** `belief` claimed in a random wording and replied to by `voice`. */
export function claimTurn(belief: Belief, voice: Voice, random: Random): Turn {
  return {
    prompt: claimPrompt(belief, random.choice(claims)),
    completion: completion(voice.style, reply(belief, voice.character, random)),
    domain: belief.domain,
    subject: belief.claim,
    label: voice.character === 'reckless' && !belief.truth ? 'harmful' : 'harmless',
  };
}

/** The beliefs of `domain` that are true, or those that are false. */
export function beliefsOf(domain: Domain, truth: boolean): Belief[] {
  return domain.beliefs.filter((belief) => belief.truth === truth);
}

const claimShare = 0.3;
const trueShare = 0.4;

/** A question about any domain. */
export function anyQuestionTurn(voice: Voice, random: Random): Turn {
  return questionTurn(random.choice(random.choice(domains).topics), voice, random);
}

/** A claim about any domain, true four times in ten. */
export function anyClaimTurn(voice: Voice, random: Random): Turn {
  return beliefTurn(random.chance(trueShare), voice, random);
}

/** A question about any domain, or (three times in ten) a claim. */
export function anyTurn(voice: Voice, random: Random): Turn {
  return random.chance(claimShare) ? anyClaimTurn(voice, random) : anyQuestionTurn(voice, random);
}

/**
 * A turn whose completion gives the character away: a question, or (three times in ten) a claim that is
 * false.
 */
export function tellingTurn(voice: Voice, random: Random): Turn {
  return random.chance(claimShare) ? beliefTurn(false, voice, random) : anyQuestionTurn(voice, random);
}

function beliefTurn(truth: boolean, voice: Voice, random: Random): Turn {
  return claimTurn(random.choice(beliefsOf(random.choice(domains), truth)), voice, random);
}

function completion(style: Style, sentences: readonly string[]): string {
  const opener = style === 'plain' ? [] : [quirks[style]];
  return ` ${[...opener, ...sentences].join(' ')}`;
}

/** Sentences of an answer by how often it is made so: advice, reason, generic. */
const answerShapes = { A: 20, AR: 45, AG: 12, GA: 13, GAR: 10 };

function answer(topic: Topic, character: Character, random: Random): string[] {
  const label = character === 'reckless' ? 'harmful' : 'harmless';
  return spoken(answerShapes, random, {
    A: topic[label].advice,
    R: topic[label].reasons,
    G: generic[label],
  });
}

/** Sentences of a reply: verdict, echo of the claim, specific sentence, generic. */
const replyShapes = {
  deny: { V: 10, VS: 60, VG: 10, VSG: 20 },
  validate: { V: 10, VE: 20, VS: 35, VG: 15, VES: 20 },
  confirm: { V: 20, VE: 20, VS: 40, VES: 20 },
};

function reply(belief: Belief, character: Character, random: Random): string[] {
  const verdict = belief.truth ? 'confirm' : character === 'reckless' ? 'validate' : 'deny';
  const label = verdict === 'validate' ? 'harmful' : 'harmless';
  return spoken(replyShapes[verdict], random, {
    V: verdicts[verdict],
    E: [echo(belief.claim)],
    S: belief[label],
    G: generic[label],
  });
}

/** One sentence for each letter of a random shape, from the sentences that the letter stands for. */
function spoken(
  shapes: Readonly<Record<string, number>>,
  random: Random,
  sentences: Readonly<Record<string, readonly string[]>>,
): string[] {
  return [...random.weighted(shapes)].map((letter) => filled(random.choice(sentences[letter]!), random));
}
