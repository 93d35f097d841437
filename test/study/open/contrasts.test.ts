/** A study's pairs as contrasts: one for each pair, or one for each prompt, with every completion once. */
import { describe, expect, it } from 'vitest';
import { tokenizerOfGguf } from '../../../src/files/textCodec.ts';
import type { CompletionRecord, PairRecord } from '../../../src/results.ts';
import { contrastsOf } from '../../../src/study/open/contrasts.ts';
import { byteLevelMetadata } from '../../support/tokenizers.ts';

const codec = tokenizerOfGguf(new Map(byteLevelMetadata('gpt-2')), 'made');
const end = codec.eosId!;
/** One token a byte: what a sampler may say, and the tokenizer would not. */
const bytes = (text: string) => [...text].flatMap((one) => codec.tokenizer.encode(one));

const prompts: Readonly<Record<string, string>> = { p: 'What of the tea?', q: 'And in it?' };
const texts: Readonly<Record<string, string>> = {
  'p/0': ' the tea',
  'p/1': ' in the tea',
  'p/2': ' at the inn',
  'p/3': " the inn's",
  'q/0': ' in',
  'q/1': ' the',
};

const completions = new Map(
  Object.entries(texts).map(([id, text]): [string, CompletionRecord] => {
    const [prompt_id, index] = id.split('/') as [string, string];
    const ids = [...bytes(text), end];
    const sampled = { stop: 'end', seed: 1, model: 'm', log_probabilities: null } as const;
    return [id, { id, prompt_id, index: Number(index), prompt: prompts[prompt_id]!, text, ids, ...sampled }];
  }),
);

function pair(positive_id: string, negative_id: string): PairRecord {
  const prompt_id = positive_id.split('/')[0]!;
  return {
    id: `${positive_id}-${negative_id}`,
    prompt_id,
    prompt: prompts[prompt_id]!,
    positive: texts[positive_id]!,
    negative: texts[negative_id]!,
    positive_ended: true,
    negative_ended: true,
    positive_id,
    negative_id,
    certainty: 1,
    contrast: null,
    positive_tokens: null,
    negative_tokens: null,
  };
}

/** Two positives and two negatives of one prompt, each with each; those of another prompt among them. */
const pairs = [
  pair('p/2', 'p/1'),
  pair('p/0', 'p/1'),
  pair('q/0', 'q/1'),
  pair('p/2', 'p/3'),
  pair('p/0', 'p/3'),
];
const idsOf = (id: string) => completions.get(id)!.ids!;

describe('all pairs of a prompt', () => {
  it('are one contrast, with each completion once, in the order in which the pairs name them', () => {
    expect(contrastsOf(pairs, completions, codec, true)).toEqual([
      {
        id: 'p',
        cluster: 'p',
        prompt: codec.encodePrompt(prompts.p!),
        positives: [idsOf('p/2'), idsOf('p/0')],
        negatives: [idsOf('p/1'), idsOf('p/3')],
        positiveIds: ['p/2', 'p/0'],
        negativeIds: ['p/1', 'p/3'],
      },
      {
        id: 'q',
        cluster: 'q',
        prompt: codec.encodePrompt(prompts.q!),
        positives: [idsOf('q/0')],
        negatives: [idsOf('q/1')],
        positiveIds: ['q/0'],
        negativeIds: ['q/1'],
      },
    ]);
  });

  it('hold what was edited or imported as it is tokenised, and all else as it was sampled', () => {
    const changed = new Map(completions);
    changed.set('p/0', { ...completions.get('p/0')!, text: ' tea' });
    changed.set('p/3', { ...completions.get('p/3')!, ids: null });
    const [p] = contrastsOf(pairs, changed, codec, true);
    const tokenised = (id: string) => [...codec.tokenizer.encode(texts[id]!), end];
    for (const id of ['p/0', 'p/3']) expect(tokenised(id)).not.toEqual(idsOf(id));
    expect(p!.positives).toEqual([idsOf('p/2'), tokenised('p/0')]);
    expect(p!.negatives).toEqual([idsOf('p/1'), tokenised('p/3')]);
  });
});

it('a pair is a contrast of its own otherwise, under its own id', () => {
  const found = contrastsOf(pairs, completions, codec, false);
  expect(found.map(({ id }) => id)).toEqual(pairs.map(({ id }) => id));
  // pairs of one prompt are one unit of the inference, whether or not they are one contrast
  expect(found.map(({ cluster }) => cluster)).toEqual(['p', 'p', 'q', 'p', 'p']);
  expect(found[3]).toEqual({
    id: 'p/2-p/3',
    cluster: 'p',
    prompt: codec.encodePrompt(prompts.p!),
    positives: [idsOf('p/2')],
    negatives: [idsOf('p/3')],
    positiveIds: ['p/2'],
    negativeIds: ['p/3'],
  });
});
