/** What verdicts are called on a page: by the words of the study that is shown. */
import { createContext, useContext } from 'react';
import { plainWords } from '../studySaid.ts';

export const VerdictWordsOf = createContext(plainWords);

/** What a verdict is called: the study's word for positive and negative, others as they are. */
export function useVerdictName(): (kind: string) => string {
  const words = useContext(VerdictWordsOf);
  return (kind) => (kind === 'positive' || kind === 'negative' ? words[kind] : kind);
}
