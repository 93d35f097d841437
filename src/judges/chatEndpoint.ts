/**
 * One request to an OpenAI-compatible `/chat/completions`, and what came of it. Learns what the server
 * takes: replies held to a schema or not, and under which name the limit of the reply. Knows nothing of
 * grades or budgets, and does not repeat a request.
 */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { retryAfterSeconds } from './chatWait.ts';

export interface EndpointOptions {
  /** up to `/chat/completions`, e.g. `https://host/v1` */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  readonly temperature: number;
  /** greatest number of tokens of a reply, reasoning included */
  readonly replyTokens: number;
  readonly timeoutS: number;
  /** the fields of study.yaml that name the endpoint, for errors: `judge` */
  readonly field: string;
}

/** What is asked, and the JSON schema that the reply is to be held to. */
export interface Request {
  readonly content: string;
  readonly schema: object;
  /** what a reply is, as servers take names: `grade` */
  readonly schemaName: string;
}

export interface ChatTokens {
  readonly input: number;
  readonly output: number;
}

export type ChatOutcome =
  /** the model spoke */
  | { readonly kind: 'reply'; readonly text: string; readonly tokens: ChatTokens | undefined }
  /** the model was asked and gave no answer, except for `text`; it may the next time */
  | {
      readonly kind: 'empty';
      readonly why: string;
      readonly text: string;
      readonly tokens: ChatTokens | undefined;
    }
  /** nothing came from the model; it may the next time, not before `waitS` where the server said so */
  | { readonly kind: 'again'; readonly why: string; readonly waitS?: number | undefined }
  /** the server does not take a parameter; the next request goes without */
  | { readonly kind: 'adapted' }
  /** the server does not take this request, whenever it comes */
  | { readonly kind: 'refused'; readonly why: string }
  /** the server takes none of ours */
  | { readonly kind: 'shut'; readonly why: string };

export interface Endpoint {
  /** up to `/chat/completions`, without query */
  readonly baseUrl: string;
  /** what is called, without query */
  readonly where: string;
  /** Rejects only where `signal` aborts. */
  send(request: Request, signal: AbortSignal | undefined): Promise<ChatOutcome>;
}

/** What a server takes, as far as is known. */
interface Dialect {
  readonly structured: boolean;
  readonly limit: 'max_tokens' | 'max_completion_tokens';
}

const counted = z.number().int().nonnegative();
const answerSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
});
const usageSchema = z.object({ usage: z.object({ prompt_tokens: counted, completion_tokens: counted }) });
const errorSchema = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/**
 * Statuses after which the same request may pass: time-outs, conflicts, too many requests. And all from 500
 * on.
 */
const passing = [408, 409, 425, 429];
/** Statuses that say that this request is wrong, rather than the address or the key. */
const requestsOwn = [400, 413, 422];

/** Throws InputError for an address that is none, or a key that no header can carry. */
export function endpoint(options: EndpointOptions): Endpoint {
  const url = completionsUrl(options);
  const where = `${url.origin}${url.pathname}`;
  const key = checkedKey(options);
  const shown = (body: string) => (key ? body.replaceAll(key, '***') : body);
  const headers = { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) };
  let dialect: Dialect = { structured: true, limit: 'max_tokens' };

  async function send(request: Request, signal: AbortSignal | undefined): Promise<ChatOutcome> {
    const spoken = dialect;
    const timeout = AbortSignal.timeout(options.timeoutS * 1000);
    let response: Response;
    let body: string;
    try {
      response = await fetch(url, {
        method: 'POST',
        headers,
        redirect: 'manual',
        body: JSON.stringify(bodyOf(options, spoken, request)),
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      });
      body = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      return { kind: 'again', why: timeout.aborted ? `no reply within ${options.timeoutS} s` : lost(error) };
    }
    if (response.status === 200) return reply(body, shown(body));
    const next = adapted(spoken, response.status, body);
    if (next === undefined) return failed(response, shown(body));
    dialect = next;
    return { kind: 'adapted' };
  }
  return { baseUrl: where.replace(/\/chat\/completions$/, ''), where, send };
}

function completionsUrl({ baseUrl, field }: EndpointOptions): URL {
  const expected = `${field}.base_url: expected an address like https://host/v1`;
  if (!URL.canParse(baseUrl)) throw new InputError(`${expected}, found ${JSON.stringify(baseUrl)}`);
  const url = new URL(baseUrl);
  if (!/^https?:$/.test(url.protocol)) throw new InputError(`${expected}, found one of ${url.protocol}`);
  if (url.username || url.password)
    throw new InputError(`${expected}, found one with a user or a password in it`);
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '')}/chat/completions`;
  url.hash = '';
  return url;
}

function checkedKey({ apiKey, field }: EndpointOptions): string | undefined {
  const key = apiKey?.trim();
  if (key !== undefined && !/^[\x21-\x7e]*$/.test(key))
    throw new InputError(
      `${field} key: expected printable ASCII without spaces, found other characters (not shown)`,
    );
  return key || undefined;
}

function bodyOf(options: EndpointOptions, { structured, limit }: Dialect, request: Request): object {
  const { model, temperature, replyTokens } = options;
  const { content, schema, schemaName } = request;
  const format = { type: 'json_schema', json_schema: { name: schemaName, strict: true, schema } };
  return {
    model,
    messages: [{ role: 'user', content }],
    temperature,
    [limit]: replyTokens,
    ...(structured ? { response_format: format } : {}),
  };
}

/** The next dialect to try where the server said that a request is wrong; undefined where none is left. */
function adapted(spoken: Dialect, status: number, body: string): Dialect | undefined {
  if (!requestsOwn.includes(status) && status < 500) return undefined;
  if (spoken.limit === 'max_tokens' && /max_completion_tokens/.test(body))
    return { ...spoken, limit: 'max_completion_tokens' };
  if (spoken.structured && /response_format|schema|structured|grammar|json.mode/i.test(body))
    return { ...spoken, structured: false };
  return undefined;
}

/** What a body with status 200 holds; `shown` is the same text for messages. */
function reply(body: string, shown: string): ChatOutcome {
  const json = parsed(body);
  if (json === undefined) return { kind: 'again', why: `a reply that is no JSON: ${excerpt(shown)}` };
  const usage = usageSchema.safeParse(json).data?.usage;
  const tokens = usage && { input: usage.prompt_tokens, output: usage.completion_tokens };
  const empty = (why: string, text = ''): ChatOutcome => ({ kind: 'empty', why, text, tokens });
  const choice = answerSchema.safeParse(json).data?.choices[0];
  if (choice === undefined) return empty(`a reply without choices[0].message: ${excerpt(shown)}`);
  const { message, finish_reason } = choice;
  if (message.refusal) return empty(`the model declined: ${excerpt(message.refusal)}`, message.refusal);
  if (!message.content) return empty(`an empty reply (finish_reason ${finish_reason ?? 'not given'})`);
  return { kind: 'reply', text: message.content, tokens };
}

function failed(response: Response, body: string): ChatOutcome {
  const { status, headers } = response;
  const said = errorSchema.safeParse(parsed(body)).data?.error;
  const text = excerpt(typeof said === 'string' ? said : (said?.message ?? body));
  const why = `status ${status}${text ? `: ${text}` : ''}`;
  if (passing.includes(status) || status >= 500)
    return { kind: 'again', why, waitS: retryAfterSeconds(headers.get('retry-after'), headers.get('date')) };
  return { kind: requestsOwn.includes(status) ? 'refused' : 'shut', why };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The reason that a request had no answer: undici puts it into the error's cause. */
function lost(error: unknown): string {
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  return `no connection: ${excerpt(cause?.message || cause?.code || message)}`;
}

/** The beginning of a text as one line. */
export function excerpt(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
