/** What a study.yaml says of the study that the app shows. */
import { parse } from 'yaml';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { controlKinds } from '../results.ts';

/** What a study calls its verdicts. */
export interface VerdictWords {
  readonly positive: string;
  readonly negative: string;
}

export interface StudySaid {
  /** the behaviour's name; undefined where it has none */
  readonly behaviour: string | undefined;
  /** what is broken on purpose, where the study is a control; undefined where it is none */
  readonly control: string | undefined;
  readonly words: VerdictWords;
}

export const plainWords: VerdictWords = { positive: 'positive', negative: 'negative' };

const kinds = Object.keys(controlKinds) as (keyof typeof controlKinds)[];
const named = z.object({ behaviour: z.object({ name: z.string() }) });
const control = z.object({ control: z.object({ kind: z.enum(kinds) }) });
const worded = z.object({
  behaviour: z.object({ positive: z.string().optional(), negative: z.string().optional() }),
});

/** Throws InputError, which names `place`, for a text that is no YAML; what it does not say is left open. */
export function studySaidIn(yaml: string, place: string): StudySaid {
  let value: unknown;
  try {
    value = parse(yaml);
  } catch (error) {
    throw new InputError(`${place}: expected YAML; ${(error as Error).message.split('\n')[0]}`);
  }
  const broken = control.safeParse(value).data?.control.kind;
  const words = worded.safeParse(value).data?.behaviour;
  return {
    behaviour: named.safeParse(value).data?.behaviour.name,
    control: broken && controlKinds[broken],
    words: {
      positive: words?.positive ?? plainWords.positive,
      negative: words?.negative ?? plainWords.negative,
    },
  };
}
