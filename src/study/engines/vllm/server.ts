/**
 * Requests to one server until a reply that can be read comes back: repeats, waits, and one clear line where it
 * comes to nothing. Knows not what is asked.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../../../errors.ts';
import { byTimer, type Sleep } from '../../../judges/chatAsk.ts';
import { errorIn } from '../../../judges/chatBody.ts';
import { shownAddress, withoutKey } from '../../../judges/secrets.ts';
import {
  askedWaitS,
  backOffSeconds,
  beginning,
  called,
  checkedKey,
  excerpt,
  headersWith,
  mayPass,
  serverUrl,
} from '../../../judges/serverCall.ts';
import { parseJsonIf } from '../../../results.ts';

export interface ServerOptions {
  readonly baseUrl: string;
  /** never shown */
  readonly apiKey?: string | undefined;
  /** seconds for one request, at most 300 (where fetch itself gives up) */
  readonly timeoutS: number;
  /** how often a request is repeated */
  readonly retries: number;
  /** the section of study.yaml that names the server, for errors */
  readonly field: string;
  /** told in a line of the first request that failed; default nobody */
  readonly note?: ((line: string) => void) | undefined;
  /** how to wait; default by a timer */
  readonly sleep?: Sleep | undefined;
}

export interface ServerQuestion<T> {
  /** behind the base address; from its root where it begins with / */
  readonly path: string;
  /** undefined: GET */
  readonly body?: object | undefined;
  /** bytes of the reply that are read */
  readonly mostBytes: number;
  /**
   * What a reply says. Throws HalfReply for one that is not whole, which is asked for again, and InputError for one
   * that does not fit, in words that the server's address goes before.
   */
  readonly read: (json: unknown) => T;
  /** what stands for the answer of a server that has no such path; default: it is refused */
  readonly absent?: T;
}

export interface Server {
  /** the base address, without query and keys */
  readonly where: string;
  /**
   * Repeats after a lost connection, a time-out, a reply that is not whole, and the statuses 408, 409, 425, 429 and
   * 5xx; repeat n (from 0) after min(30, 0.5·2^n) s less up to a half, or later where the server asks for it.
   * Rejects with InputError where the last try failed too, the server takes no such request, or it asks to wait
   * more than 300 s; with the signal's reason where that aborts.
   */
  ask<T>(question: ServerQuestion<T>, signal?: AbortSignal): Promise<T>;
}

/** A reply that does not hold all that was asked for: why, in a few words. */
export class HalfReply extends Error {}

/** A server that asks for a longer wait is left for a later run. */
const longestWaitS = 300;

const noSuchPath = [404, 405, 501];

type Outcome<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'again'; readonly why: string; readonly waitS?: number | undefined };

/** Throws InputError for an address that is none, or a key that no header can carry. */
export function openServer(options: ServerOptions): Server {
  const { field, timeoutS, retries, note, sleep = byTimer } = options;
  const base = serverUrl(options.baseUrl, field);
  base.pathname = base.pathname.replace(/\/+$/, '');
  const key = checkedKey(options.apiKey, field);
  const hide = withoutKey(key);
  const where = hide(shownAddress(`${base.origin}${base.pathname}`));
  const headers = headersWith(key);
  let noted = false;
  /** Resolves when the waits are over that the server asked for: they hold for every request. */
  let pause: Promise<unknown> = Promise.resolve();

  function urlOf(path: string): URL {
    const url = new URL(base);
    url.pathname = path.startsWith('/') ? path : `${base.pathname}/${path}`;
    return url;
  }

  async function once<T>(question: ServerQuestion<T>, signal: AbortSignal | undefined): Promise<Outcome<T>> {
    const { path, body, mostBytes, read } = question;
    const found = await called(urlOf(path), {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      body: body && JSON.stringify(body),
      ...{ timeoutS, mostBytes, signal, hide },
    });
    if (found.kind === 'lost') return { kind: 'again', why: found.why };
    const { response, body: text } = found;
    const json = parseJsonIf(text);
    const error = errorIn(json);
    if (response.ok && error === undefined) {
      if (json === undefined)
        return { kind: 'again', why: `a reply that is no JSON: ${excerpt(hide(beginning(text)))}` };
      try {
        return { kind: 'answer', value: read(json) };
      } catch (failed) {
        if (failed instanceof HalfReply) return { kind: 'again', why: hide(failed.message) };
        throw failed instanceof InputError
          ? new InputError(`${field} ${where}: ${hide(failed.message)}`)
          : failed;
      }
    }
    const said = excerpt(hide(beginning(error?.message ?? text)));
    const why = `status ${response.status}${said === '' ? '' : `: ${said}`}`;
    if ('absent' in question && noSuchPath.includes(response.status))
      return { kind: 'answer', value: question.absent! };
    if (!response.ok && !mayPass(response.status)) throw new InputError(`${field} ${where}: ${why}`);
    return { kind: 'again', why, waitS: askedWaitS(response) };
  }

  async function rest(seconds: number, forAll: boolean, signal: AbortSignal | undefined): Promise<void> {
    const over = sleep(seconds, signal);
    if (forAll) pause = Promise.allSettled([pause, over]);
    await over.catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  }

  return {
    where,
    async ask(question, signal) {
      for (let repeat = 0; ; repeat++) {
        await pause;
        signal?.throwIfAborted();
        const outcome = await once(question, signal);
        if (outcome.kind === 'answer') return outcome.value;
        const { why, waitS } = outcome;
        if (repeat === retries)
          throw new InputError(
            `${field} ${where}: ${repeat + 1} ${repeat === 0 ? 'request' : 'requests'} without an answer, the last: ${why}`,
          );
        if (waitS !== undefined && waitS > longestWaitS)
          throw new InputError(`${field} ${where}: asks to wait ${Math.ceil(waitS)} s (${why})`);
        if (!noted) note?.(`${field}: ${where}: ${why}; asked again, ${retries} times at most`);
        noted = true;
        await rest(backOffSeconds(repeat, chance(question, repeat), waitS), waitS !== undefined, signal);
      }
    },
  };
}

/** 0 to 1, spread over requests and repeats, and always the same for the same. */
function chance({ path, body }: ServerQuestion<unknown>, repeat: number): number {
  const digest = createHash('sha256').update(JSON.stringify([path, body, repeat]));
  return digest.digest().readUInt32BE() / 2 ** 32;
}
