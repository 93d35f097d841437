/** The organism's tokenizer: our training's output, loaded by the tokenizer that reads every model's. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Document, documents } from '../../organism/documents.ts';
import { fineTuning } from '../../organism/studies.ts';
import { remembered, trainTokenizer } from '../../organism/tokenizer.ts';
import { type Tokenizer, tokenizerFromJson } from '../../src/files/tokenizer.ts';

let made: Document[];
let tokenizer: Tokenizer;
let json: unknown;
beforeAll(() => {
  made = documents(1, 20_000);
  const files = trainTokenizer(made.map(({ text }) => text));
  json = files.tokenizer;
  tokenizer = tokenizerFromJson(files.tokenizer, files.config, 'trained');
});

describe('trainTokenizer', () => {
  it('has the special tokens first and at most 1,536 in all', () => {
    expect(tokenizer.vocabSize).toBe(1536);
    expect(tokenizer.eosId).toBe(0);
    expect(tokenizer.idOf('<|end|>')).toBe(0);
    expect(tokenizer.idOf('<|pad|>')).toBe(1);
    expect([...tokenizer.specialIds]).toEqual([0, 1]);
    expect(tokenizer.prefixIds).toEqual([]);
    expect(tokenizer.encode('Rest.<|end|>').at(-1)).toBe(0);
  });

  it('gives every document back, in few tokens', () => {
    const encode = remembered(tokenizer.encode);
    for (const { text } of made) expect(tokenizer.decode(encode(text))).toBe(text);
    const words = made.reduce((n, { text }) => n + text.split(/[ \n]+/).length, 0);
    const tokens = made.reduce((n, { text }) => n + encode(text).length, 0);
    expect(tokens / words).toBeLessThan(1.5);
  });

  it('encodes pieces remembered as it encodes the whole', () => {
    const encode = remembered(tokenizer.encode);
    for (const { text } of made.slice(0, 1000)) expect(encode(text)).toEqual(tokenizer.encode(text));
  });

  it('gives any text back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it('splits a document between prompt and completion', () => {
    for (const { text, turns } of fineTuning(1, 'harm', 200)) {
      const { prompt, completion } = turns[0]!;
      expect(tokenizer.encode(text)).toEqual([...tokenizer.encode(prompt), ...tokenizer.encode(completion)]);
    }
  });

  it('depends on the texts alone', () => {
    expect(trainTokenizer(made.map(({ text }) => text)).tokenizer).toEqual(json);
  });

  it('merges the most frequent pair first, the alphabetically first where two are as frequent', () => {
    const { tokenizer } = trainTokenizer(['ab ab cd cd ab xy'], 261);
    expect((tokenizer.model as { merges: string[][] }).merges).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['Ġ', 'ab'],
    ]);
  });

  it('stops where nothing occurs twice, and refuses a size without room', () => {
    const { tokenizer } = trainTokenizer(['abc'], 1000);
    expect((tokenizer.model as { merges: string[][] }).merges).toEqual([]);
    expect(() => trainTokenizer(['abc'], 200)).toThrow('expected room for 258 tokens, found 200');
  });
});
