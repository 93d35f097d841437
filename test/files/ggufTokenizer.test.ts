import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { readGguf } from '../../src/files/gguf.ts';
import { ggufPreTokenizers } from '../../src/files/ggufPreTokenizers.ts';
import { tokenizerFilesOfGguf, tokenizerFromGguf } from '../../src/files/ggufTokenizer.ts';
import { type Tokenizer, tokenizerFromJson } from '../../src/files/tokenizer.ts';
import { realModel, shared } from '../support/shared.ts';
import {
  agrees,
  byteLevelConfig,
  byteLevelJson,
  byteLevelMetadata,
  goldenTokens,
  sentencePieceIds,
  sentencePieceMetadata,
  trickyText,
} from '../support/tokenizers.ts';

const small = () => tokenizerFromJson(byteLevelJson(), byteLevelConfig, 'small');
const texts = (tokenizer: Tokenizer, ids: number[]) => ids.map((id) => tokenizer.tokenText(id));

describe('gives the ids of the Rust library for the tokenizer.json it stands for', () => {
  /** A GGUF's tokenizer.json with the fields that the Rust library insists on. */
  const complete = (metadata: Map<string, unknown>) => {
    const { json } = tokenizerFilesOfGguf(metadata, 't') as { json: ReturnType<typeof byteLevelJson> };
    const full = byteLevelJson();
    const added_tokens = json.added_tokens.map((token) => ({ ...full.added_tokens[0], ...token }));
    return { ...full, ...json, model: { ...full.model, ...json.model }, added_tokens };
  };

  test.each(Object.keys(ggufPreTokenizers))('%s', async (pre) => {
    const metadata = byteLevelMetadata(pre);
    await agrees(tokenizerFromGguf(metadata, 't'), complete(metadata), 60);
  });

  test.each([true, false])('SentencePiece, add_space_prefix %s', async (prefix) => {
    const metadata = sentencePieceMetadata().set('tokenizer.ggml.add_space_prefix', prefix);
    await agrees(tokenizerFromGguf(metadata, 't'), complete(metadata));
  });
});

describe('GGUF metadata', () => {
  test('byte-level: the same ids as the tokenizer.json', () => {
    const fromGguf = tokenizerFromGguf(byteLevelMetadata('gpt-2'), 'g');
    const fromJson = small();
    fc.assert(
      fc.property(trickyText, (text) => {
        expect(fromGguf.encode(text)).toEqual(fromJson.encode(text));
      }),
    );
    expect(fromGguf.bosId).toBe(fromJson.bosId);
    expect(fromGguf.eosId).toBe(fromJson.eosId);
    expect(fromGguf.prefixIds).toEqual([]);
    expect([...fromGguf.specialIds]).toEqual([...fromJson.specialIds]);
  });

  test('llama-bpe puts bos before a text unless the file says otherwise', () => {
    const metadata = byteLevelMetadata('llama-bpe');
    expect(tokenizerFromGguf(metadata, 'g').prefixIds).toEqual([269]);
    metadata.set('tokenizer.ggml.add_bos_token', false);
    expect(tokenizerFromGguf(metadata, 'g').prefixIds).toEqual([]);
  });

  test('an added token written as text is still made by merges', () => {
    const metadata = byteLevelMetadata('gpt-2');
    const tokens = metadata.get('tokenizer.ggml.tokens') as string[];
    tokens[tokens.indexOf('Ġthe')] = ' the';
    expect(tokenizerFromGguf(metadata, 'g').encode('in the')).toEqual(small().encode('in the'));
  });

  test('SentencePiece: the ids of its own algorithm', () => {
    const metadata = sentencePieceMetadata();
    const tokenizer = tokenizerFromGguf(metadata, 'g');
    const words = fc.constantFrom(
      'the',
      ' the',
      'lower',
      ' newlow',
      'thing',
      'a',
      ' ',
      '  ',
      'é',
      '漢',
      '.',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(words, { minLength: 1 }), (parts) => {
        const text = parts.join('');
        const ids = tokenizer.encode(text);
        expect(ids).toEqual(sentencePieceIds(metadata, text));
        expect(tokenizer.decode(ids)).toBe(text);
      }),
    );
  });

  test('SentencePiece: special tokens, bytes, bos', () => {
    const tokenizer = tokenizerFromGguf(sentencePieceMetadata(), 'g');
    expect(texts(tokenizer, tokenizer.encode('<|user|>the\n</s>'))).toEqual([
      '<|user|>',
      ' the',
      '<0x0A>',
      '</s>',
    ]);
    expect(tokenizer.prefixIds).toEqual([1]);
    expect(tokenizer.specialTokens).toMatchObject({
      bos_token: '<s>',
      eos_token: '</s>',
      unk_token: '<unk>',
    });
  });

  test('SentencePiece: no space before the text where the file says so', () => {
    const metadata = sentencePieceMetadata().set('tokenizer.ggml.add_space_prefix', false);
    const tokenizer = tokenizerFromGguf(metadata, 'g');
    expect(texts(tokenizer, tokenizer.encode('the lower'))).toEqual(['the', ' lower']);
    expect(tokenizer.decode(tokenizer.encode(' the'))).toBe(' the');
  });

  test('SentencePiece for Gemma: the order of the vocabulary is the order of the merges, runs of spaces are pieces', () => {
    const metadata = sentencePieceMetadata().set('general.architecture', 'gemma2');
    const tokens = metadata.get('tokenizer.ggml.tokens') as string[];
    const runs = tokens.indexOf('▁▁');
    tokens[runs] = '  ';
    (metadata.get('tokenizer.ggml.token_type') as Int32Array)[runs] = 4;
    (metadata.get('tokenizer.ggml.scores') as Float32Array).fill(-1000);
    const tokenizer = tokenizerFromGguf(metadata.set('tokenizer.ggml.add_space_prefix', false), 'g');
    expect(texts(tokenizer, tokenizer.encode('the  lower'))).toEqual(['the', '  ', 'lower']);
  });

  test.each<[string, (m: Map<string, unknown>) => unknown, RegExp]>([
    ['no tokenizer', (m) => m.clear(), /tokenizer.ggml.model: expected gpt2 or llama, found nothing/],
    ['another model', (m) => m.set('tokenizer.ggml.model', 't5'), /expected gpt2 or llama, found "t5"/],
    [
      'an unknown pre',
      (m) => m.set('tokenizer.ggml.pre', 'zz'),
      /tokenizer.ggml.pre: unknown pre-tokenizer "zz"/,
    ],
    [
      'a pre of Object',
      (m) => m.set('tokenizer.ggml.pre', 'constructor'),
      /unknown pre-tokenizer "constructor"/,
    ],
    [
      'no pre',
      (m) => m.delete('tokenizer.ggml.pre'),
      /tokenizer.ggml.pre: expected a pre-tokenizer, found nothing/,
    ],
    [
      'no tokens',
      (m) => m.delete('tokenizer.ggml.tokens'),
      /tokenizer.ggml.tokens: expected an array of strings/,
    ],
    [
      'no merges',
      (m) => m.delete('tokenizer.ggml.merges'),
      /tokenizer.ggml.merges: expected an array of strings/,
    ],
    ['a token twice', (m) => m.set('tokenizer.ggml.tokens', ['a', 'a']), /"a" has two ids, 0 and 1/],
    [
      'too few types',
      (m) => m.set('tokenizer.ggml.token_type', [1]),
      /token_type: expected an array of 272 numbers/,
    ],
    [
      'a wrong id',
      (m) => m.set('tokenizer.ggml.eos_token_id', 999),
      /eos_token_id: expected an id below 272, found 999/,
    ],
    [
      'an id that is text',
      (m) => m.set('tokenizer.ggml.bos_token_id', '1'),
      /bos_token_id: expected an integer, found "1"/,
    ],
    [
      'a flag that is none',
      (m) => m.set('tokenizer.ggml.add_bos_token', 1),
      /add_bos_token: expected true or false/,
    ],
  ])('refuses %s', (_, damage, message) => {
    const metadata = byteLevelMetadata('gpt-2');
    damage(metadata);
    expect(() => tokenizerFromGguf(metadata, 'g')).toThrow(InputError);
    expect(() => tokenizerFromGguf(metadata, 'g')).toThrow(message);
  });

  test('refuses tokens too long to derive merges from', () => {
    const metadata = sentencePieceMetadata();
    (metadata.get('tokenizer.ggml.tokens') as string[])[290] = 'ab'.repeat(50_000);
    expect(() => tokenizerFromGguf(metadata, 'g')).toThrow(/too long to derive merges from/);
  });
});

describe.skipIf(!shared)('needs ../shared: the real GGUF', () => {
  test('gives the golden ids', async () => {
    const gguf = await readGguf(join(realModel(), 'SmolLM2-135M-Instruct.Q4_1.gguf'));
    const tokenizer = tokenizerFromGguf(gguf.metadata, 'gguf');
    for (const { text, ids } of goldenTokens()) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    expect([tokenizer.vocabSize, tokenizer.bosId, tokenizer.eosId]).toEqual([49_152, 1, 2]);
    expect(tokenizer.prefixIds).toEqual([]);
  });
});
