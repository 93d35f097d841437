/** A chosen pair as a line of pairs.jsonl. `all`: whether all pairs of a prompt are one contrast. */
import type { Chosen } from '../../methods/completions/pair.ts';
import type { CompletionRecord, PairRecord } from '../../results.ts';

export function pairRecordOf(
  { prompt, positive, negative, certainty }: Chosen,
  completions: ReadonlyMap<string, CompletionRecord>,
  all: boolean,
): PairRecord {
  const [p, n] = [completions.get(positive)!, completions.get(negative)!];
  return {
    id: `${positive}-${n.index}`,
    prompt_id: prompt,
    prompt: p.prompt,
    positive: p.text,
    negative: n.text,
    positive_ended: p.stop === 'end',
    negative_ended: n.stop === 'end',
    positive_id: positive,
    negative_id: negative,
    contrast: all ? prompt : null,
    positive_tokens: p.ids,
    negative_tokens: n.ids,
    certainty,
  };
}
