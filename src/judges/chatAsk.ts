/**
 * One question to a chat endpoint until a reply that can be read comes back: repeats, waits, and what all
 * of it cost. Knows not what is asked.
 */
import { createHash } from 'node:crypto';
import { setTimeout as timer } from 'node:timers/promises';
import { InputError } from '../errors.ts';
import type { Share } from './budget.ts';
import { type ChatOutcome, type ChatTokens, type Endpoint, excerpt, type Request } from './chatEndpoint.ts';
import { backOffSeconds } from './chatWait.ts';
import { NoVerdict, Stopped, Unheard } from './grading.ts';
import { type Cost, free } from './judge.ts';

export type Sleep = (seconds: number, signal: AbortSignal | undefined) => Promise<void>;

export const byTimer: Sleep = (seconds, signal) => timer(seconds * 1000, undefined, { signal });

export interface AskOptions {
  readonly server: Endpoint;
  /** the fields of study.yaml that name the endpoint, for errors: `judge` */
  readonly field: string;
  /** how often a call is repeated */
  readonly retries: number;
  readonly sleep: Sleep;
  /** per million tokens */
  readonly price: { readonly input: number; readonly output: number } | undefined;
  /** whether every reply must tell its tokens */
  readonly tokensNeeded: boolean;
}

export interface Question<T> extends Request {
  /** undefined for a reply that does not hold what was asked for */
  readonly read: (text: string) => T | undefined;
  /** what that is, for errors: `a grade`, and more of it: ` from 0 to 100` */
  readonly wanted: readonly [what: string, more: string];
}

export interface ChatAnswer<T> {
  readonly value: T;
  readonly raw: string;
  readonly cost: Cost;
}

/**
 * Throws Stopped; NoVerdict; Unheard where the last of all tries brought nothing from the model; InputError
 * where the server takes no request of ours, or the signal's reason.
 */
export type Ask = <T>(
  question: Question<T>,
  share: Share,
  signal: AbortSignal | undefined,
) => Promise<ChatAnswer<T>>;

/** A server that asks for a longer wait is left for a later run. */
const longestWaitS = 300;

export function asker({ server, field, retries, sleep, price, tokensNeeded }: AskOptions): Ask {
  /** Resolves when the waits are over that the server asked for: they hold for every question. */
  let pause: Promise<unknown> = Promise.resolve();

  const priceOf = ({ input, output }: ChatTokens) =>
    price ? (input * price.input + output * price.output) / 1e6 : 0;

  async function rest(seconds: number, forAll: boolean, signal: AbortSignal | undefined): Promise<void> {
    const over = sleep(seconds, signal);
    if (forAll) pause = Promise.allSettled([pause, over]);
    await over.catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  }

  async function call(request: Request, share: Share, signal: AbortSignal | undefined) {
    await pause;
    signal?.throwIfAborted();
    if (!share.call()) throw new Stopped(`${field}.max_calls leaves no call to repeat one that failed`);
    const outcome = await server.send(request, signal);
    const tokens = ('tokens' in outcome && outcome.tokens) || { input: 0, output: 0 };
    const paid = priceOf(tokens);
    share.pay(paid);
    if (tokensNeeded && outcome.kind === 'reply' && outcome.tokens === undefined)
      throw new InputError(
        `${field}.max_cost: the replies of ${server.where} do not report their tokens (usage), so this limit cannot be applied: use ${field}.max_calls instead`,
      );
    return { outcome, tokens, paid };
  }

  return async (question, share, signal) => {
    let cost = free;
    let said = '';
    for (let repeat = 0; ; ) {
      const { outcome, tokens, paid } = await call(question, share, signal);
      cost = {
        calls: cost.calls + 1,
        inputTokens: cost.inputTokens + tokens.input,
        outputTokens: cost.outputTokens + tokens.output,
        price: cost.price + paid,
      };
      if ('text' in outcome) said = outcome.text || said;
      if (outcome.kind === 'adapted') continue;
      if (outcome.kind === 'refused') throw new NoVerdict(outcome.why, said, cost);
      if (outcome.kind === 'shut') throw new InputError(`${field} ${server.where}: ${outcome.why}`);
      const value = outcome.kind === 'reply' ? question.read(outcome.text) : undefined;
      if (value !== undefined) return { value, raw: said, cost };
      const { why, waitS } = failureOf(outcome, question.wanted.join(''));
      if (repeat === retries) {
        const what = `${retries + 1} calls without ${question.wanted[0]}, the last: ${why}`;
        throw outcome.kind === 'again' ? new Unheard(what) : new NoVerdict(what, said, cost);
      }
      if (waitS !== undefined && waitS > longestWaitS)
        throw new Stopped(`${server.where} asks to wait ${Math.ceil(waitS)} s (${why})`);
      await rest(
        backOffSeconds(repeat, chance(question.content, repeat), waitS),
        waitS !== undefined,
        signal,
      );
      repeat++;
    }
  };
}

/** Why an outcome does not hold what was wanted, and what wait the server asks for. */
function failureOf(
  outcome: Extract<ChatOutcome, { kind: 'reply' | 'empty' | 'again' }>,
  wanted: string,
): { why: string; waitS?: number | undefined } {
  return outcome.kind === 'reply' ? { why: `a reply without ${wanted}: ${excerpt(outcome.text)}` } : outcome;
}

/** 0 to 1, spread over questions and repeats, and always the same for the same. */
function chance(content: string, repeat: number): number {
  return createHash('sha256').update(`${repeat} ${content}`).digest().readUInt32BE() / 2 ** 32;
}
