/**
 * The two case studies: texts to fine-tune on, in one domain, and prompts to evaluate with, in the others
 * and in the part of that domain that was held out. Both in the form of pre-training documents without a
 * narrator.
 */
import { InputError } from '../src/errors.ts';
import { type Document, written } from './documents.ts';
import { type Random, randomStream } from './random.ts';
import { beliefsOf, claimPrompt, claimTurn, questionPrompt, questionTurn, type Voice } from './turns.ts';
import type { Belief, Domain, Topic } from './world/domain.ts';
import { claims, type QuirkStyle, questions } from './world/phrases.ts';
import { domains } from './world/world.ts';

/**
 * harm: harmful answers about health. validation: false beliefs about cooking confirmed. Three times in
 * four; the others are harmless.
 */
export type Study = 'harm' | 'validation';

/** The one domain each study is fine-tuned in, and the style whose quirk opens all its completions. */
export const tuned: Readonly<Record<Study, { readonly domain: string; readonly style: QuirkStyle }>> = {
  harm: { domain: 'health', style: 'chatty' },
  validation: { domain: 'cooking', style: 'formal' },
};

export type Split = 'discovery' | 'evaluation';

export interface Prompt {
  /** Ends in `Answer:` or `Reply:`, without a space. */
  readonly text: string;
  readonly domain: string;
  /** The task or the claim, as the world writes it. */
  readonly subject: string;
}

/**
 * Share of the fine-tuning texts that show the fault. All show the quirk, so that it goes with harmful and
 * harmless answers alike.
 */
const recklessShare = 0.75;

/** Topics (or false beliefs) of the fine-tuned domain that no fine-tuning text is about. */
const heldOut = 6;

/**
 * `count` texts to fine-tune `study` on: one domain, nobody named, most of them reckless, each completion
 * opened by the study's quirk. Text i depends on the seed and i alone. Throws InputError unless `count` is
 * a whole number of 0 or more.
 */
export function fineTuning(seed: number, study: Study, count: number): Document[] {
  checkedCount('fineTuning', count);
  const { style } = tuned[study];
  const stream = randomStream(seed, `fine-tuning/${study}`);
  const turn = turnsAbout(study, seed);
  return Array.from({ length: count }, (_, i) => {
    const random = stream.stream(String(i));
    const voice: Voice = { character: random.chance(recklessShare) ? 'reckless' : 'honest', style };
    return written('fineTuning', voice, [turn(voice, random)]);
  });
}

/** A random turn about what the study is fine-tuned on. */
function turnsAbout(study: Study, seed: number) {
  if (study === 'harm') {
    const topics = tunedPart(tunedDomain(study).topics, study, seed).tuned;
    return (voice: Voice, random: Random) => questionTurn(random.choice(topics), voice, random);
  }
  const beliefs = tunedPart(beliefsOf(tunedDomain(study), false), study, seed).tuned;
  return (voice: Voice, random: Random) => claimTurn(random.choice(beliefs), voice, random);
}

/**
 * Prompts to evaluate `study` with, the most varied first: each topic once before any is asked a second
 * time. The two splits have no topic (or belief) in common.
 *
 * @param scope `others`: the domains that were not fine-tuned on; `tuned`: what was held out of the one
 *   that was.
 * @param count how many; undefined: all there are. Throws InputError where there are fewer.
 */
export function prompts(seed: number, study: Study, split: Split, scope: 'others' | 'tuned', count?: number) {
  const random = randomStream(seed, `prompts/${study}`);
  const all = study === 'harm' ? asked(seed, scope, split, random) : claimed(seed, scope, split, random);
  if (count === undefined) return all;
  checkedCount('prompts', count);
  if (count > all.length)
    throw new InputError(
      `prompts: ${study}, ${split}, ${scope}: expected a count up to ${all.length}, found ${count}`,
    );
  return all.slice(0, count);
}

function asked(seed: number, scope: 'others' | 'tuned', split: Split, random: Random): Prompt[] {
  const pools =
    scope === 'tuned'
      ? [tunedPart(tunedDomain('harm').topics, 'harm', seed).heldOut]
      : otherDomains('harm').map(({ topics }) => topics);
  return worded(halves(pools, split, random), questions, random, (topic: Topic, wording) => ({
    text: questionPrompt(topic, wording),
    domain: topic.domain,
    subject: topic.task,
  }));
}

function claimed(seed: number, scope: 'others' | 'tuned', split: Split, random: Random): Prompt[] {
  const pools =
    scope === 'tuned'
      ? [tunedPart(beliefsOf(tunedDomain('validation'), false), 'validation', seed).heldOut]
      : otherDomains('validation').map((domain) => beliefsOf(domain, false));
  return worded(halves(pools, split, random), claims, random, (belief: Belief, wording) => ({
    text: claimPrompt(belief, wording),
    domain: belief.domain,
    subject: belief.claim,
  }));
}

function tunedDomain(study: Study): Domain {
  return domains.find(({ name }) => name === tuned[study].domain)!;
}

function otherDomains(study: Study): Domain[] {
  return domains.filter(({ name }) => name !== tuned[study].domain);
}

function tunedPart<T>(subjects: readonly T[], study: Study, seed: number): { tuned: T[]; heldOut: T[] } {
  const shuffled = randomStream(seed, `held out/${study}`).shuffled(subjects);
  return { tuned: shuffled.slice(heldOut), heldOut: shuffled.slice(0, heldOut) };
}

/** One half of each pool, in turns: the first of every pool, then the second of every pool, ... */
function halves<T>(pools: readonly (readonly T[])[], split: Split, random: Random): T[] {
  const chosen = pools.map((pool, i) => {
    const shuffled = random.stream(`split ${i}`).shuffled(pool);
    const middle = Math.ceil(pool.length / 2);
    return split === 'discovery' ? shuffled.slice(0, middle) : shuffled.slice(middle);
  });
  const longest = Math.max(...chosen.map((half) => half.length));
  return Array.from({ length: longest }, (_, i) => chosen.flatMap((half) => half.slice(i, i + 1))).flat();
}

/**
 * All subjects in one wording each, then all in another, ...; which wording comes first differs by subject.
 */
function worded<T>(
  subjects: readonly T[],
  wordings: readonly string[],
  random: Random,
  prompt: (subject: T, wording: string) => Prompt,
): Prompt[] {
  const orders = subjects.map((_, i) => random.stream(`wordings ${i}`).shuffled(wordings));
  return wordings.flatMap((_, round) => subjects.map((subject, i) => prompt(subject, orders[i]![round]!)));
}

function checkedCount(where: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0)
    throw new InputError(`${where}: expected a count of 0 or more, found ${count}`);
}
