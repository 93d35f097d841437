/** A study's pairs as contrasts: token ids of a prompt with its positives and negatives. */

import { encodePair } from '../../files/pairs.ts';
import type { TextCodec } from '../../files/textCodec.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import type { CompletionRecord, PairRecord } from '../../results.ts';
import { idsFit } from './stopTexts.ts';

/** A contrast that knows which completions it is of. */
export interface StudyContrast extends Contrast {
  /** ids of completions, in the order of the contrast's own */
  readonly positiveIds: readonly string[];
  readonly negativeIds: readonly string[];
}

/** One contrast for each pair, or for each prompt where all its positives go with all its negatives. */
export function contrastsOf(
  pairs: readonly PairRecord[],
  completions: ReadonlyMap<string, CompletionRecord>,
  codec: TextCodec,
  all: boolean,
): StudyContrast[] {
  // A sampled completion's own ids: the same text may be other tokens. What was imported, or edited by
  // hand, is tokenised.
  const ownIds = (id: string, text: string) => {
    const found = completions.get(id);
    return found?.text === text && idsFit(codec, found) ? found.ids : undefined;
  };
  const idsOf = (pair: PairRecord) => {
    const positive = ownIds(pair.positive_id, pair.positive);
    const negative = ownIds(pair.negative_id, pair.negative);
    if (positive && negative) return { prompt: codec.encodePrompt(pair.prompt), positive, negative };
    const encoded = encodePair(codec, {
      ...pair,
      positiveEnded: pair.positive_ended,
      negativeEnded: pair.negative_ended,
    });
    return {
      prompt: encoded.promptIds,
      positive: positive ?? encoded.positiveIds,
      negative: negative ?? encoded.negativeIds,
    };
  };
  if (!all)
    return pairs.map((pair) => {
      const { prompt, positive, negative } = idsOf(pair);
      return {
        id: pair.id,
        prompt,
        positives: [positive],
        negatives: [negative],
        positiveIds: [pair.positive_id],
        negativeIds: [pair.negative_id],
      };
    });
  const groups = new Map<
    string,
    { prompt: number[]; positives: Map<string, number[]>; negatives: Map<string, number[]> }
  >();
  for (const pair of pairs) {
    const ids = idsOf(pair);
    const group = groups.get(pair.prompt_id) ?? {
      prompt: ids.prompt,
      positives: new Map(),
      negatives: new Map(),
    };
    group.positives.set(pair.positive_id, ids.positive);
    group.negatives.set(pair.negative_id, ids.negative);
    groups.set(pair.prompt_id, group);
  }
  return [...groups].map(([id, { prompt, positives, negatives }]) => ({
    id,
    prompt,
    positives: [...positives.values()],
    negatives: [...negatives.values()],
    positiveIds: [...positives.keys()],
    negativeIds: [...negatives.keys()],
  }));
}
