/** A made-up kind of judge: a completion is positive where it has a word. */
import { z } from 'zod';
import { gradedTogether, labelled } from '../../src/judges/grading.ts';
import { free } from '../../src/judges/judge.ts';
import { about, section, text } from '../../src/study/config/fields.ts';
import type { JudgeKind } from '../../src/study/judging/judgeKind.ts';

const schema = () =>
  section({
    kind: z.literal('word'),
    word: about(text('a word'), 'a completion with this word is positive', 'harm'),
  });

export const wordKind: JudgeKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'word',
  about: 'looks for a word',
  schema,
  flags: [{ flag: '--judge-word <word>', field: 'word', about: 'the word' }],
  seconds: () => 0,
  of: ({ word }) => ({
    wholePrompts: false,
    trains: false,
    fingerprint: async () => ({
      inputs: {},
      options: { kind: 'word', word },
      threshold: 0.5,
      computed: false,
    }),
    check: async () => undefined,
    open: async () => ({
      name: `word ${word}`,
      identity: { kind: 'word', word },
      grade: gradedTogether('word', 1, async ({ completion }) => ({
        ...labelled(Number(completion.includes(word)), 1, 1),
        reason: `looked for ${word}`,
        raw: '',
        cost: free,
      })),
      close: async () => undefined,
    }),
  }),
};
