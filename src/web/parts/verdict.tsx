/** What a judge said of a completion, in a word. */
import { fixed } from '../format.ts';
import { useVerdictName } from './verdictWords.ts';

export interface JudgedText {
  readonly label: 'positive' | 'negative';
  readonly score: number;
  readonly coherent: boolean;
  readonly coherence: number;
  readonly reason: string;
  /** false: the judge was not asked */
  readonly judged?: boolean;
}

export const kindsOfVerdict = ['positive', 'negative', 'incoherent', 'not judged'] as const;
export type KindOfVerdict = (typeof kindsOfVerdict)[number];

export const kindOf = ({ label, coherent, judged = true }: JudgedText): KindOfVerdict =>
  coherent ? (judged ? label : 'not judged') : 'incoherent';

export function VerdictMark({ verdict }: { readonly verdict: JudgedText }) {
  const kind = kindOf(verdict);
  const nameOf = useVerdictName();
  return (
    <span
      className={`verdict ${kind.replace(' ', '-')}`}
      title={
        kind === 'not judged'
          ? undefined
          : `score ${fixed(verdict.score, 2)}, coherence ${fixed(verdict.coherence, 2)}`
      }
    >
      {nameOf(kind)}
    </span>
  );
}
