/** Tokenizers as folders: tokenizer.json, tokenizer_config.json, generation_config.json, chat_template.jinja. */
import { byteCharacters } from '../../src/files/byteLevel.ts';
import { readTokenizerFolder, type TextCodec } from '../../src/files/textCodec.ts';
import { each, type Format, jsonPart, promised, textPart } from '../format.ts';

/** A vocabulary's spelling of the 256 bytes. */
export const spelledBytes = (): string[] => [...byteCharacters];

const texts = ['the tea in', ' 12  and\n\n12 é', '<s>x</s>', 'ĠĠ\ud800😀', ''];

/** Opens a codec and uses it as the program does. */
export async function readCodec(open: () => TextCodec | Promise<TextCodec>): Promise<void> {
  const codec = await open();
  const { tokenizer } = codec;
  promised(Number.isSafeInteger(tokenizer.vocabSize), `a vocabulary of ${tokenizer.vocabSize}`);
  for (const id of [...tokenizer.specialIds, ...codec.endOfTurnIds])
    promised(id >= 0 && id < tokenizer.vocabSize, `the special id ${id} of ${tokenizer.vocabSize}`);
  for (const text of texts)
    await each(() => {
      const ids = codec.encodePrompt(text);
      promised(
        ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize),
        `ids that are none: ${ids.slice(0, 10)}`,
      );
      promised(typeof tokenizer.decode(ids) === 'string', 'no text');
      for (const id of ids.slice(0, 3))
        promised(typeof tokenizer.tokenText(id) === 'string', 'no token text');
    });
  await each(
    () => codec.encodePrompt([{ role: 'user', content: 'How?' }]),
    () => codec.encodeCompletion([{ role: 'user', content: 'How?' }], 'So.'),
    () => codec.encodeCompletion('How?', ' So.'),
  );
}

const added = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

const bytes = spelledBytes();
const splitting = {
  type: 'Sequence',
  pretokenizers: [
    {
      type: 'Split',
      pattern: { Regex: "'s| ?\\p{L}+| ?\\p{N}{1,3}|\\s+(?!\\S)|\\s+" },
      behavior: 'Isolated',
      invert: false,
    },
    { type: 'Digits', individual_digits: true },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
};
const byteLevel = (preTokenizer: object) => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [added(259, '<s>'), added(260, '</s>')],
  normalizer: { type: 'NFC' },
  pre_tokenizer: preTokenizer,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { '<s>': { id: '<s>', ids: [259], tokens: ['<s>'] } },
  },
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab: Object.fromEntries([...bytes, 'Ġt', 'he', 'Ġthe'].map((token, id) => [token, id])),
    merges: [['Ġ', 't'], ['h', 'e'], 'Ġt he'],
  },
});
const pieces = ['<unk>', '<s>', '</s>', '<0x0A>', '▁', 't', 'h', 'e', '▁t', 'he', '▁the'];
const sentencePiece = {
  added_tokens: [added(1, '<s>'), added(2, '</s>')],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    fuse_unk: true,
    byte_fallback: true,
    vocab: Object.fromEntries(pieces.map((token, id) => [token, id])),
    merges: [
      ['▁', 't'],
      ['h', 'e'],
      ['▁t', 'he'],
    ],
  },
};
const config = {
  bos_token: '<s>',
  eos_token: { content: '</s>' },
  unk_token: null,
  add_bos_token: true,
  added_tokens_decoder: { '259': { content: '<s>', special: true } },
  chat_template: "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>{% endfor %}",
};

export const tokenizer: Format = {
  name: 'tokenizer',
  seeds: () => [
    {
      'tokenizer.json': jsonPart(byteLevel(splitting)),
      'tokenizer_config.json': jsonPart(config),
      'generation_config.json': jsonPart({ eos_token_id: [260] }),
    },
    {
      'tokenizer.json': jsonPart(byteLevel({ type: 'ByteLevel', add_prefix_space: false, use_regex: true })),
      'chat_template.jinja': textPart('{{ bos_token }}{{ messages[0].content }}'),
    },
    { 'tokenizer.json': jsonPart(sentencePiece), 'tokenizer_config.json': jsonPart({ bos_token: '<s>' }) },
  ],
  read: (folder) => each(() => readCodec(() => readTokenizerFolder(folder))),
};
