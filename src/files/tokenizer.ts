/**
 * Text to token ids and back, as transformers does it: a tokenizer.json (byte-pair encoding) run by the
 * JavaScript library of the same authors. Knows no model, no file and no chat template.
 *
 * Where the ids differ from transformers': text that holds characters younger than the Rust library's
 * Unicode tables (16 for expressions, older for NFKC, NFKD and Punctuation), and U+FEFF or U+0085 beside an
 * added token that strips spaces.
 */
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { spelledText } from './byteLevel.ts';
import { quoted } from './bytes.ts';
import { checked, described } from './schema.ts';
import { continued, restated, type Steps } from './tokenizerDialect.ts';
import { type Bounded, boundedBy } from './tokenizerTime.ts';

export interface Tokenizer {
  /** Highest id + 1; a model's embedding may have more rows. */
  readonly vocabSize: number;
  /** Ids of the special tokens, which `skipSpecialTokens` leaves out. */
  readonly specialIds: ReadonlySet<number>;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Names of the special tokens (`bos_token`, ...) and their texts, as a chat template sees them. */
  readonly specialTokens: Readonly<Record<string, string>>;
  /** Ids that transformers puts before a plain text: bos, or none. */
  readonly prefixIds: readonly number[];
  /**
   * Ids of `text`. No special token is added, but one that stands in the text (`<|im_end|>`) is recognised.
   * A lone surrogate counts as U+FFFD. Time grows as n log n in the longest stretch without a split.
   */
  encode(text: string): number[];
  /**
   * Ids of `text` as it goes on after other text: without the space that SentencePiece and its like put before
   * the first word of a text, which `decode` takes away again. Else as `encode`.
   */
  encodeContinuation(text: string): number[];
  /**
   * Text of `ids`; bytes that are not UTF-8 become U+FFFD, ids without a token nothing. Spaces are never
   * cleaned up.
   */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  /** One token readably: its space shows as a space, bytes that are no whole character in it as <0xNN>. */
  tokenText(id: number): string;
  /** Id of the token written `token` in the vocabulary (`Ġthe`, `▁the`, `<s>`). */
  idOf(token: string): number | undefined;
}

/** Far above any vocabulary; keeps a wrong id from making a table of its size. */
const maxId = 2 ** 24;

const id = z.int().min(0).max(maxId);

const addedToken = z.object({
  id,
  content: z.string(),
  single_word: z.literal(false, 'expected false: single_word is not supported').default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
});
type AddedToken = z.output<typeof addedToken>;

/** Fields that would change the ids in a way the library lacks; no model family of ours uses them. */
const unused = z.union([z.null(), z.literal('')], 'expected null: it is not supported').optional();

const bpe = z.object({
  type: z.literal('BPE', 'expected BPE, the only kind supported').default('BPE'),
  dropout: z.union([z.null(), z.literal(0)], 'expected null: ids would be random').optional(),
  continuing_subword_prefix: unused,
  end_of_word_suffix: unused,
  unk_token: z.string().nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
  ignore_merges: z.boolean().nullish(),
  vocab: z.unknown(),
  merges: z.array(z.unknown()),
});

const tokenizerJson = z.object({
  added_tokens: z.array(addedToken).default([]),
  normalizer: z.unknown().optional(),
  pre_tokenizer: z.unknown().optional(),
  post_processor: z.unknown().optional(),
  decoder: z.unknown().optional(),
  model: bpe,
});

const tokenName = z.union([z.string(), z.object({ content: z.string() })]).nullish();
const specialNames = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const;

const tokenizerConfig = z.object({
  bos_token: tokenName,
  eos_token: tokenName,
  unk_token: tokenName,
  pad_token: tokenName,
  added_tokens_decoder: z.record(z.string(), addedToken.omit({ id: true })).nullish(),
});
type Config = z.output<typeof tokenizerConfig>;

/**
 * The tokenizer that a parsed tokenizer.json describes. `config` is the parsed tokenizer_config.json
 * (undefined where there is none): the names of its special tokens. What comes before a plain text is what the
 * post-processor's template says, as in transformers; `addBos` says it for a file that has no post-processor.
 * Errors begin with `where`; those of a regular
 * expression that does not come to an end (tokenizerTime.ts) are thrown by whatever applies it.
 */
export function tokenizerFromJson(
  json: unknown,
  config: unknown,
  where: string,
  addBos = false,
  limitMs?: number,
): Tokenizer {
  const parsed = checked(tokenizerJson, json, where);
  const settings = checked(tokenizerConfig, config ?? {}, `${where}: config`);
  const vocab = vocabulary(parsed.model.vocab, `${where}: model.vocab`);
  const merges = mergesOf(parsed.model.merges, vocab, `${where}: model.merges`);
  const added = addedTokens(parsed.added_tokens, settings, vocab, where);
  const unknown = parsed.model.unk_token || null;
  const ids = new Map([...vocab, ...added.map((token) => [token.content, token.id] as const)]);
  if (unknown !== null && !ids.has(unknown))
    throw new InputError(`${where}: model.unk_token: ${quoted(unknown)} is not in the vocabulary`);
  const steps = restated(parsed, where);
  const encoding = boundedBy(
    [
      [parsed.normalizer, `${where}: normalizer`],
      [parsed.pre_tokenizer, `${where}: pre_tokenizer`],
    ],
    limitMs,
  );
  const decoding = boundedBy([[parsed.decoder, `${where}: decoder`]], limitMs);
  const built = (steps: Steps) =>
    build(
      {
        added_tokens: added,
        ...steps,
        post_processor: null,
        model: { ...parsed.model, vocab: parsed.model.vocab, merges, unk_token: unknown },
      },
      where,
      encoding,
    );
  const library = built(steps);
  const further = continued(steps);
  const prefixIds = addBos
    ? bosOf(settings, ids, where)
    : templatePrefix(parsed.post_processor, `${where}: post_processor`);
  const known = new Set(ids.values());
  const stray = prefixIds.find((one) => !known.has(one));
  if (stray !== undefined)
    throw new InputError(`${where}: post_processor: expected ids of tokens, found ${stray}`);
  const continuing = further === undefined ? undefined : built(further);
  return wrap({ library, continuing, encoding, decoding }, ids, added, settings, prefixIds);
}

function build(
  json: Steps & {
    readonly added_tokens: readonly AddedToken[];
    readonly post_processor: null;
    readonly model: object;
  },
  where: string,
  encoding: Bounded,
): Library {
  const contents = json.added_tokens.map(({ content }) => content).join(' ');
  const without = { ...json, model: { ...json.model, vocab: {}, merges: [] } };
  try {
    // The library normalises the added tokens while it takes the vocabulary in, which takes as long as it takes.
    encoding(contents, () => new Library(without, {}));
    return new Library(json, {});
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${where}: not a usable tokenizer: ${quoted(String(error))}`);
  }
}

function vocabulary(vocab: unknown, where: string): Map<string, number> {
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab))
    throw new InputError(`${where}: expected an object of token: id`);
  const ids = new Map<string, number>();
  for (const [token, found] of Object.entries(vocab)) {
    if (!Number.isInteger(found) || found < 0 || found > maxId)
      throw new InputError(
        `${where}: ${quoted(token)}: expected an id from 0 to ${maxId}, found ${described(found)}`,
      );
    ids.set(token, found);
  }
  return ids;
}

/** The merges as pairs, each of whose parts and product is a token. */
function mergesOf(merges: readonly unknown[], vocab: Map<string, number>, where: string): [string, string][] {
  return merges.map((merge, i) => {
    const parts = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((part) => typeof part === 'string'))
      throw new InputError(`${where}[${i}]: expected two tokens, found ${quoted(JSON.stringify(merge))}`);
    const [left, right] = parts as [string, string];
    for (const token of [left, right, left + right])
      if (!vocab.has(token))
        throw new InputError(`${where}[${i}]: ${quoted(token)} is not in the vocabulary`);
    return [left, right];
  });
}

/** The added tokens of tokenizer.json, then those that only the config names, as transformers adds them. */
function addedTokens(
  listed: readonly AddedToken[],
  config: Config,
  vocab: Map<string, number>,
  where: string,
): AddedToken[] {
  const tokens = new Map<string, AddedToken>();
  const add = (token: AddedToken) => {
    if (token.content !== '' && !tokens.has(token.content)) tokens.set(token.content, token);
  };
  for (const token of listed) {
    const known = vocab.get(token.content);
    if (known !== undefined && known !== token.id)
      throw new InputError(
        `${where}: added_tokens: ${quoted(token.content)}: expected id ${known} as in the vocabulary, found ${token.id}`,
      );
    add(token);
  }
  for (const [key, token] of Object.entries(config.added_tokens_decoder ?? {}))
    add({ ...token, id: vocab.get(token.content) ?? checked(id, Number(key), `${where}: config: ${key}`) });
  for (const content of Object.values(namesIn(config))) {
    const known = vocab.get(content);
    if (known !== undefined) add({ ...checked(addedToken, { id: known, content, special: true }, where) });
  }
  return [...tokens.values()];
}

/** Special tokens named in the config: `bos_token` -> `<s>`, ... */
function namesIn(config: Config): Record<string, string> {
  const names: Record<string, string> = {};
  for (const name of specialNames) {
    const token = config[name];
    const content = typeof token === 'string' ? token : token?.content;
    if (content !== undefined && content !== '') names[name] = content;
  }
  return names;
}

const template = z.object({
  single: z.array(z.looseObject({ SpecialToken: z.object({ id: z.string() }).optional() })),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(id) })),
});

function bosOf(config: Config, ids: ReadonlyMap<string, number>, where: string): number[] {
  const bos = namesIn(config).bos_token;
  const bosId = bos === undefined ? undefined : ids.get(bos);
  if (bosId === undefined) throw new InputError(`${where}: add_bos_token without a bos_token`);
  return [bosId];
}

/** Ids that the template of the post-processor puts before a plain text. */
function templatePrefix(processor: unknown, where: string): number[] {
  const { type, processors } = checked(
    z.looseObject({ type: z.string(), processors: z.array(z.unknown()).optional() }).nullish(),
    processor,
    where,
  ) ?? { type: 'none' };
  if (type === 'Sequence')
    return (processors ?? []).flatMap((inner, i) => templatePrefix(inner, `${where}[${i}]`));
  if (type !== 'TemplateProcessing') return [];
  const { single, special_tokens } = checked(template, processor, where);
  const end = single.findIndex((item) => item.SpecialToken === undefined);
  return single.slice(0, Math.max(end, 0)).flatMap(({ SpecialToken }) => {
    const name = SpecialToken!.id;
    const token = Object.hasOwn(special_tokens, name) ? special_tokens[name] : undefined;
    if (token === undefined) throw new InputError(`${where}: special_tokens: ${quoted(name)} is missing`);
    return token.ids;
  });
}

interface Libraries {
  readonly library: Library;
  /** for a text that goes on after another, where that differs */
  readonly continuing: Library | undefined;
  readonly encoding: Bounded;
  readonly decoding: Bounded;
}

function wrap(
  { library, continuing, encoding, decoding }: Libraries,
  ids: ReadonlyMap<string, number>,
  added: readonly AddedToken[],
  config: Config,
  prefixIds: number[],
): Tokenizer {
  const contents = new Map(added.map((token) => [token.id, token.content]));
  const specialIds = new Set(added.filter((token) => token.special).map((token) => token.id));
  const specialTokens = namesIn(config);
  const idOfSpecial = (name: string) => ids.get(specialTokens[name] ?? '');
  const byteLevel = decoding(byteLevelSpace, () => isByteLevel(library));
  let vocabSize = 0;
  for (const value of ids.values()) vocabSize = Math.max(vocabSize, value + 1);

  const idsBy = (from: Library, text: string): number[] =>
    encoding(text, () => from.encode(text, { add_special_tokens: false }).ids);
  const encode = (text: string) => idsBy(library, wellFormed(text));
  const encodeContinuation = (text: string): number[] => {
    if (continuing === undefined) return encode(text);
    const whole = wellFormed(text);
    // What follows an added token begins anew, as it does in a whole text.
    const found = added.map(({ content }) => whole.indexOf(content)).filter((at) => at >= 0);
    const head = Math.min(whole.length, ...found);
    return [
      ...(head === 0 ? [] : idsBy(continuing, whole.slice(0, head))),
      ...(head === whole.length ? [] : idsBy(library, whole.slice(head))),
    ];
  };
  const textBy = (tokens: readonly number[]) =>
    library.decode([...tokens], { clean_up_tokenization_spaces: false });
  const decode = (tokens: readonly number[]) =>
    tokens.length === 0 ? '' : decoding(tokens, () => textBy(tokens));
  return {
    vocabSize,
    specialIds,
    specialTokens,
    prefixIds,
    bosId: idOfSpecial('bos_token'),
    eosId: idOfSpecial('eos_token'),
    encode,
    encodeContinuation,
    decode: (tokens, { skipSpecialTokens = false } = {}) =>
      decode(
        tokens.filter(
          (token) =>
            library.id_to_token(token) !== undefined && !(skipSpecialTokens && specialIds.has(token)),
        ),
      ),
    tokenText(token) {
      const text = contents.get(token) ?? library.id_to_token(token);
      if (text === undefined) return `<id ${token}>`;
      if (contents.has(token)) return text;
      return byteLevel ? spelledText(text) : text.replaceAll('▁', ' ');
    },
    idOf: (token) => ids.get(token),
  };
}

const byteLevelSpace = 'Ġ';

/** Whether tokens spell their bytes with GPT-2's alphabet. */
function isByteLevel(library: Library): boolean {
  return library.decoder?.decode([byteLevelSpace]) === ' ';
}

/** `text` with U+FFFD in place of lone surrogates, which have no UTF-8. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}
