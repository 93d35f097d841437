/** What a vLLM server says of itself: its version, its models, what it makes of a text. */
import { z } from 'zod';
import { InputError } from '../../../errors.ts';
import type { Prompt } from '../../../results.ts';
import type { OpenModel } from '../../open/openModel.ts';
import { testQuestions } from '../fingerprint.ts';
import { HalfReply, type Server } from './server.ts';

const listBytes = 4 * 2 ** 20;

const modelList = z.object({
  data: z.array(
    z.object({ id: z.string(), root: z.string().nullish(), max_model_len: z.int().min(1).nullish() }),
  ),
});

export interface ListedModel {
  /** what the server was told to load, as it says it */
  readonly root: string | undefined;
  /** tokens of a prompt with its completion */
  readonly context: number | undefined;
}

function parsed<S extends z.ZodType>(schema: S, json: unknown): z.output<S> {
  const found = schema.safeParse(json);
  if (!found.success) throw new HalfReply('a reply of another form');
  return found.data;
}

/** Throws InputError where the server does not have the model; `field` is where study.yaml names it. */
export async function listedModel(server: Server, field: string, model: string): Promise<ListedModel> {
  const { data } = await server.ask({
    path: 'models',
    mostBytes: listBytes,
    read: (json) => parsed(modelList, json),
  });
  const found = data.find(({ id }) => id === model);
  if (found === undefined)
    throw new InputError(
      `${field}: expected a model that ${server.where} serves (${data.map(({ id }) => id).join(', ') || 'none'}), found ${JSON.stringify(model)}`,
    );
  return { root: found.root ?? undefined, context: found.max_model_len ?? undefined };
}

/** Undefined where it does not say. */
export const versionOf = (server: Server): Promise<string | undefined> =>
  server.ask<string | undefined>({
    path: '/version',
    mostBytes: listBytes,
    read: (json) => parsed(z.object({ version: z.string() }), json).version,
    absent: undefined,
  });

const tokenized = z.object({ tokens: z.array(z.int()) });

/** Ids that the server makes of a prompt by itself; undefined where it does not say. */
function tokensOf(server: Server, model: string, prompt: Prompt): Promise<number[] | undefined> {
  const asked = typeof prompt === 'string' ? { prompt } : { messages: prompt, add_generation_prompt: true };
  return server.ask<number[] | undefined>({
    path: '/tokenize',
    body: { model, ...asked },
    mostBytes: listBytes,
    read: (json) => parsed(tokenized, json).tokens,
    absent: undefined,
  });
}

/**
 * What of the server's tokenizer and template is not as in the local files, in a sentence; undefined where nothing
 * is, or it does not say. Ids are sent all the same, so that neither has a part in a completion.
 */
export async function textDifference(
  server: Server,
  model: string,
  { codec }: OpenModel,
): Promise<string | undefined> {
  const differs = async (prompt: Prompt) => {
    const found = await tokensOf(server, model, prompt);
    return found !== undefined && found.join() !== codec.encodePrompt(prompt).join();
  };
  for (const text of testQuestions)
    if (await differs(text)) return 'its tokenizer makes other tokens of a text';
  if (codec.template === undefined) return undefined;
  for (const content of testQuestions)
    if (await differs([{ role: 'user', content }]))
      return 'its chat template makes another prompt of a message';
  return undefined;
}
