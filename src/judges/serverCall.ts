/**
 * What every request to a server shares, whatever it asks: its address, its key, a body of bounded size in bounded
 * time, and which failures may pass. Knows no question.
 */
import { InputError } from '../errors.ts';
import { retryAfterSeconds } from '../waiting.ts';
import { bodyText, tooLarge } from './chatBody.ts';
import { shownAddress } from './secrets.ts';

/** Throws InputError for an address that is none; `field` names the section of study.yaml that holds it. */
export function serverUrl(baseUrl: string, field: string): URL {
  const expected = `${field}.base_url: expected an address like https://host/v1`;
  if (!URL.canParse(baseUrl))
    throw new InputError(`${expected}, found ${JSON.stringify(shownAddress(baseUrl))}`);
  const url = new URL(baseUrl);
  if (!/^https?:$/.test(url.protocol)) throw new InputError(`${expected}, found one of ${url.protocol}`);
  if (url.username || url.password)
    throw new InputError(`${expected}, found one with a user or a password in it`);
  url.hash = '';
  return url;
}

/** Throws InputError for a key that no header can carry. */
export function checkedKey(apiKey: string | undefined, field: string): string | undefined {
  const key = apiKey?.trim();
  if (key !== undefined && !/^[\x21-\x7e]*$/.test(key))
    throw new InputError(
      `${field} key: expected printable ASCII without spaces, found other characters (not shown)`,
    );
  return key || undefined;
}

export const headersWith = (key: string | undefined): Record<string, string> => ({
  'content-type': 'application/json',
  ...(key ? { authorization: `Bearer ${key}` } : {}),
});

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly timeoutS: number;
  /** bytes of a reply that are read; default 4 MiB */
  readonly mostBytes?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** what may be shown of a text */
  readonly hide: (text: string) => string;
}

export type Called =
  | { readonly kind: 'reply'; readonly response: Response; readonly body: string }
  | { readonly kind: 'lost'; readonly why: string };

/** One request, and its whole reply of whatever status. Rejects only where `signal` aborts. */
export async function called(url: URL, call: Call): Promise<Called> {
  const { method, headers, body: sent = null, timeoutS, mostBytes, signal, hide } = call;
  const timeout = AbortSignal.timeout(timeoutS * 1000);
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: sent,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    });
    const body = await bodyText(response, mostBytes);
    return body === undefined
      ? { kind: 'lost', why: tooLarge(mostBytes) }
      : { kind: 'reply', response, body };
  } catch (error) {
    signal?.throwIfAborted();
    return { kind: 'lost', why: timeout.aborted ? `no reply within ${timeoutS} s` : hide(lost(error)) };
  }
}

/** The reason that a request had no answer: undici puts it into the error's cause. */
function lost(error: unknown): string {
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  return `no connection: ${excerpt(cause?.message || cause?.code || message)}`;
}

/**
 * Statuses after which the same request may pass: time-outs, conflicts, too many requests. And all from 500
 * on.
 */
const passing = [408, 409, 425, 429];
export const mayPass = (status: number): boolean => passing.includes(status) || status >= 500;

/** Statuses that say that this request is wrong, rather than the address or the key. */
const requestsOwn = [400, 413, 422];
export const isRequestsOwn = (status: number): boolean => requestsOwn.includes(status);

/** The wait that a server asks for, in seconds; undefined where it asks for none. */
export const askedWaitS = ({ headers }: Response): number | undefined =>
  retryAfterSeconds(headers.get('retry-after'), headers.get('date'));

export { backOffSeconds } from '../waiting.ts';

export const beginning = (text: string): string => text.slice(0, 4000);

/** The beginning of a text as one line. */
export function excerpt(text: string): string {
  const line = beginning(text)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
