/**
 * A model's text side: its tokenizer, its chat template, and which tokens end a turn; from a folder as
 * transformers saves one, or from a GGUF's metadata alone. Knows no weights.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { ChatMessage } from '../results.ts';
import { quoted } from './bytes.ts';
import { type ChatTemplate, chatTemplate } from './chat.ts';
import type { GgufMetadata } from './ggufFields.ts';
import { endIdsOfGguf, tokenizerFromGguf } from './ggufTokenizer.ts';
import { readJsonIfThere, readTextIfThere } from './ifThere.ts';
import { readJson } from './jsonFile.ts';
import { checked } from './schema.ts';
import { type Tokenizer, tokenizerFromJson } from './tokenizer.ts';

export interface TextCodec {
  readonly tokenizer: Tokenizer;
  /** Undefined where the model has none; text prompts work without. */
  readonly template: ChatTemplate | undefined;
  /**
   * Ids that end a completion: the tokenizer's eos first, then those that the template and the
   * configuration name.
   */
  readonly endOfTurnIds: readonly number[];
  /** Id that ends a plain text, if there is one. */
  readonly eosId: number | undefined;
  /** Id that the chat template puts after an assistant's message; `eosId` where it puts none. */
  readonly endOfTurnId: number | undefined;
  /**
   * The text of a chat as the model sees it. Throws InputError without a template, or where it refuses the
   * messages.
   */
  chatText(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string;
  /**
   * Ids of a prompt. Messages: rendered with the generation prompt and encoded as they are, since a
   * template writes bos itself. A text: encoded as it is, after bos where the tokenizer puts one before a
   * text.
   */
  encodePrompt(prompt: string | readonly ChatMessage[]): number[];
  /**
   * Ids of `text` as the model itself would write it after `prompt`. Prompt and text are encoded as one; what
   * follows the prompt's own ids is the completion. Where the two would share a token, the text is encoded as
   * a continuation. A space that the chat template puts before an assistant's words, and that decoding takes
   * away, is part of the first word.
   */
  encodeCompletion(prompt: string | readonly ChatMessage[], text: string): number[];
  /** The date that the chat template prints; undefined where it prints none. */
  readonly date: Date | undefined;
  /** What a person should know of how the files were taken. */
  readonly notes: readonly string[];
}

export interface CodecOptions {
  /** The date for templates that print it; one that does fails without. */
  readonly now?: Date;
}

/**
 * The codec of a folder: tokenizer.json, and where they exist tokenizer_config.json, generation_config.json,
 * chat_template.jinja and chat_template.json. Throws InputError with the file that is wrong.
 */
export async function readTokenizerFolder(folder: string, options: CodecOptions = {}): Promise<TextCodec> {
  const path = (name: string) => join(folder, name);
  const json = await readJson(path('tokenizer.json'));
  const config = await readJsonIfThere(path('tokenizer_config.json'));
  const generation = await readJsonIfThere(path('generation_config.json'));
  const ends = checked(generationConfig, generation ?? {}, path('generation_config.json')).eos_token_id ?? [];
  const tokenizer = tokenizerFromJson(json, config, path('tokenizer.json'));
  const template = await templateIn(folder, config);
  const found = codec(tokenizer, template, Array.isArray(ends) ? ends : [ends], folder, options);
  return { ...found, notes: bosNotes(tokenizer, config, folder) };
}

/** The codec of a GGUF, from its metadata alone. Errors begin with `where`. */
export function tokenizerOfGguf(
  metadata: GgufMetadata,
  where: string,
  options: CodecOptions = {},
): TextCodec {
  const key = 'tokenizer.chat_template';
  const text = checked(z.string().optional(), metadata.get(key), `${where}: ${key}`);
  const template = text === undefined ? undefined : chatTemplate(text, where);
  return codec(tokenizerFromGguf(metadata, where), template, endIdsOfGguf(metadata, where), where, options);
}

const bosField = z.object({ add_bos_token: z.boolean().nullish() });

/** Where tokenizer_config.json says otherwise than tokenizer.json, which decides as in transformers. */
function bosNotes({ prefixIds, bosId }: Tokenizer, config: unknown, folder: string): string[] {
  const path = join(folder, 'tokenizer_config.json');
  const { add_bos_token: says } = checked(bosField, config ?? {}, path);
  const does = bosId !== undefined && prefixIds.includes(bosId);
  if (says === undefined || says === null || says === does) return [];
  return [
    `${path}: add_bos_token is ${says}, but the post_processor of tokenizer.json puts ${does ? 'bos' : 'no bos'} before a text: that decides, as in transformers`,
  ];
}

const tokenId = z.int().min(0);
const generationConfig = z.object({ eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish() });

function codec(
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
  configured: readonly number[],
  where: string,
  { now }: CodecOptions,
): TextCodec {
  const strange = configured.find((id) => id < 0 || id >= tokenizer.vocabSize);
  if (strange !== undefined)
    throw new InputError(
      `${where}: end of turn: expected an id below ${tokenizer.vocabSize}, found ${strange}`,
    );
  const eosId = tokenizer.eosId ?? configured[0];
  const turnEnd = template === undefined ? undefined : turnEndOf(template, tokenizer);
  const endOfTurnId = turnEnd ?? eosId;
  const chatText: TextCodec['chatText'] = (messages, { addGenerationPrompt }) => {
    if (template === undefined)
      throw new InputError(`${where}: the model has no chat template: give prompts as text, not as messages`);
    return template.render(messages, {
      addGenerationPrompt,
      specialTokens: tokenizer.specialTokens,
      ...(now === undefined ? {} : { now }),
    });
  };
  const promptText = (prompt: string | readonly ChatMessage[]) =>
    typeof prompt === 'string' ? prompt : chatText(prompt, { addGenerationPrompt: true });
  const before = (prompt: string | readonly ChatMessage[]) =>
    typeof prompt === 'string' ? tokenizer.prefixIds : [];
  /** The space before an assistant's words, where decoding takes it away. */
  const lead = (prompt: readonly ChatMessage[], opened: string, text: string): string => {
    if (template === undefined || !decodesBare(tokenizer)) return '';
    const chat = [...prompt, { role: 'assistant', content: text }];
    const whole = renderedIf(() => chatText(chat, { addGenerationPrompt: false }));
    return whole?.startsWith(`${opened} ${text}`) ? ' ' : '';
  };
  return {
    tokenizer,
    template,
    notes: [],
    date: template?.readsDate ? now : undefined,
    encodeCompletion(prompt, text) {
      const opened = promptText(prompt);
      const said = (typeof prompt === 'string' ? '' : lead(prompt, opened, text)) + text;
      const ids = tokenizer.encode(opened);
      const whole = tokenizer.encode(opened + said);
      const shared = ids.length > 0 && ids.every((id, i) => whole[i] === id);
      if (shared) return whole.slice(ids.length);
      return opened === '' ? tokenizer.encode(said) : tokenizer.encodeContinuation(said);
    },
    eosId,
    endOfTurnId,
    endOfTurnIds: [...new Set([eosId, endOfTurnId, ...configured].filter((id) => id !== undefined))],
    chatText,
    encodePrompt: (prompt) => [...before(prompt), ...tokenizer.encode(promptText(prompt))],
  };
}

/**
 * What `render` gives; undefined where the template refuses the chat, as it may refuse one that is made for
 * a question and take the user's own.
 */
function renderedIf(render: () => string): string | undefined {
  try {
    return render();
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Whether a first word with a space before it and one without are one text when decoded alone. */
function decodesBare(tokenizer: Tokenizer): boolean {
  return tokenizer.decode(tokenizer.encodeContinuation(' a')) === 'a';
}

/** The first special token that the template puts after an assistant's message, if it takes such a chat. */
function turnEndOf(template: ChatTemplate, tokenizer: Tokenizer): number | undefined {
  const answer = 'Fine.';
  const chat = [
    { role: 'user', content: 'How are you?' },
    { role: 'assistant', content: answer },
  ];
  const text = renderedIf(() =>
    template.render(chat, {
      addGenerationPrompt: false,
      specialTokens: tokenizer.specialTokens,
      now: new Date(0),
    }),
  );
  if (text === undefined) return undefined;
  const end = text.lastIndexOf(answer);
  if (end < 0) return undefined;
  return tokenizer.encode(text.slice(end + answer.length)).find((id) => tokenizer.specialIds.has(id));
}

const namedTemplates = z.array(z.object({ name: z.string(), template: z.string() }));
const templateField = z.object({ chat_template: z.union([z.string(), namedTemplates]).nullish() });

/** The folder's template, from the first of the places where transformers looks. */
async function templateIn(folder: string, config: unknown): Promise<ChatTemplate | undefined> {
  const jinja = join(folder, 'chat_template.jinja');
  const inFile = await readTextIfThere(jinja);
  if (inFile !== undefined) return chatTemplate(inFile, jinja);
  const configPath = join(folder, 'tokenizer_config.json');
  const inConfig = templateOf(config, configPath);
  if (inConfig !== undefined) return chatTemplate(inConfig, configPath);
  const jsonPath = join(folder, 'chat_template.json');
  const inJson = templateOf(await readJsonIfThere(jsonPath), jsonPath);
  return inJson === undefined ? undefined : chatTemplate(inJson, jsonPath);
}

function templateOf(json: unknown, where: string): string | undefined {
  const { chat_template: found } = checked(templateField, json ?? {}, where);
  if (typeof found === 'string' || found === undefined || found === null) return found ?? undefined;
  const chosen = found.find(({ name }) => name === 'default');
  if (chosen === undefined)
    throw new InputError(
      `${where}: chat_template: expected one named default, found ${found.map(({ name }) => quoted(name)).join(', ')}`,
    );
  return chosen.template;
}
