import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { type Tokenizer, tokenizerFromJson } from '../../src/files/tokenizer.ts';
import { realModel, shared } from '../support/shared.ts';
import {
  agrees,
  byteLevelConfig,
  byteLevelJson,
  goldenTokens,
  mutated,
  oracle,
  trickyText,
} from '../support/tokenizers.ts';

const small = () => tokenizerFromJson(byteLevelJson(), byteLevelConfig, 'small');
const texts = (tokenizer: Tokenizer, ids: number[]) => ids.map((id) => tokenizer.tokenText(id));

describe('a small byte-level tokenizer', () => {
  test('encodes by merges and finds special tokens in the text', () => {
    const tokenizer = small();
    const ids = tokenizer.encode('in the<|im_end|>\n\n<x y>');
    expect(texts(tokenizer, ids)).toEqual(['in', ' the', '<|im_end|>', '\n\n', '<x y>']);
    expect(ids[2]).toBe(tokenizer.eosId);
    expect(ids[1]).toBe(tokenizer.idOf('Ġthe'));
  });

  test('knows its special tokens', () => {
    const tokenizer = small();
    expect(tokenizer.vocabSize).toBe(272);
    expect([...tokenizer.specialIds]).toEqual([tokenizer.idOf('<s>'), tokenizer.idOf('<|im_end|>')]);
    expect(tokenizer.bosId).toBe(tokenizer.idOf('<s>'));
    expect(tokenizer.specialTokens).toEqual({ bos_token: '<s>', eos_token: '<|im_end|>' });
    expect(tokenizer.idOf('nothing')).toBeUndefined();
  });

  test('decodes what it encoded', () => {
    const tokenizer = small();
    fc.assert(fc.property(trickyText, (text) => tokenizer.decode(tokenizer.encode(text)) === text));
  });

  test('decodes without special tokens, without unknown ids, and never cleans up spaces', () => {
    const tokenizer = small();
    const ids = [...tokenizer.encode('<s>in . the<|im_end|>'), 99_999];
    expect(tokenizer.decode(ids)).toBe('<s>in . the<|im_end|>');
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('in . the');
    expect(tokenizer.decode([])).toBe('');
  });

  test('shows each token readably', () => {
    const tokenizer = small();
    expect(texts(tokenizer, tokenizer.encode('漢'))).toEqual(['<0xE6>', '<0xBC>', '<0xA2>']);
    expect(texts(tokenizer, tokenizer.encode('é’s'))).toEqual(['é', '<0xE2><0x80>', '<0x99>', 's']);
    expect(tokenizer.decode(tokenizer.encode('漢é’s'))).toBe('漢é’s');
    expect(tokenizer.tokenText(99_999)).toBe('<id 99999>');
  });

  test('takes a lone surrogate for U+FFFD', () => {
    const tokenizer = small();
    expect(tokenizer.encode('a\uD800b')).toEqual(tokenizer.encode('a\uFFFDb'));
  });
});

describe('ids before a plain text', () => {
  const template = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [269], tokens: ['<s>'] } },
  };
  const prefixOf = (parts: object, config: object) =>
    tokenizerFromJson({ ...byteLevelJson(), ...parts }, { ...byteLevelConfig, ...config }, 't').prefixIds;

  test.each([
    ['nothing says so', {}, {}, []],
    ['the template has bos', { post_processor: template }, {}, [269]],
    [
      'a template among others',
      { post_processor: { type: 'Sequence', processors: [{ type: 'ByteLevel' }, template] } },
      {},
      [269],
    ],
    [
      'the config says no, as transformers overlooks',
      { post_processor: template },
      { add_bos_token: false },
      [269],
    ],
    ['the config says yes, as transformers overlooks', {}, { add_bos_token: true }, []],
  ])('%s', (_, parts, config, expected) => {
    expect(prefixOf(parts, config)).toEqual(expected);
  });
});

test('tokens that only the config names are found in text, as transformers adds them', () => {
  const json = byteLevelJson({ added_tokens: [] });
  json.model.vocab = { ...(json.model.vocab as object), '</s>': 269 };
  const config = {
    eos_token: '</s>',
    added_tokens_decoder: { 270: { content: '<extra>', special: true } },
  };
  const tokenizer = tokenizerFromJson(json, config, 't');
  expect(tokenizer.encode('</s><extra>')).toEqual([269, 270]);
  expect([...tokenizer.specialIds].sort()).toEqual([269, 270]);
});

const split = (pattern: object, behavior: string, invert = false) => ({
  type: 'Split',
  pattern,
  behavior,
  invert,
});
const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const before = (...steps: object[]) => ({ type: 'Sequence', pretokenizers: [...steps, bytes] });
const comma = { Regex: '[ ,]' };

/**
 * Each has a JSON form that the Rust library reads as it is, and that the JavaScript one would read
 * otherwise.
 */
const preTokenizers: Record<string, object> = {
  'GPT-2': { ...bytes, use_regex: true },
  'GPT-2 with a prefix space': { ...bytes, use_regex: true, add_prefix_space: true },
  'single digits': before({ type: 'Digits', individual_digits: true }, { ...bytes, use_regex: true }),
  'runs of digits': before({ type: 'Digits', individual_digits: false }),
  isolated: before(split(comma, 'Isolated')),
  'isolated, inverted': before(split(comma, 'Isolated', true)),
  removed: before(split(comma, 'Removed')),
  'removed, inverted': before(split({ Regex: '[a-z]+' }, 'Removed', true)),
  'merged with previous': before(split(comma, 'MergedWithPrevious')),
  'merged with next': before(split(comma, 'MergedWithNext')),
  'two letters, merged with previous': before(split({ Regex: 'in|a' }, 'MergedWithPrevious')),
  contiguous: before(split(comma, 'Contiguous')),
  'a literal dot': before(split({ String: '.' }, 'Removed')),
  'a delimiter': before({ type: 'CharDelimiterSplit', delimiter: '|' }),
  words: before({ type: 'Whitespace' }),
  'white space': before({ type: 'WhitespaceSplit' }),
  'punctuation, isolated': before({ type: 'Punctuation', behavior: 'Isolated' }),
  'punctuation, contiguous': before({ type: 'Punctuation', behavior: 'Contiguous' }),
  metaspace: before({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }),
  'metaspace, first': before({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false }),
  'metaspace, never': before({ type: 'Metaspace', replacement: ']', prepend_scheme: 'never', split: true }),
};

const normalizers: Record<string, object> = {
  NFC: { type: 'NFC' },
  'prepend and replace': {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  'replace by dollars': { type: 'Replace', pattern: { Regex: '[ab]+' }, content: '$&$1' },
  strip: { type: 'Strip', strip_left: true, strip_right: true },
};

describe('gives the ids of the Rust library', () => {
  test.each(Object.entries(preTokenizers))('pre-tokenizer: %s', async (_, pre_tokenizer) => {
    const json = byteLevelJson({ pre_tokenizer });
    await agrees(tokenizerFromJson(json, undefined, 't'), json);
  });

  test.each(Object.entries(normalizers))('normalizer: %s', async (_, normalizer) => {
    const json = byteLevelJson({ normalizer });
    await agrees(tokenizerFromJson(json, undefined, 't'), json);
  });

  test('an added token that takes the spaces around it', async () => {
    const json = byteLevelJson();
    json.added_tokens[0] = { ...json.added_tokens[0], lstrip: true, rstrip: true };
    const encode = oracle(json);
    const tokenizer = tokenizerFromJson(json, undefined, 't');
    for (const text of ['a <s> b', '  <s>\n\n<s>', '<s>', ' <|im_end|> <s> <|im_end|> '])
      expect(tokenizer.encode(text)).toEqual(await encode(text));
  });
});

describe('refuses, with one line', () => {
  const model = (fields: object) => ({ model: { ...byteLevelJson().model, ...fields } });
  const cases: [string, object, RegExp][] = [
    ['another kind of model', model({ type: 'Unigram' }), /^t: model.type: expected BPE.*found "Unigram"$/],
    ['a vocabulary that is none', model({ vocab: [] }), /model.vocab: expected an object/],
    ['an id that is none', model({ vocab: { a: 1.5 } }), /model.vocab: "a": expected an id.*found 1.5/],
    ['an id beyond all', model({ vocab: { a: 2 ** 31 } }), /model.vocab: "a": expected an id/],
    ['a merge of one', model({ merges: ['ab'] }), /model.merges\[0\]: expected two tokens, found "\\"ab\\""/],
    ['a merge of unknown tokens', model({ merges: [['a', 'zz']] }), /model.merges\[0\]: "zz" is not in/],
    [
      'a merge of numbers',
      model({ merges: [[1, 2]] }),
      /model.merges\[0\]: expected two tokens, found "\[1,2\]"/,
    ],
    ['dropout', model({ dropout: 0.1 }), /model.dropout: expected null: ids would be random, found 0.1/],
    ['a word prefix', model({ continuing_subword_prefix: '##' }), /continuing_subword_prefix/],
    ['an unknown token without id', model({ unk_token: '<unk>' }), /unk_token: "<unk>" is not in/],
    [
      'an unknown step',
      { pre_tokenizer: { type: 'BertPreTokenizer' } },
      /pre_tokenizer: expected one of .*found "BertPre/,
    ],
    [
      'a normalizer that differs',
      { normalizer: { type: 'Lowercase' } },
      /normalizer: expected one of .*Lowercase/,
    ],
    ['a decoder that differs', { decoder: { type: 'CTC' } }, /decoder: expected one of .*found "CTC"/],
    [
      'a step without type',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{}] } },
      /Sequence\[0\]: type: expected string, found nothing/,
    ],
    [
      'an expression that is none',
      { pre_tokenizer: split({ Regex: '(a' }, 'Isolated') },
      /not a usable tokenizer/,
    ],
    [
      'a group in a split that removes',
      { pre_tokenizer: split({ Regex: '(a)' }, 'Removed') },
      /group that captures/,
    ],
    [
      'inverted merging',
      { pre_tokenizer: split(comma, 'MergedWithNext', true) },
      /invert with MergedWithNext/,
    ],
    [
      'a first that is second',
      {
        pre_tokenizer: before(split(comma, 'Isolated'), {
          type: 'Metaspace',
          replacement: '▁',
          prepend_scheme: 'first',
        }),
      },
      /prepend_scheme first after other steps/,
    ],
    [
      'single words',
      { added_tokens: [{ id: 269, content: 'x', single_word: true }] },
      /added_tokens\[0\].single_word: expected false/,
    ],
    [
      'another id',
      { added_tokens: [{ id: 5, content: 'a' }] },
      /added_tokens: "a": expected id 97 as in the vocabulary, found 5/,
    ],
  ];
  test.each(cases)('%s', (_, parts, message) => {
    const build = () => tokenizerFromJson({ ...byteLevelJson(), ...parts }, byteLevelConfig, 't');
    expect(build).toThrow(InputError);
    expect(build).toThrow(message);
  });

  test('sequences within sequences without end', () => {
    let step: object = bytes;
    for (let i = 0; i < 5000; i++) step = { type: 'Sequence', pretokenizers: [step] };
    expect(() => tokenizerFromJson(byteLevelJson({ pre_tokenizer: step }), {}, 't')).toThrow(
      /more than 128 sequences/,
    );
  });

  test.each([
    ['what is no object', null, /^t: expected object, found null$/],
    ['no model', {}, /^t: model: expected object, found nothing$/],
  ])('%s', (_, json, message) => {
    expect(() => tokenizerFromJson(json, {}, 't')).toThrow(message);
  });

  /** Takes time that doubles with each x of a text that has no y. */
  const endless = { Regex: '(?:x|x)*y' };
  const hostile = 'x'.repeat(60);
  const endlessly = (where: string) =>
    `t: ${where}: "(?:x|x)*y": the regular expression does not come to an end: it takes more than 0.`;
  const within = (parts: Record<string, unknown>) =>
    tokenizerFromJson(byteLevelJson(parts), byteLevelConfig, 't', false, 50);
  const splitting = { type: 'Split', pattern: endless, behavior: 'Isolated', invert: false };
  const replacing = { type: 'Replace', pattern: endless, content: 'z' };

  test.each([
    ['pre_tokenizer: Split', { pre_tokenizer: splitting }],
    [
      'pre_tokenizer: Sequence[1]: Split',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [bytes, splitting] } },
    ],
    ['normalizer: Replace', { normalizer: replacing }],
  ])('an expression without end: %s', (where, parts) => {
    const { encode, encodeContinuation } = within(parts);
    expect(encode('in the xy')).not.toEqual([]);
    for (const one of [encode, encodeContinuation]) {
      expect(() => one(hostile)).toThrow(InputError);
      expect(() => one(hostile)).toThrow(endlessly(where));
    }
  });

  test('an expression without end, on an added token', () => {
    const content = { added_tokens: [{ id: 999, content: hostile, normalized: true }] };
    expect(() => within({ ...content, normalizer: replacing })).toThrow(endlessly('normalizer: Replace'));
  });

  test('an expression without end, on what ids say', () => {
    const { decode, encode } = within({
      decoder: { type: 'Sequence', decoders: [{ type: 'Fuse' }, replacing] },
    });
    expect(() => decode(encode(hostile))).toThrow(endlessly('decoder: Sequence[1]: Replace'));
  });

  test('bos wanted and none named', () => {
    expect(() => tokenizerFromJson(byteLevelJson(), {}, 't', true)).toThrow(
      /add_bos_token without a bos_token/,
    );
  });
});

describe('a damaged tokenizer.json', () => {
  test('is used or refused', () => {
    const json = byteLevelJson({ pre_tokenizer: before(split({ Regex: 'a|b' }, 'Isolated')) });
    let refused = 0;
    fc.assert(
      fc.property(mutated(json), mutated(byteLevelConfig), (damaged, config) => {
        try {
          const tokenizer = tokenizerFromJson(damaged, config, 't');
          tokenizer.decode(tokenizer.encode('in the 12<s>é\n'));
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          expect(error.message).not.toMatch(/[\r\n]/);
          refused++;
        }
      }),
      { numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(20);
  });
});

describe.skipIf(!shared)('needs ../shared: the real tokenizer', () => {
  const json = () => JSON.parse(readFileSync(join(realModel(), 'tokenizer.json'), 'utf8'));
  const config = () => JSON.parse(readFileSync(join(realModel(), 'tokenizer_config.json'), 'utf8'));

  test('gives the golden ids', () => {
    const tokenizer = tokenizerFromJson(json(), config(), 'json');
    for (const { text, ids } of goldenTokens()) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    expect([tokenizer.vocabSize, tokenizer.bosId, tokenizer.eosId]).toEqual([49_152, 1, 2]);
    expect(tokenizer.prefixIds).toEqual([]);
  });

  test('gives the ids of the Rust library for random text', async () => {
    await agrees(tokenizerFromJson(json(), config(), 'json'), json(), 500);
  });
});
