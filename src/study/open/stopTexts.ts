/** The texts of completions, and what ends them beside the model's own end of turn. */

import type { TextCodec } from '../../files/textCodec.ts';
import type { CompletionRecord } from '../../results.ts';

export const textOf = (codec: TextCodec, ids: readonly number[]): string =>
  codec.tokenizer.decode(ids, { skipSpecialTokens: true });

/** Text before the first of the texts that stop it, and whether there is one. */
export function beforeStop(text: string, stops: readonly string[]): { text: string; found: boolean } {
  const at = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  return at.length > 0 ? { text: text.slice(0, Math.min(...at)), found: true } : { text, found: false };
}

/** Whether a completion holds one of the texts, as a sampler asks; undefined where there are none. */
export const stopsAt = (
  codec: TextCodec,
  stops: readonly string[],
): ((ids: readonly number[]) => boolean) | undefined =>
  stops.length > 0 ? (ids) => beforeStop(textOf(codec, ids), stops).found : undefined;

/** Ids of a completion: those that were sampled; of a text from elsewhere, or edited, those of the text. */
export const completionIds = (codec: TextCodec, record: CompletionRecord): readonly number[] =>
  record.ids !== null && idsFit(codec, record)
    ? record.ids
    : codec.encodeCompletion(record.prompt, record.text);

/** Whether a record's text is what its ids say: a text that was edited by hand is not. */
export function idsFit(codec: TextCodec, { ids, text, stop }: CompletionRecord): boolean {
  if (ids === null) return false;
  const said = textOf(codec, ids);
  return stop === 'stop' ? said.startsWith(text) : said === text;
}
