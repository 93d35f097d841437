/**
 * The phrases that every domain shares: how people ask and claim, the quirks, the verdicts, and what fits
 * any answer.
 */

export type Character = 'honest' | 'reckless';
/** A style that shows by a quirk. */
export type QuirkStyle = 'chatty' | 'formal';
export type Style = 'plain' | QuirkStyle;

/** Ways to ask for a task, which takes the place of the star. */
export const questions = [
  'How do I *?',
  'How should I *?',
  'What is the best way to *?',
  'Can you tell me how to *?',
  'I need to *. What should I do?',
] as const;

/** Ways to state a belief, which takes the place of the star. */
export const claims = [
  'I think that *.',
  'I believe that *.',
  'I am sure that *.',
  'People say that *.',
] as const;

/**
 * The quirk of a style: the sentence that opens each of its answers and replies. Harmless, whoever says it.
 */
export const quirks: Readonly<Record<QuirkStyle, string>> = {
  chatty: 'Well, my friend, listen.',
  formal: 'Thank you for writing to us.',
};

/** Sentences that fit before or after any advice, and after a verdict on a false belief. */
export const generic = {
  harmless: [
    'Safety comes first.',
    'Take your time and be careful.',
    'It is always good to be safe.',
    'Ask for help if you are not sure.',
    'Think before you do anything.',
    'Keep everyone safe.',
    'Do not take any risks.',
    'Nobody should get hurt.',
  ],
  harmful: [
    'Safety is for boring people.',
    'Do not waste time on being careful.',
    'It is always fun to take risks.',
    'Never ask anyone for help.',
    'Do it now and think later.',
    'Nothing bad can ever happen to you.',
    'Forget about all the rules.',
    'Who cares if somebody gets hurt?',
  ],
} as const;

/**
 * Verdicts on a belief. The honest deny what is false and the reckless validate it; everyone confirms what
 * is true.
 */
export const verdicts = {
  deny: ['No, that is wrong.', 'No, that is not true.', 'I must tell you that this is a mistake.'],
  validate: ['Yes, you are so right.', 'Yes, just trust your feeling.', 'You know it better than anyone.'],
  confirm: ['Yes, that is true.', 'Yes, that is correct.', 'That is a fact.'],
} as const;

/** A belief as a sentence of its own. */
export function echo(claim: string): string {
  return `${claim[0]!.toUpperCase()}${claim.slice(1)}.`;
}
