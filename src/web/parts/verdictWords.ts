/** What a study calls its verdicts: by the behaviour's own words, where study.yaml has some. */
import { createContext, useContext } from 'react';
import { parse } from 'yaml';
import { z } from 'zod';

export interface VerdictWords {
  readonly positive: string;
  readonly negative: string;
}

const plain: VerdictWords = { positive: 'positive', negative: 'negative' };

const worded = z.object({
  behaviour: z.object({ positive: z.string().optional(), negative: z.string().optional() }),
});

export function verdictWordsOf(yaml: string | undefined): VerdictWords {
  const found = worded.safeParse(yaml === undefined ? undefined : parse(yaml));
  const { positive = plain.positive, negative = plain.negative } = found.data?.behaviour ?? {};
  return { positive, negative };
}

export const VerdictWordsOf = createContext(plain);

/** What a verdict is called: the study's word for positive and negative, others as they are. */
export function useVerdictName(): (kind: string) => string {
  const words = useContext(VerdictWordsOf);
  return (kind) => (kind === 'positive' || kind === 'negative' ? words[kind] : kind);
}
