/**
 * How each value of GGUF's `tokenizer.ggml.pre` splits text into words before byte-pair encoding: the
 * expressions that the models' own tokenizer.json name. Source: llm_tokenizer_bpe in llama.cpp's
 * llama-vocab.cpp (which names and groups them), gguf_tokenizer_mapping.py in transformers. Knows no
 * vocabulary.
 */
import { gpt2Split } from './tokenizerDialect.ts';

export interface GgufPreTokenizer {
  /** Oniguruma expressions, applied one after another; each keeps its matches and what lies between them. */
  readonly splits: readonly string[];
  /** A word that is a token as a whole is never built from merges. Default false. */
  readonly ignoreMerges?: boolean;
  /** Whether bos comes first where `add_bos_token` does not say. Default false. */
  readonly addBos?: boolean;
  /**
   * Unicode normalisation that comes before; GGUF does not record it, the family's tokenizer.json does.
   * Default none.
   */
  readonly normalizer?: 'NFC';
}

const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const lineEnds = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const word = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
const symbols = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`;
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const digit = String.raw`\p{N}`;
const threeDigits = String.raw`\p{N}{1,3}`;

/** The split of cl100k and its heirs, which differ in how many digits make a word. */
const cl100k = (digits: string) => `${contraction}|${word}|${digits}|${symbols}|${lineEnds}`;

/** A word of capitals before small letters, as in o200k; `suffix` is what may follow it. */
const cased = (suffix: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${suffix}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${suffix}`;
const slashSymbols = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`;

const byDigit: GgufPreTokenizer = { splits: [digit, gpt2Split] };
const gpt2: GgufPreTokenizer = { splits: [gpt2Split] };
const neox: GgufPreTokenizer = { splits: [gpt2Split], normalizer: 'NFC' };
const llama3: GgufPreTokenizer = { splits: [cl100k(threeDigits)], ignoreMerges: true, addBos: true };
const dbrx: GgufPreTokenizer = { splits: [cl100k(threeDigits)] };
const singleDigits: GgufPreTokenizer = { splits: [cl100k(digit)] };
const qwen2: GgufPreTokenizer = { splits: [cl100k(digit)], normalizer: 'NFC' };
const o200k: GgufPreTokenizer = {
  splits: [`${cased(`${contraction}?`)}|${threeDigits}|${slashSymbols}|${lineEnds}`],
};
const deepseek3: GgufPreTokenizer = {
  splits: [
    threeDigits,
    '[一-龥぀-ゟ゠-ヿ]+',
    String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_\x60{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|${lineEnds}`,
  ],
};
const bailing: GgufPreTokenizer = {
  splits: [String.raw`'(?i:[sdmt]|ll|ve|re)|${word}|${digit}|${symbols}|\s*[\r\n]|\s+(?!\S)|\s+`],
};

/** By the value of `tokenizer.ggml.pre`. */
export const ggufPreTokenizers: Readonly<Record<string, GgufPreTokenizer>> = {
  smollm: byDigit,
  starcoder: byDigit,
  refact: byDigit,
  'command-r': byDigit,
  codeshell: byDigit,
  exaone: byDigit,
  'minerva-7b': byDigit,
  'gpt-2': gpt2,
  'phi-2': gpt2,
  jais: gpt2,
  exaone4: gpt2,
  gigachat: gpt2,
  mellum: gpt2,
  'a.x-4.0': gpt2,
  trillion: gpt2,
  'granite-docling': gpt2,
  mpt: neox,
  olmo: neox,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  falcon3: llama3,
  'falcon-h1': llama3,
  pixtral: llama3,
  'midm-2.0': llama3,
  lfm2: llama3,
  dbrx,
  'smaug-bpe': dbrx,
  glm4: dbrx,
  'chatglm-bpe': dbrx,
  qwen2,
  'deepseek-r1-qwen': qwen2,
  megrez: qwen2,
  qwen35: {
    splits: [
      String.raw`${contraction}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|${digit}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${lineEnds}`,
    ],
    normalizer: 'NFC',
  },
  stablelm2: singleDigits,
  hunyuan: singleDigits,
  'solar-open': singleDigits,
  'grok-2': singleDigits,
  tekken: {
    splits: [`${cased('')}|${digit}|${slashSymbols}|${lineEnds}`],
    ignoreMerges: true,
    addBos: true,
  },
  'gpt-4o': o200k,
  llama4: o200k,
  kanana2: o200k,
  'minimax-m2': o200k,
  'deepseek-v3': deepseek3,
  'hunyuan-dense': deepseek3,
  'deepseek-coder': {
    splits: [String.raw`[\r\n]`, String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, '[一-龥ࠀ-一가-퟿]+', digit],
  },
  falcon: { splits: [String.raw`[\p{P}\$\+<=>\^~\|\x60]+`, gpt2Split, '[0-9][0-9][0-9]'] },
  bailingmoe: bailing,
  bailingmoe2: bailing,
  'seed-coder': {
    splits: [String.raw`${contraction}|${word}|${digit}| ?[^\s\p{L}\p{N}\r\n]+|${lineEnds}`],
  },
  bloom: { splits: [String.raw` ?[^(\s|.,!?…。，、।۔،)]+`] },
  'poro-chat': { splits: [String.raw` ?[^(\s|.,!?…。，、।۔،)]+`] },
  'gpt3-finnish': { splits: [String.raw` ?[^(\s|.,!?…。，、।۔،)]+`] },
  viking: { splits: [String.raw` ?[^(\s|.,!?…。，、।۔،)]+`, digit] },
  default: {
    splits: [String.raw`[\p{P}\$\+<=>\^~\|]+`, gpt2Split, String.raw`\p{N}+`, '[0-9][0-9][0-9]'],
  },
};
