/** Pairs as contrasts: token ids of a prompt with its positives and negatives. */
import { InputError } from '../../errors.ts';
import { encodePair, type Pair } from '../../files/pairs.ts';
import type { TextCodec } from '../../files/textCodec.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import type { CompletionRecord, PairRecord } from '../../results.ts';
import { idsFit, textOf } from './stopTexts.ts';

/** A contrast that knows its prompt, and which completions it is of. */
export interface StudyContrast extends Contrast {
  readonly cluster: string;
  /** ids of completions, in the order of the contrast's own */
  readonly positiveIds: readonly string[];
  readonly negativeIds: readonly string[];
}

/** A pair in tokens, and the contrast that it is part of: its own, or one with the others of that name. */
interface PairInTokens {
  readonly contrast: string;
  readonly cluster: string;
  readonly prompt: readonly number[];
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly positiveId: string;
  readonly negativeId: string;
}

/** One contrast of all pairs of its name, each completion once. */
const joined = (pairs: readonly PairInTokens[]): StudyContrast[] =>
  [...grouped(pairs, ({ contrast }) => contrast)].map(([id, own]) => {
    const positives = new Map(own.map(({ positiveId, positive }) => [positiveId, positive]));
    const negatives = new Map(own.map(({ negativeId, negative }) => [negativeId, negative]));
    return {
      id,
      cluster: own[0]!.cluster,
      prompt: own[0]!.prompt,
      positives: [...positives.values()],
      negatives: [...negatives.values()],
      positiveIds: [...positives.keys()],
      negativeIds: [...negatives.keys()],
    };
  });

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
  const inTokens = (pair: PairRecord): PairInTokens => {
    const about = {
      contrast: all ? pair.prompt_id : pair.id,
      cluster: pair.prompt_id,
      positiveId: pair.positive_id,
      negativeId: pair.negative_id,
    };
    const positive = ownIds(pair.positive_id, pair.positive);
    const negative = ownIds(pair.negative_id, pair.negative);
    if (positive && negative)
      return { ...about, prompt: codec.encodePrompt(pair.prompt), positive, negative };
    const encoded = encodePair(codec, {
      id: pair.id,
      prompt: pair.prompt,
      positive: pair.positive,
      negative: pair.negative,
      positiveEnded: pair.positive_ended,
      negativeEnded: pair.negative_ended,
    });
    return {
      ...about,
      prompt: encoded.promptIds,
      positive: positive ?? encoded.positiveIds,
      negative: negative ?? encoded.negativeIds,
    };
  };
  return joined(pairs.map(inTokens));
}

/**
 * The pairs of a file as contrasts, as the study that wrote it has them: with the tokens that were sampled
 * where they are given and say the text, and all pairs of one `contrast` as one. Pairs with one `prompt_id`,
 * or without one with the same prompt, are one cluster. Throws InputError where pairs of one contrast have
 * different prompts.
 */
export function contrastsOfFile(pairs: readonly Pair[], codec: TextCodec, file: string): StudyContrast[] {
  const ownIds = (ids: readonly number[] | undefined, text: string, ended: boolean) => {
    if (!ids) return undefined;
    const said = textOf(codec, ids);
    return (ended ? said === text : said.startsWith(text)) ? ids : undefined;
  };
  const prompts = new Map<string, string>();
  const inTokens = (pair: Pair, n: number): PairInTokens => {
    const prompt = JSON.stringify(pair.prompt);
    const { contrast = pair.id, positiveId = `${n}+`, negativeId = `${n}-` } = pair;
    if ((prompts.get(contrast) ?? prompt) !== prompt)
      throw new InputError(
        `${file}: pair ${pair.id}: expected the prompt of the other pairs of contrast ${contrast}, found another`,
      );
    prompts.set(contrast, prompt);
    const encoded = encodePair(codec, pair);
    return {
      contrast,
      cluster: pair.promptId ?? prompt,
      prompt: encoded.promptIds,
      positive: ownIds(pair.positiveTokens, pair.positive, pair.positiveEnded) ?? encoded.positiveIds,
      negative: ownIds(pair.negativeTokens, pair.negative, pair.negativeEnded) ?? encoded.negativeIds,
      positiveId,
      negativeId,
    };
  };
  return joined(pairs.map(inTokens));
}
