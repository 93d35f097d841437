/**
 * One request to an OpenAI-compatible `/chat/completions`, and what came of it. Knows nothing of grades or
 * budgets, and does not repeat a request.
 */
import { InputError } from '../errors.ts';
import { retryAfterSeconds } from '../waiting.ts';
import {
  bodyText,
  type ChatTokens,
  errorIn,
  jsonIn,
  saidIn,
  type ToldError,
  tokensIn,
  tooLarge,
} from './chatBody.ts';
import { bodyOf, learntDialect, type OptionalField } from './chatDialect.ts';
import { shownAddress, withoutKey } from './secrets.ts';

export interface EndpointOptions {
  /** up to `/chat/completions`, e.g. `https://host/v1` */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  readonly temperature: number;
  readonly timeoutS: number;
  /** fields that are never sent; default none */
  readonly leaveOut?: readonly OptionalField[] | undefined;
  /** the fields of study.yaml that name the endpoint, for errors: `judge` */
  readonly field: string;
  /** told in a line what the server does not take; default nobody */
  readonly note?: ((line: string) => void) | undefined;
}

/** What is asked, and the JSON schema that the reply is to be held to. */
export interface Request {
  readonly content: string;
  readonly schema: object;
  /** what a reply is, as servers take names: `grade` */
  readonly schemaName: string;
}

export type ChatOutcome =
  /** the model spoke; `cut` where the reply ended at its limit */
  | {
      readonly kind: 'reply';
      readonly text: string;
      readonly cut: boolean;
      readonly tokens: ChatTokens | undefined;
    }
  /** the model was asked and gave no answer, except for `text`; it may the next time */
  | {
      readonly kind: 'empty';
      readonly why: string;
      readonly text: string;
      readonly tokens: ChatTokens | undefined;
    }
  /** nothing came from the model; it may the next time, not before `waitS` where the server said so */
  | {
      readonly kind: 'again';
      readonly why: string;
      readonly waitS?: number | undefined;
      readonly tokens?: ChatTokens | undefined;
    }
  /** the server does not take a field; the next request goes without */
  | { readonly kind: 'adapted' }
  /** the server does not take so high a limit of the reply */
  | { readonly kind: 'lower'; readonly why: string }
  /** the server does not take this request, whenever it comes */
  | { readonly kind: 'refused'; readonly why: string }
  /** the server takes none of ours */
  | { readonly kind: 'shut'; readonly why: string };

export interface Endpoint {
  /** up to `/chat/completions`, without query */
  readonly baseUrl: string;
  /** what is called, without query and keys */
  readonly where: string;
  /**
   * `replyTokens`: greatest number of tokens of the reply, reasoning included. The key is in no text of the
   * outcome. Rejects only where `signal` aborts.
   */
  send(request: Request, replyTokens: number, signal: AbortSignal | undefined): Promise<ChatOutcome>;
}

/**
 * Statuses after which the same request may pass: time-outs, conflicts, too many requests. And all from 500
 * on.
 */
const passing = [408, 409, 425, 429];
/** Statuses that say that this request is wrong, rather than the address or the key. */
const requestsOwn = [400, 413, 422];

/** Throws InputError for an address that is none, or a key that no header can carry. */
export function endpoint(options: EndpointOptions): Endpoint {
  const { model, temperature, timeoutS, field, note } = options;
  const url = completionsUrl(options);
  const key = checkedKey(options);
  const hide = withoutKey(key);
  const where = hide(shownAddress(`${url.origin}${url.pathname}`));
  const headers = { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) };
  const dialect = learntDialect(options.leaveOut ?? [], (what) => note?.(`${field}: ${where} ${what}`));

  async function send(
    request: Request,
    replyTokens: number,
    signal: AbortSignal | undefined,
  ): Promise<ChatOutcome> {
    const spoken = dialect.now();
    const timeout = AbortSignal.timeout(timeoutS * 1000);
    let response: Response;
    let body: string | undefined;
    try {
      response = await fetch(url, {
        method: 'POST',
        headers,
        redirect: 'manual',
        body: JSON.stringify(bodyOf(spoken, { model, temperature, replyTokens, ...request })),
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      });
      body = await bodyText(response);
    } catch (error) {
      signal?.throwIfAborted();
      return { kind: 'again', why: timeout.aborted ? `no reply within ${timeoutS} s` : hide(lost(error)) };
    }
    if (body === undefined) return { kind: 'again', why: tooLarge };
    const json = jsonIn(body);
    const error = errorIn(json);
    if (response.ok && error === undefined) {
      dialect.taken(spoken);
      return hidden(reply(json, body, replyTokens), hide);
    }
    const status = response.ok ? statusOf(error!) : response.status;
    const said = beginning(error?.message ?? body);
    const change = dialect.refused(spoken, status, json === undefined ? said : `${said} ${beginning(body)}`);
    if (change === 'again') return { kind: 'adapted' };
    const why = `status ${response.status}${said.trim() === '' ? '' : `: ${excerpt(hide(said))}`}`;
    return change === 'lower' ? { kind: 'lower', why } : failed(response, status, error?.code, why);
  }
  return { baseUrl: where.replace(/\/chat\/completions$/, ''), where, send };
}

const beginning = (text: string) => text.slice(0, 4000);

/**
 * The status that says what an error with status 200 says: the server's own where it speaks of the address,
 * the key or the request; else it comes from another behind it.
 */
function statusOf({ code }: ToldError): number {
  const named: Readonly<Record<string, number>> = { invalid_api_key: 401, model_not_found: 404 };
  const status = Object.hasOwn(named, code) ? named[code]! : Number(code);
  return [400, 401, 402, 403, 404, 422].includes(status) ? status : 502;
}

function completionsUrl({ baseUrl, field }: EndpointOptions): URL {
  const expected = `${field}.base_url: expected an address like https://host/v1`;
  if (!URL.canParse(baseUrl))
    throw new InputError(`${expected}, found ${JSON.stringify(shownAddress(baseUrl))}`);
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

/** What a body without an error holds. */
function reply(json: unknown, body: string, replyTokens: number): ChatOutcome {
  const tokens = tokensIn(json);
  if (json === undefined) return { kind: 'again', why: `a reply that is no JSON: ${beginning(body)}` };
  const said = saidIn(json);
  if (said === undefined)
    return { kind: 'again', why: `a reply without choices[0].message: ${beginning(body)}`, tokens };
  const { text, refusal, finish, isTooLong } = said;
  const cut = said.cut || (finish === '' && tokens !== undefined && tokens.output >= replyTokens);
  const empty = (why: string): ChatOutcome => ({ kind: 'empty', why, text: refusal, tokens });
  if (refusal !== '') return empty(`the model declined: ${beginning(refusal)}`);
  if (isTooLong) return empty('a reply longer than any answer');
  if (text === '' && !cut) return empty(`an empty reply (finish_reason ${finish || 'not given'})`);
  return { kind: 'reply', text, cut, tokens };
}

/** The outcome with its texts as they may be shown. */
function hidden(outcome: ChatOutcome, hide: (text: string) => string): ChatOutcome {
  return {
    ...outcome,
    ...('why' in outcome && { why: excerpt(hide(outcome.why)) }),
    ...('text' in outcome && { text: hide(outcome.text) }),
  };
}

/** `status` says what is wrong, which for errors with status 200 is not the response's own. */
function failed(
  { headers, ok }: Response,
  status: number,
  code: string | undefined,
  why: string,
): ChatOutcome {
  const isOver = code === 'insufficient_quota';
  if (!isOver && (passing.includes(status) || status >= 500 || (ok && requestsOwn.includes(status))))
    return { kind: 'again', why, waitS: retryAfterSeconds(headers.get('retry-after'), headers.get('date')) };
  return { kind: requestsOwn.includes(status) ? 'refused' : 'shut', why };
}

/** The reason that a request had no answer: undici puts it into the error's cause. */
function lost(error: unknown): string {
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  return `no connection: ${excerpt(cause?.message || cause?.code || message)}`;
}

/** The beginning of a text as one line. */
export function excerpt(text: string): string {
  const line = beginning(text)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
