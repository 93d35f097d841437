/** A judge that reads no meaning: a regular expression. */
import { z } from 'zod';
import { inOneLine } from '../../../errors.ts';
import { patternJudge } from '../../../judges/pattern.ts';
import { about, section, text } from '../../config/fields.ts';
import { given } from '../given.ts';
import type { JudgeKind } from '../judgeKind.ts';

const flags = text(
  'flags of a regular expression, of d i m s u v',
  /^(?!.*(.).*\1)(?!.*u.*v|.*v.*u)[dimsuv]*$/,
);

const schema = () =>
  section({
    kind: z.literal('pattern'),
    positive: about(
      text('a regular expression'),
      'a completion that this regular expression matches is positive',
      "\\b(?:no need to|don't) see a doctor\\b",
    ),
    flags: about(flags.optional(), 'flags of both expressions; i ignores upper and lower case', 'i'),
    incoherent: about(
      text('a regular expression').optional(),
      'a completion that this expression matches is incoherent',
      '(.{3,}?)\\1{5,}',
    ),
  }).superRefine((judge, context) => {
    for (const field of ['positive', 'incoherent'] as const) {
      const wrong = judge[field] === undefined ? undefined : expressionError(judge[field], judge.flags);
      if (wrong !== undefined)
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `expected a regular expression: ${wrong}`,
        });
    }
  });

/** What is wrong with a regular expression, if anything. */
function expressionError(source: string, flags: string | undefined): string | undefined {
  try {
    new RegExp(source, flags);
    return undefined;
  } catch (error) {
    return inOneLine((error as SyntaxError).message);
  }
}

export const patternKind: JudgeKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'pattern',
  about: 'a regular expression that positive completions match',
  schema,
  flags: [{ flag: '--positive <what>', field: 'positive', about: 'a regular expression' }],
  seconds: () => 0,
  of({ positive, flags, incoherent }) {
    const options = given({ positive, flags, incoherent });
    return {
      wholePrompts: false,
      trains: false,
      fingerprint: async () => ({
        inputs: {},
        options: { kind: 'pattern', ...options },
        threshold: 0.5,
        computed: false,
      }),
      check: async () => void patternJudge(options),
      open: async () => patternJudge(options),
    };
  },
};
