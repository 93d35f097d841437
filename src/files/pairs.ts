/**
 * Pairs (a prompt, a completion that shows the behaviour, one that does not) and corpora (passages of text
 * or chats), as lines of files; and the token ids of a pair. Knows no model beyond its text codec.
 */
import { z } from 'zod';
import { InputError, NothingToWorkOn } from '../errors.ts';
import { type ChatMessage, messageSchema, messageText } from '../results.ts';
import { quoted } from './bytes.ts';
import { type Line, maxLineBytes, readJsonl, readLines } from './jsonl.ts';
import type { TextCodec } from './textCodec.ts';

export interface Pair {
  readonly id: string;
  readonly prompt: string | readonly ChatMessage[];
  readonly positive: string;
  readonly negative: string;
  /** Whether the completion ended by itself: the end-of-turn token is then part of its loss. Default true. */
  readonly positiveEnded: boolean;
  readonly negativeEnded: boolean;
  /** of its prompt: pairs of one prompt are not independent */
  readonly promptId?: string | undefined;
  /** the contrast that it is part of: one unit of all pairs of that name; by default itself alone */
  readonly contrast?: string | undefined;
  /** of its completions */
  readonly positiveId?: string | undefined;
  readonly negativeId?: string | undefined;
  /** token ids as they were sampled */
  readonly positiveTokens?: readonly number[] | undefined;
  readonly negativeTokens?: readonly number[] | undefined;
}

const blank = (text: string) => text.trim() === '';

const prompt = z
  .union([z.string(), z.array(messageSchema)])
  .refine(
    (found) => !(typeof found === 'string' ? blank(found) : found.every((m) => blank(messageText(m)))),
    {
      error: 'expected a prompt, found none but white space',
    },
  );

const completion = z.string().refine((text) => !blank(text), {
  error: 'expected a completion, found none but white space',
});

/** One line of a pairs file; other fields are allowed and left out. */
const pairLine = z
  .object({
    id: z.string().min(1).optional(),
    prompt,
    positive: completion,
    negative: completion,
    positive_ended: z.boolean().default(true),
    negative_ended: z.boolean().default(true),
    prompt_id: z.string().min(1).nullish(),
    contrast: z.string().min(1).nullish(),
    positive_id: z.string().min(1).nullish(),
    negative_id: z.string().min(1).nullish(),
    positive_tokens: z.array(z.int().min(0)).nullish(),
    negative_tokens: z.array(z.int().min(0)).nullish(),
  })
  .refine((line) => line.positive !== line.negative, {
    error: 'expected two different completions, found positive equal to negative',
  });

/**
 * The pairs of a JSON Lines file; `id` defaults to the line's number. Throws InputError with file and line.
 */
export async function readPairs(path: string): Promise<Pair[]> {
  const pairs: Pair[] = [];
  const lineOf = new Map<string, number>();
  for await (const { line, value } of readJsonl(path, pairLine)) {
    const id = value.id ?? String(line);
    const before = lineOf.get(id);
    if (before !== undefined)
      throw new InputError(`${path}:${line}: id: ${quoted(id)} is already the id of line ${before}`);
    lineOf.set(id, line);
    pairs.push({
      id,
      prompt: value.prompt,
      positive: value.positive,
      negative: value.negative,
      positiveEnded: value.positive_ended,
      negativeEnded: value.negative_ended,
      promptId: value.prompt_id ?? undefined,
      contrast: value.contrast ?? undefined,
      positiveId: value.positive_id ?? undefined,
      negativeId: value.negative_id ?? undefined,
      positiveTokens: value.positive_tokens ?? undefined,
      negativeTokens: value.negative_tokens ?? undefined,
    });
  }
  if (pairs.length === 0) throw new NothingToWorkOn(`${path}: expected pairs, found none`);
  return pairs;
}

export interface EncodedPair {
  readonly promptIds: number[];
  readonly positiveIds: number[];
  readonly negativeIds: number[];
}

/**
 * Token ids of a pair. The prompt: see TextCodec.encodePrompt. Each completion as the model would write it
 * there (TextCodec.encodeCompletion), then the token that ends it: after a chat prompt the template's end of
 * turn, after a text eos. Throws InputError where a part has no token, or a completion ended and the model has no
 * such token.
 */
export function encodePair(codec: TextCodec, pair: Pair): EncodedPair {
  const end = typeof pair.prompt === 'string' ? codec.eosId : codec.endOfTurnId;
  const completionIds = (text: string, ended: boolean): number[] => {
    const ids = codec.encodeCompletion(pair.prompt, text);
    if (!ended) return ids;
    if (end === undefined)
      throw new InputError(`pair ${quoted(pair.id)}: the completion ended, but the model has no end token`);
    return [...ids, end];
  };
  const encoded = {
    promptIds: codec.encodePrompt(pair.prompt),
    positiveIds: completionIds(pair.positive, pair.positiveEnded),
    negativeIds: completionIds(pair.negative, pair.negativeEnded),
  };
  for (const [part, ids] of Object.entries(encoded))
    if (ids.length === 0)
      throw new InputError(`pair ${quoted(pair.id)}: ${part}: the vocabulary has no token of it`);
  return encoded;
}

/** A passage of a corpus: a text or a chat. */
export type Passage = { readonly text: string } | { readonly messages: readonly ChatMessage[] };

const passage = z
  .object({ text: z.string().optional(), messages: z.array(messageSchema).min(1).optional() })
  .refine((line) => (line.text === undefined) !== (line.messages === undefined), {
    error: 'expected text or messages, one of the two',
  })
  .transform(({ text, messages }): Passage => (messages === undefined ? { text: text ?? '' } : { messages }));

/**
 * The passages of a corpus, each with its (first) line: a JSON Lines file of `text` or `messages`, or a
 * file *.txt, whose blank lines separate passages. Texts without anything but white space are left out.
 * Throws InputError with file and line.
 */
export async function* readCorpus(path: string): AsyncGenerator<Line<Passage>> {
  const passages = path.endsWith('.txt') ? readParagraphs(path) : readJsonl(path, passage);
  for await (const found of passages) if (!('text' in found.value && blank(found.value.text))) yield found;
}

async function* readParagraphs(path: string): AsyncGenerator<Line<Passage>> {
  let lines: string[] = [];
  let length = 0;
  let first = 1;
  const paragraph = (): Line<Passage> => ({ line: first, value: { text: lines.join('\n') } });
  for await (const { line, value } of readLines(path)) {
    if (!blank(value)) {
      if (lines.length === 0) first = line;
      lines.push(value);
      length += value.length;
      if (length > maxLineBytes)
        throw new InputError(`${path}:${first}: expected a paragraph of at most ${maxLineBytes} characters`);
    } else if (lines.length > 0) {
      yield paragraph();
      lines = [];
      length = 0;
    }
  }
  if (lines.length > 0) yield paragraph();
}
