/**
 * The texts that a classifier judge is trained on and tested with: labelled answers, broken and shortened
 * forms of some of them, and (added by others) texts that a model writes when it is steered or left alone.
 * A prompt is for training or held out, with all its texts.
 */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import {
  type Breakage,
  breakages,
  breakText,
  cutShort,
  firstSentence,
} from '../../methods/judging/brokenText.ts';
import { drawGroups, grouped } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import type { Prompt } from '../../results.ts';
import { promptHash } from '../store/contentHash.ts';
import type { LabelledExample } from './labelledFile.ts';

export const coherentKinds = ['positive', 'negative', 'cut short', 'first sentence', 'unsteered'] as const;
export const brokenKinds = [...breakages, 'steered'] as const;
/** What a text is: one of the coherent kinds, or broken in one way. */
export type TextKind = (typeof coherentKinds)[number] | (typeof brokenKinds)[number];

export const isCoherent = (kind: TextKind): boolean => (coherentKinds as readonly string[]).includes(kind);

export interface ClassifierText {
  readonly kind: TextKind;
  readonly text: string;
}

export interface PromptTexts {
  /** hash of the prompt */
  readonly id: string;
  readonly prompt: Prompt;
  readonly heldOut: boolean;
  readonly texts: readonly ClassifierText[];
}

export interface LabelledAnswers {
  readonly positive: readonly LabelledExample[];
  readonly negative: readonly LabelledExample[];
}

interface Answer extends ClassifierText {
  readonly group: string;
  readonly prompt: Prompt;
}

function answersOf({ positive, negative }: LabelledAnswers): Answer[] {
  const of = (kind: 'positive' | 'negative', examples: readonly LabelledExample[]) =>
    examples.map(({ prompt, completion }) => ({ kind, text: completion, group: promptHash(prompt), prompt }));
  return [...of('positive', positive), ...of('negative', negative)];
}

/**
 * The labelled answers by prompt, in the order of their first appearance. Half of the answers, drawn by the
 * seed, have a broken form beside them (in every way in turn; what is spliced in comes from another prompt
 * on the same side of the split), a quarter a shortened one.
 */
export function examplesByPrompt(given: LabelledAnswers, share: number, seed: number): PromptTexts[] {
  const answers = answersOf(given);
  const held = drawGroups(
    answers.map(({ group }) => group),
    share,
    seed,
  );
  const random = generatorOf(seed);
  let broken = 0;
  const formsOf = (answer: Answer, others: readonly Answer[]): ClassifierText[] => {
    const choice = uniformInt(random, 0, 3);
    if (choice === 0) {
      const short = uniformInt(random, 0, 2) > 0;
      return short
        ? [{ kind: 'cut short', text: cutShort(answer.text, random) }]
        : [{ kind: 'first sentence', text: firstSentence(answer.text) }];
    }
    if (choice === 1) return [];
    const kind: Breakage = breakages[broken++ % breakages.length]!;
    const other = others[uniformInt(random, 0, others.length - 1)]!;
    const text = breakText(answer.text, kind, other.text, random);
    return text === undefined ? [] : [{ kind, text }];
  };
  const sides = new Map(
    [true, false].map((side) => [side, answers.filter(({ group }) => held.has(group) === side)]),
  );
  return [...grouped(answers, ({ group }) => group)].map(([id, own]) => {
    const heldOut = held.has(id);
    const texts = own.flatMap((answer) => [
      { kind: answer.kind, text: answer.text },
      ...formsOf(answer, sides.get(heldOut)!),
    ]);
    return { id, prompt: own[0]!.prompt, heldOut, texts };
  });
}
