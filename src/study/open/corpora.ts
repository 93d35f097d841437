/** Several corpora read side by side. */
import { type Passage, readCorpus } from '../../files/pairs.ts';

export interface CorpusPassage {
  /** which of the corpora, and the passage's first line in it */
  readonly corpus: number;
  readonly line: number;
  readonly passage: Passage;
}

/** A passage from each corpus in turn, until all have ended. */
export async function* inTurn(corpora: readonly string[]): AsyncGenerator<CorpusPassage> {
  const open = new Map(corpora.map((path, corpus) => [corpus, readCorpus(path)]));
  try {
    while (open.size > 0)
      for (const [corpus, reader] of open) {
        const { value, done } = await reader.next();
        if (done) open.delete(corpus);
        else yield { corpus, line: value.line, passage: value.value };
      }
  } finally {
    for (const reader of open.values()) await reader.return(undefined);
  }
}
