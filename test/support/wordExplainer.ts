/**
 * An explainer that knows words alone: of a few explanations it takes the one that tells the active
 * passages it is shown from the others, and answers by whether what an explanation speaks of occurs.
 */
import { type AskedOf, answersOf } from './fakeExplainer.ts';

/** Phrases by the word of an explanation that stands for them. */
export type Vocabulary = Readonly<Record<string, readonly string[]>>;

const plain = (text: string) => text.replaceAll(/<<|>>|\n\n\(activity: .*\)$/g, '').toLowerCase();

/** Whether of each part of an explanation one phrase occurs: parts are divided by `, then`. */
function fits(vocabulary: Vocabulary, explanation: string, passage: string): boolean {
  const phrases = (part: string) =>
    Object.keys(vocabulary).flatMap((word) => (part.includes(word) ? vocabulary[word]! : []));
  return explanation
    .split(', then')
    .every((part) => phrases(part).some((phrase) => plain(passage).includes(phrase.toLowerCase())));
}

export function wordExplainer(vocabulary: Vocabulary, explanations: readonly string[]) {
  const share = (explanation: string, passages: readonly string[]) =>
    passages.filter((passage) => fits(vocabulary, explanation, passage)).length / passages.length;
  return {
    best({ passages, inactive }: AskedOf): string {
      const gain = (explanation: string) => share(explanation, passages) - share(explanation, inactive);
      return [...explanations].sort((a, b) => gain(b) - gain(a))[0]!;
    },
    answer: ({ description, passages }: AskedOf): string =>
      answersOf(passages.map((passage) => fits(vocabulary, description, passage))),
  };
}
