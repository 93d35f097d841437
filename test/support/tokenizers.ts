/** Small tokenizers that tests make themselves, and the Rust library behind transformers as their oracle. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { expect } from 'vitest';
import type { Tokenizer } from '../../src/files/tokenizer.ts';
import { inShared } from './shared.ts';

/** GPT-2's character for each byte. */
const byteCharacters: string[] = (() => {
  let free = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(prints ? byte : free++);
  });
})();

const merges: [string, string][] = [
  ['Ġ', 't'],
  ['h', 'e'],
  ['Ġ', 'a'],
  ['Ġt', 'he'],
  ['i', 'n'],
  ['Ġ', 'Ġ'],
  ['ĠĠ', 'ĠĠ'],
  ['1', '2'],
  ['Ċ', 'Ċ'],
  ["'", 's'],
  ['Ã', '©'],
  ['â', 'Ģ'],
  ['Â', '½'],
];

const byteVocab: string[] = [...byteCharacters, ...merges.map(([left, right]) => left + right)];

export interface TokenizerJson {
  [part: string]: unknown;
  added_tokens: Record<string, unknown>[];
  model: Record<string, unknown>;
}

function added(id: number, content: string, more: object = {}): Record<string, unknown> {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
    ...more,
  };
}

/** A byte-level BPE of 269 tokens and three special ones, with every field that the Rust library asks for. */
export function byteLevelJson(parts: Record<string, unknown> = {}): TokenizerJson {
  const n = byteVocab.length;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [added(n, '<s>'), added(n + 1, '<|im_end|>'), added(n + 2, '<x y>', { special: false })],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(byteVocab.map((token, id) => [token, id])),
      merges: structuredClone(merges),
    },
    ...parts,
  };
}

export const chatMl =
  "{% for m in messages %}{{ '<s>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}";

/** The tokenizer_config.json beside `byteLevelJson`. */
export const byteLevelConfig = {
  bos_token: '<s>',
  eos_token: { content: '<|im_end|>' },
  chat_template: chatMl,
};

/** The same tokenizer as a GGUF describes it. */
export function byteLevelMetadata(pre: string): Map<string, unknown> {
  const n = byteVocab.length;
  return new Map<string, unknown>([
    ['tokenizer.ggml.model', 'gpt2'],
    ['tokenizer.ggml.pre', pre],
    ['tokenizer.ggml.tokens', [...byteVocab, '<s>', '<|im_end|>', '<x y>']],
    ['tokenizer.ggml.token_type', Int32Array.from([...byteVocab.map(() => 1), 3, 3, 4])],
    ['tokenizer.ggml.merges', merges.map((pair) => pair.join(' '))],
    ['tokenizer.ggml.bos_token_id', n],
    ['tokenizer.ggml.eos_token_id', BigInt(n + 1)],
    ['tokenizer.chat_template', chatMl],
  ]);
}

/** Pieces of a SentencePiece vocabulary, best first: their score is minus their place. */
const pieces = [
  'th',
  'the',
  '▁the',
  '▁t',
  '▁a',
  'in',
  'ing',
  '▁▁',
  'lo',
  'low',
  'er',
  'lower',
  '▁low',
  '▁lower',
  'new',
  '▁new',
  '▁',
  ...'abcdefghilnorstuvwxy.,!',
];

/** A SentencePiece BPE with byte fallback as a GGUF describes it. */
export function sentencePieceMetadata(): Map<string, unknown> {
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...pieces, '<|user|>'];
  return new Map<string, unknown>([
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', tokens],
    [
      'tokenizer.ggml.scores',
      Float32Array.from(tokens, (token) => (pieces.includes(token) ? -pieces.indexOf(token) : 0)),
    ],
    [
      'tokenizer.ggml.token_type',
      Int32Array.from([2, 3, 3, ...bytes.map(() => 6), ...pieces.map(() => 1), 3]),
    ],
    ['tokenizer.ggml.bos_token_id', 1],
    ['tokenizer.ggml.eos_token_id', 2],
    ['tokenizer.ggml.unknown_token_id', 0],
  ]);
}

/**
 * SentencePiece's own algorithm, for a text without special tokens: join the neighbours whose union is the
 * best piece, the leftmost first, until none is left; then bytes for what is no piece.
 */
export function sentencePieceIds(metadata: ReadonlyMap<string, unknown>, text: string): number[] {
  const tokens = metadata.get('tokenizer.ggml.tokens') as string[];
  const scoreOf = new Map(pieces.map((piece, i) => [piece, -i]));
  const symbols = [...`▁${text.replaceAll(' ', '▁')}`];
  for (;;) {
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const score = scoreOf.get(`${symbols[i]}${symbols[i + 1]}`);
      if (score !== undefined && score > bestScore) [best, bestScore] = [i, score];
    }
    if (best < 0) break;
    symbols.splice(best, 2, `${symbols[best]}${symbols[best + 1]}`);
  }
  return symbols.flatMap((symbol) =>
    scoreOf.has(symbol) ? [tokens.indexOf(symbol)] : Array.from(Buffer.from(symbol), (byte) => 3 + byte),
  );
}

/** The tokenizer of transformers. */
export function oracle(json: object): (text: string) => Promise<number[]> {
  const rust = RustTokenizer.fromString(JSON.stringify(json));
  return async (text) => (await rust.encode(text, null, { addSpecialTokens: false })).getIds();
}

/**
 * Text out of what tokenizers treat apart: white space of every kind, digits of every kind, contractions,
 * special tokens, emoji. Only characters that both libraries' Unicode tables know.
 */
export const trickyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          ...[
            'a',
            'in',
            'the',
            ' the',
            ' ',
            '  ',
            '    ',
            '\n',
            '\n\n',
            '\r\n',
            '\t',
            "'s",
            "'S",
            "'LL",
            "'ll",
          ],
          ...['1', '12', '1234', '.', ',', '!?', '...', '/', '\\', '$', '^', '|', '`', '_', ']', '[', '{}'],
          ...['<s>', '<|im_end|>', '<x y>', '<|im', 'é', 'e\u0301', '\u0085', '\uFEFF', '\u2028', '\u00A0'],
          ...[
            '½',
            '²',
            'Ⅳ',
            '൧',
            '①',
            '漢字',
            'ひら',
            '가',
            '👩‍👩‍👧',
            'ſ',
            "'ſt",
            'K',
            'ǅ',
            'ʰ',
            '़',
            '\u200D',
            'İ',
            'ß',
            '▁',
          ],
          '\0',
        ),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** Holds that `tokenizer` gives the ids of the Rust library for `json`, whatever the text. */
export async function agrees(tokenizer: Tokenizer, json: object, numRuns = 150): Promise<void> {
  const encode = oracle(json);
  await fc.assert(
    fc.asyncProperty(trickyText, async (text) => {
      expect(tokenizer.encode(text)).toEqual(await encode(text));
    }),
    { numRuns },
  );
}

/**
 * The 350 lines of the real tokenizer's golden; the last four are where dialects of regular expressions
 * differ.
 */
export function goldenTokens(): { text: string; ids: number[] }[] {
  const lines = readFileSync(inShared('golden', 'tokens.jsonl'), 'utf8').trim().split('\n');
  expect(lines).toHaveLength(350);
  return lines.map((line) => JSON.parse(line));
}

/** `json` with one part of it, at any depth, replaced by something else or taken away. */
export function mutated(json: unknown): fc.Arbitrary<unknown> {
  const junk = fc.oneof(
    fc.constantFrom(
      null,
      true,
      -1,
      0.5,
      1e9,
      2 ** 53,
      '',
      'x',
      'Isolated',
      'Sequence',
      '(',
      '[',
      '\\p{Q}',
      '<s>',
    ),
    fc.constantFrom<unknown>([], {}, [null], { type: 'Sequence' }, { type: 'Split' }, { Regex: '(?<' }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc
    .tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), fc.option(junk))
    .map(([path, value]) => {
      const copy = structuredClone(json);
      replaceAt(copy, path, value);
      return copy;
    });
}

function replaceAt(json: unknown, path: readonly number[], value: unknown): void {
  const keys = typeof json === 'object' && json !== null ? Object.keys(json) : [];
  const [step, ...rest] = path;
  const key = keys[(step ?? 0) % Math.max(keys.length, 1)];
  if (key === undefined) return;
  const parent = json as Record<string, unknown>;
  const child = parent[key];
  if (rest.length > 0 && typeof child === 'object' && child !== null) replaceAt(child, rest, value);
  else if (value === null) delete parent[key];
  else parent[key] = value;
}
