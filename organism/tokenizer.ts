/**
 * Trains the organism's tokenizer: byte-level byte-pair encoding on sample documents, given in the form of
 * Hugging Face's tokenizer.json. Knows no world; the same texts give the same tokenizer.
 */
import { gpt2Split } from '../src/files/tokenizerDialect.ts';

const endToken = '<|end|>';
const padToken = '<|pad|>';

export interface TokenizerFiles {
  /** Content of tokenizer.json. */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** Content of tokenizer_config.json. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * A tokenizer of at most `vocabularySize` tokens: `<|end|>` (0), `<|pad|>` (1), the 256 bytes, and the
 * pairs that are most frequent in `texts` when merged one after the other (ties: the alphabetically first
 * pair; none met only once). Throws RangeError where `vocabularySize` has no room for the first 258.
 */
export function trainTokenizer(texts: readonly string[], vocabularySize = 1536): TokenizerFiles {
  const special = [endToken, padToken];
  const alphabet = [...byteCharacters()];
  const room = vocabularySize - special.length - alphabet.length;
  if (!(room >= 0))
    throw new RangeError(`trainTokenizer: expected room for 258 tokens, found ${vocabularySize}`);
  const merges = learnedMerges(countedWords(texts, alphabet), room);
  const tokens = [...special, ...alphabet.toSorted(), ...merges.map(([left, right]) => left + right)];
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: special.map(addedToken),
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      post_processor: null,
      decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges,
      },
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: endToken,
      pad_token: padToken,
      add_prefix_space: false,
      clean_up_tokenization_spaces: false,
      model_max_length: 160,
    },
  };
}

/**
 * `encode` of a tokenizer trained here, for many texts without special tokens: each piece of the split is
 * encoded once and remembered.
 */
export function remembered(encode: (text: string) => readonly number[]): (text: string) => number[] {
  const split = new RegExp(gpt2Split, 'gu');
  const known = new Map<string, readonly number[]>();
  return (text) =>
    Array.from(text.matchAll(split), ([piece]) => {
      const ids = known.get(piece) ?? encode(piece);
      known.set(piece, ids);
      return ids;
    }).flat();
}

function addedToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** GPT-2's alphabet: for each byte a character that prints, its own where it has one. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(prints ? byte : next++);
  });
}

interface Word {
  readonly count: number;
  pieces: string[];
}

/** The pieces that merges cannot cross, each once with how often it occurs. */
function countedWords(texts: readonly string[], alphabet: readonly string[]): Word[] {
  const split = new RegExp(gpt2Split, 'gu');
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const [piece] of text.matchAll(split)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return [...counts].map(([piece, count]) => ({
    count,
    pieces: Array.from(Buffer.from(piece), (byte) => alphabet[byte]!),
  }));
}

function learnedMerges(words: readonly Word[], room: number): [string, string][] {
  const merges: [string, string][] = [];
  while (merges.length < room) {
    const pair = mostFrequentPair(words);
    if (pair === undefined) break;
    merges.push(pair);
    for (const word of words) word.pieces = merged(word.pieces, pair);
  }
  return merges;
}

/**
 * The pair met most often, and at least twice; a space, which no piece holds, stands between the two in the
 * counts.
 */
function mostFrequentPair(words: readonly Word[]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { count, pieces } of words)
    for (let i = 1; i < pieces.length; i++) {
      const pair = `${pieces[i - 1]} ${pieces[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  let best: string | undefined;
  let most = 1;
  for (const [pair, count] of counts)
    if (count > most || (count === most && best !== undefined && pair < best)) [best, most] = [pair, count];
  return best?.split(' ') as [string, string] | undefined;
}

function merged(pieces: string[], [left, right]: readonly [string, string]): string[] {
  if (!pieces.includes(left)) return pieces;
  const result: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const joins = pieces[i] === left && pieces[i + 1] === right;
    result.push(joins ? left + right : pieces[i]!);
    if (joins) i++;
  }
  return result;
}
