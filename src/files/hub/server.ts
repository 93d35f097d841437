/**
 * Requests to the hub, repeated where it is busy or the line fails. The token goes to the hub alone: fetch drops
 * it where a reply leads to another host. Knows no file of ours.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../errors.ts';
import { backOffSeconds, retryAfterSeconds } from '../../waiting.ts';
import { type Environment, hubToken } from './cache.ts';
import { type HubReference, pagePath } from './reference.ts';

export interface HubServer {
  /** such as `https://huggingface.co`, without a slash at the end */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly patience: Patience;
  /** `fetch`, repeated; throws Unreachable or what the signal says. */
  readonly fetch: typeof fetch;
}

export interface Patience {
  /** how often a request is repeated that brought nothing */
  readonly repeats: number;
  /** ms without a byte after which a request counts as lost */
  readonly silenceMs: number;
  /** waits between repeats are divided by this */
  readonly hurry: number;
}

const patient: Patience = { repeats: 5, silenceMs: 60_000, hurry: 1 };
const longestWaitS = 300;
const publicHub = 'https://huggingface.co';

/** A request that brought no reply, also when it was repeated. */
export class Unreachable extends Error {}

const isBusy = (status: number) => status === 408 || status === 429 || status >= 500;

/** Waits before repeat number `repeat` (from 0). */
export async function pause(
  { hurry }: Patience,
  repeat: number,
  reply: Response | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const asked = reply && retryAfterSeconds(reply.headers.get('retry-after'), reply.headers.get('date'));
  const seconds = Math.min(longestWaitS, backOffSeconds(repeat, 1, asked));
  await sleep((1000 * seconds) / hurry, undefined, { signal });
}

const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message;
};

function repeatedFetch(patience: Patience): typeof fetch {
  return async (input, init) => {
    for (let repeat = 0; ; repeat++) {
      const silence = new AbortController();
      const timer = setTimeout(
        () => silence.abort(new Error(`no reply within ${patience.silenceMs / 1000} s`)),
        patience.silenceMs,
      );
      const signals = [silence.signal, ...(init?.signal ? [init.signal] : [])];
      let reply: Response | undefined;
      let why = '';
      try {
        reply = await fetch(input, { ...init, signal: AbortSignal.any(signals) });
        if (!isBusy(reply.status)) return reply;
        why = `it answers ${reply.status}`;
      } catch (error) {
        init?.signal?.throwIfAborted();
        why = reasonOf(error);
      } finally {
        clearTimeout(timer);
      }
      if (repeat === patience.repeats) throw new Unreachable(why);
      await reply?.body?.cancel();
      await pause(patience, repeat, reply, init?.signal ?? undefined);
    }
  };
}

/**
 * The hub of $HF_ENDPOINT with $HF_TOKEN. Throws InputError where $HF_HUB_OFFLINE forbids to ask it, or the
 * endpoint is no address.
 */
export async function hubServer(env: Environment, patience: Partial<Patience> = {}): Promise<HubServer> {
  if (/^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''))
    throw new InputError(`HF_HUB_OFFLINE=${env.HF_HUB_OFFLINE}: nothing is downloaded while it is set`);
  const endpoint = (env.HF_ENDPOINT || publicHub).replace(/\/+$/, '');
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new InputError(
      `HF_ENDPOINT: expected an address such as ${publicHub}, found ${JSON.stringify(endpoint)}`,
    );
  const whole = { ...patient, ...patience };
  return { endpoint, token: await hubToken(env), patience: whole, fetch: repeatedFetch(whole) };
}

/** Headers of a request to the hub. */
export const authorised = ({ token }: HubServer): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** What a refusal means to the person who asked for `reference`. */
export function refusalOf(
  { endpoint, token }: HubServer,
  reference: HubReference,
  status: number,
  code: string | null,
): InputError {
  const { given } = reference;
  const page = `${endpoint}/${pagePath(reference)}`;
  const login =
    token === undefined ? ', and set HF_TOKEN to a token of yours' : ' with the account of HF_TOKEN';
  if (code === 'GatedRepo' || status === 403)
    return new InputError(`${given}: gated: accept its conditions on ${page}${login}`);
  if (code === 'RevisionNotFound')
    return new InputError(`${given}: the repository has no revision ${reference.revision}`);
  if (status === 401 || status === 404)
    return new InputError(
      `${given}: no such repository on ${endpoint}, or a private one${token === undefined ? ': for that set HF_TOKEN' : ' that HF_TOKEN may not read'}`,
    );
  return new InputError(`${given}: ${endpoint} answers ${status}`);
}
