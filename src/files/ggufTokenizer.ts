/**
 * The tokenizer that a GGUF file describes in its metadata alone, restated as a tokenizer.json: byte-level
 * BPE (`gpt2`) and SentencePiece BPE (`llama`). Sources: llama.cpp's llama-vocab.cpp, transformers'
 * gguf_tokenizer_mapping.py. Knows no tensor and does not read the file.
 */
import { InputError } from '../errors.ts';
import { byteCharacters } from './byteLevel.ts';
import { quoted } from './bytes.ts';
import { GgufFields, type GgufMetadata } from './ggufFields.ts';
import { ggufPreTokenizers } from './ggufPreTokenizers.ts';
import { described } from './schema.ts';
import { type Tokenizer, tokenizerFromJson } from './tokenizer.ts';

/** The tokenizer of a GGUF as the two files that transformers would write. */
export interface TokenizerFiles {
  readonly json: object;
  readonly config: object;
  /** whether bos comes before a plain text */
  readonly addBos: boolean;
}

/** Kinds of token in `tokenizer.ggml.token_type`. */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const;

/** Most character comparisons spent on deriving merges; a real vocabulary needs a thousandth. */
const maxMergeWork = 1e9;

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: readonly number[];
}

/** The tokenizer of a GGUF. Errors begin with `where` and the key that is wrong. */
export function tokenizerFromGguf(metadata: GgufMetadata, where: string): Tokenizer {
  const { json, config, addBos } = tokenizerFilesOfGguf(metadata, where);
  return tokenizerFromJson(json, config, where, addBos);
}

/** The tokenizer.json and tokenizer_config.json that say what the GGUF's metadata says. */
export function tokenizerFilesOfGguf(metadata: GgufMetadata, where: string): TokenizerFiles {
  const read = new GgufFields(metadata, where);
  const model = read.text('tokenizer.ggml.model');
  switch (model) {
    case 'gpt2':
      return byteLevel(read);
    case 'llama':
      return sentencePiece(read);
    default:
      throw new InputError(
        `${where}: tokenizer.ggml.model: expected gpt2 or llama, found ${described(model)}`,
      );
  }
}

/** Ids that end a turn besides eos, as far as the file names them. */
export function endIdsOfGguf(metadata: GgufMetadata, where: string): number[] {
  const read = new GgufFields(metadata, where);
  return ['eos', 'eot', 'eom']
    .map((name) => read.integer(`tokenizer.ggml.${name}_token_id`))
    .filter((id) => id !== undefined);
}

function byteLevel(read: GgufFields): TokenizerFiles {
  const vocabulary = vocabularyIn(read);
  const pre = read.text('tokenizer.ggml.pre');
  if (pre === undefined)
    throw new InputError(
      `${read.where}: tokenizer.ggml.pre: expected a pre-tokenizer, found nothing: use a folder with the model's tokenizer.json`,
    );
  const splitting = Object.hasOwn(ggufPreTokenizers, pre) ? ggufPreTokenizers[pre] : undefined;
  if (splitting === undefined)
    throw new InputError(`${read.where}: tokenizer.ggml.pre: unknown pre-tokenizer ${quoted(pre)}`);
  const json = {
    added_tokens: addedTokens(vocabulary),
    normalizer: splitting.normalizer === undefined ? null : { type: splitting.normalizer },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...splitting.splits.map((regex) => ({
          type: 'Split',
          pattern: { Regex: regex },
          behavior: 'Isolated',
          invert: false,
        })),
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      ignore_merges: splitting.ignoreMerges ?? false,
      vocab: Object.fromEntries(byteSpellings(vocabulary.tokens)),
      merges: read.texts('tokenizer.ggml.merges'),
    },
  };
  return { json, ...configOf(read, vocabulary, {}, splitting.addBos ?? false) };
}

/**
 * Ids by spelling. llama.cpp's converter writes added tokens as plain text; a merge that makes such a token
 * spells it by its bytes, so it is known by both, unless another token is spelled so.
 */
function byteSpellings(tokens: readonly string[]): Map<string, number> {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  tokens.forEach((token, id) => {
    if ([...token].every((character) => alphabet.has(character))) return;
    const spelled = Array.from(Buffer.from(token), (byte) => byteCharacters[byte]!).join('');
    if (!ids.has(spelled)) ids.set(spelled, id);
  });
  return ids;
}

const alphabet = new Set(byteCharacters);

function sentencePiece(read: GgufFields): TokenizerFiles {
  const stored = vocabularyIn(read);
  const spaces = (token: string) => /^ +$/.test(token);
  // Files spell runs of spaces, which the text will hold as runs of ▁, with spaces.
  const vocabulary: Vocabulary = {
    tokens: stored.tokens.map((token) => (spaces(token) ? '▁'.repeat(token.length) : token)),
    kinds: stored.kinds.map((kind, id) => (spaces(stored.tokens[id]!) ? kinds.normal : kind)),
  };
  const prefix = read.flag('tokenizer.ggml.add_space_prefix') ?? true;
  const escapeSpaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const unknown = tokenNamed(read, 'unknown', vocabulary.tokens) ?? vocabulary.tokens[0];
  const json = {
    added_tokens: addedTokens(vocabulary),
    // llama.cpp puts the space before every stretch of plain text, as Llama 2's own tokenizer.json does.
    normalizer: {
      type: 'Sequence',
      normalizers: prefix ? [{ type: 'Prepend', prepend: '▁' }, escapeSpaces] : [escapeSpaces],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      unk_token: unknown,
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(vocabulary.tokens.map((token, id) => [token, id])),
      merges: derivedMerges(vocabulary, scoresOf(read, vocabulary), read.where),
    },
  };
  const defaults = { unk_token: unknown, bos_token: vocabulary.tokens[1], eos_token: vocabulary.tokens[2] };
  return { json, ...configOf(read, vocabulary, defaults, true) };
}

/** The score of each token; Gemma's files hold placeholders there, and mean the order of the vocabulary. */
function scoresOf(read: GgufFields, { tokens }: Vocabulary): readonly number[] {
  return read.text('general.architecture')?.startsWith('gemma')
    ? tokens.map((_, id) => -id)
    : read.numbers('tokenizer.ggml.scores', tokens.length);
}

/**
 * The merges whose order gives SentencePiece's result: each token from every two tokens that spell it,
 * highest score first (generate_merges in transformers). Only for pieces that overlap themselves can a tie
 * fall otherwise than in SentencePiece, which then takes the leftmost.
 */
function derivedMerges(
  { tokens, kinds: kindOf }: Vocabulary,
  scores: readonly number[],
  where: string,
): [string, string][] {
  if (tokens.reduce((work, token) => work + token.length ** 2, 0) > maxMergeWork)
    throw new InputError(`${where}: tokenizer.ggml.tokens: too long to derive merges from`);
  const isPiece = (id: number) => kindOf[id] === kinds.normal || kindOf[id] === kinds.userDefined;
  const pieces = new Set(tokens.filter((_, id) => isPiece(id)));
  const merges: { left: string; right: string; score: number; lengths: [number, number] }[] = [];
  tokens.forEach((token, id) => {
    if (!isPiece(id)) return;
    const characters = [...token];
    for (let i = 1, cut = 0; i < characters.length; i++) {
      cut += characters[i - 1]!.length;
      const left = token.slice(0, cut);
      const right = token.slice(cut);
      if (pieces.has(left) && pieces.has(right))
        merges.push({ left, right, score: scores[id]!, lengths: [i, characters.length - i] });
    }
  });
  merges.sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1]);
  return merges.map(({ left, right }) => [left, right]);
}

function vocabularyIn(read: GgufFields): Vocabulary {
  const tokens = read
    .texts('tokenizer.ggml.tokens')
    .map((token, id) => (token === '' ? `[EMPTY_${id}]` : token));
  const seen = new Map<string, number>();
  tokens.forEach((token, id) => {
    const before = seen.get(token);
    if (before !== undefined)
      throw new InputError(
        `${read.where}: tokenizer.ggml.tokens: ${quoted(token)} has two ids, ${before} and ${id}`,
      );
    seen.set(token, id);
  });
  const typed = read.has('tokenizer.ggml.token_type');
  return {
    tokens,
    kinds: typed ? read.numbers('tokenizer.ggml.token_type', tokens.length) : tokens.map(() => kinds.normal),
  };
}

/** Tokens that text is searched for before anything else. */
function addedTokens({ tokens, kinds: kindOf }: Vocabulary): object[] {
  return tokens.flatMap((content, id) => {
    const kind = kindOf[id];
    const special = kind === kinds.control || kind === kinds.unknown;
    return special || kind === kinds.userDefined ? [{ id, content, special, normalized: false }] : [];
  });
}

function configOf(read: GgufFields, { tokens }: Vocabulary, defaults: object, addsBos: boolean) {
  const named = {
    bos_token: tokenNamed(read, 'bos', tokens),
    eos_token: tokenNamed(read, 'eos', tokens),
    unk_token: tokenNamed(read, 'unknown', tokens),
    pad_token: tokenNamed(read, 'padding', tokens),
  };
  const config = {
    ...defaults,
    ...Object.fromEntries(Object.entries(named).filter(([, token]) => token !== undefined)),
  };
  const add = read.flag('tokenizer.ggml.add_bos_token') ?? (addsBos && 'bos_token' in config);
  return { config, addBos: add };
}

/** Text of the token that `tokenizer.ggml.NAME_token_id` names. */
function tokenNamed(read: GgufFields, name: string, tokens: readonly string[]): string | undefined {
  const key = `tokenizer.ggml.${name}_token_id`;
  const id = read.integer(key);
  if (id === undefined) return undefined;
  const token = tokens[id];
  if (token === undefined) throw read.unexpected(key, `an id below ${tokens.length}`, id);
  return token;
}
