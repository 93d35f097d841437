/**
 * One request to an OpenAI-compatible `/chat/completions`, and what came of it. Knows nothing of grades or
 * budgets, and does not repeat a request.
 */
import { type ChatTokens, errorIn, jsonIn, saidIn, type ToldError, tokensIn } from './chatBody.ts';
import {
  bodyOf,
  type Dialect,
  type LearntDialect,
  learntDialect,
  type OptionalField,
} from './chatDialect.ts';
import { shownAddress, withoutKey } from './secrets.ts';
import {
  askedWaitS,
  beginning,
  called,
  checkedKey,
  excerpt,
  headersWith,
  isRequestsOwn,
  mayPass,
  serverUrl,
} from './serverCall.ts';

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

/** Throws InputError for an address that is none, or a key that no header can carry. */
export function endpoint(options: EndpointOptions): Endpoint {
  const { model, temperature, timeoutS, field, note } = options;
  const url = completionsUrl(options);
  const key = checkedKey(options.apiKey, field);
  const hide = withoutKey(key);
  const where = hide(shownAddress(`${url.origin}${url.pathname}`));
  const headers = headersWith(key);
  const first = { without: options.leaveOut ?? [], limit: 'max_tokens' } as const;
  const dialect = learntDialect(first, (what) => note?.(`${field}: ${where} ${what}`));

  async function send(
    request: Request,
    replyTokens: number,
    signal: AbortSignal | undefined,
  ): Promise<ChatOutcome> {
    const spoken = dialect.now();
    const found = await called(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(bodyOf(spoken, { model, temperature, replyTokens, ...request })),
      timeoutS,
      signal,
      hide,
    });
    if (found.kind === 'lost') return { kind: 'again', why: found.why };
    const { response, body } = found;
    const arrived = { status: response.status, body, waitS: askedWaitS(response) };
    return outcomeOf(arrived, { dialect, spoken, replyTokens, hide });
  }
  return { baseUrl: where.replace(/\/chat\/completions$/, ''), where, send };
}

/** What came back for a request, whatever brought it. */
export interface Arrived {
  readonly status: number;
  readonly body: string;
  /** the wait that the server asks for, in seconds */
  readonly waitS?: number | undefined;
}

/** How a request was put. */
export interface Put {
  /** what is known of the server, which learns from what came back */
  readonly dialect: LearntDialect;
  /** the dialect of this request */
  readonly spoken: Dialect;
  readonly replyTokens: number;
  /** what may be shown of a text */
  readonly hide: (text: string) => string;
}

export function outcomeOf(arrived: Arrived, { dialect, spoken, replyTokens, hide }: Put): ChatOutcome {
  const { body } = arrived;
  const json = jsonIn(body);
  const error = errorIn(json);
  if (isFine(arrived) && error === undefined) {
    dialect.taken(spoken);
    return hidden(reply(json, body, replyTokens), hide);
  }
  const status = isFine(arrived) ? statusOf(error!) : arrived.status;
  const said = beginning(error?.message ?? body);
  const change = dialect.refused(spoken, status, json === undefined ? said : `${said} ${beginning(body)}`);
  if (change === 'again') return { kind: 'adapted' };
  const why = `status ${arrived.status}${said.trim() === '' ? '' : `: ${excerpt(hide(said))}`}`;
  return change === 'lower' ? { kind: 'lower', why } : failed(arrived, status, error?.code, why);
}

const isFine = ({ status }: Arrived) => status >= 200 && status < 300;

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
  const url = serverUrl(baseUrl, field);
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '')}/chat/completions`;
  return url;
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
function failed(arrived: Arrived, status: number, code: string | undefined, why: string): ChatOutcome {
  const isOver = code === 'insufficient_quota';
  if (!isOver && (mayPass(status) || (isFine(arrived) && isRequestsOwn(status))))
    return { kind: 'again', why, waitS: arrived.waitS };
  return { kind: isRequestsOwn(status) ? 'refused' : 'shut', why };
}
