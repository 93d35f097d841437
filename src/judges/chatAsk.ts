/**
 * One question to a chat endpoint until a reply that can be read comes back: repeats, waits, and what all
 * of it cost. Knows not what is asked.
 */
import { createHash } from 'node:crypto';
import { setTimeout as timer } from 'node:timers/promises';
import { InputError } from '../errors.ts';
import { backOffSeconds } from '../waiting.ts';
import type { Share } from './budget.ts';
import type { ChatTokens } from './chatBody.ts';
import type { ChatOutcome, Endpoint, Request } from './chatEndpoint.ts';
import { NoVerdict, Stopped, Unheard } from './grading.ts';
import { bothCosts, type Cost, free } from './judge.ts';
import { excerpt } from './serverCall.ts';

export type Sleep = (seconds: number, signal: AbortSignal | undefined) => Promise<void>;

export const byTimer: Sleep = (seconds, signal) => timer(seconds * 1000, undefined, { signal });

/** What came of a question that was asked before and elsewhere, and what that cost. */
export interface Heard {
  readonly outcome: Extract<ChatOutcome, { kind: 'reply' | 'empty' | 'refused' }>;
  readonly cost: Cost;
}

export interface AskOptions {
  readonly server: Endpoint;
  /** the fields of study.yaml that name the endpoint, for errors: `judge` */
  readonly field: string;
  /** how often a call is repeated */
  readonly retries: number;
  readonly sleep: Sleep;
  /** greatest number of tokens of a reply, reasoning included */
  readonly replyTokens: number;
  /** told in a line of the first call that failed; default nobody */
  readonly note?: ((line: string) => void) | undefined;
  /** per million tokens */
  readonly price: { readonly input: number; readonly output: number } | undefined;
  /** whether every reply must tell its tokens */
  readonly tokensNeeded: boolean;
  /**
   * What came of a question before, in its order: each counts as a try, and the server is asked only where
   * they are of no use. Default nothing.
   */
  readonly heard?: ((content: string) => readonly Heard[]) | undefined;
}

export interface Question<T> extends Request {
  /** undefined for a reply that does not hold what was asked for; `cut`: it ended at its limit */
  readonly read: (text: string, reply: { readonly cut: boolean }) => T | undefined;
  /** what that is, for errors: `a grade`, and more of it: ` from 0 to 100` */
  readonly wanted: readonly [what: string, more: string];
}

export interface ChatAnswer<T> {
  readonly value: T;
  readonly raw: string;
  readonly cost: Cost;
}

/**
 * Throws Stopped; NoVerdict; Unheard where the last of all tries brought nothing from the model, or where
 * replies ended at their limit before an answer; InputError where the server takes no request of ours, or
 * the signal's reason.
 */
export type Ask = <T>(
  question: Question<T>,
  share: Share,
  signal: AbortSignal | undefined,
) => Promise<ChatAnswer<T>>;

/** Characters of a reply that are kept. */
const longestRaw = 100_000;
/** A server that asks for a longer wait is left for a later run. */
const longestWaitS = 300;
/** How often a question is asked again whose reply ended at its limit: the next is hardly shorter. */
const cutRepeats = 1;
/** A server that takes no reply of so many tokens takes none at all. */
const fewestTokens = 64;

export function asker(options: AskOptions): Ask {
  const { server, field, retries, sleep, price, tokensNeeded } = options;
  /** the greatest limit of a reply that the server is known to take, or else the one asked for */
  let mostTokens = options.replyTokens;
  let mostIsTaken = false;
  let noted = false;
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

  async function call(request: Request, limit: number, share: Share, signal: AbortSignal | undefined) {
    await pause;
    signal?.throwIfAborted();
    if (!share.call()) throw new Stopped(`${field}.max_calls leaves no call to repeat one that failed`);
    const outcome = await server.send(request, limit, signal);
    const tokens = ('tokens' in outcome && outcome.tokens) || { input: 0, output: 0 };
    const paid = priceOf(tokens);
    share.pay(paid);
    if (tokensNeeded && outcome.kind === 'reply' && outcome.tokens === undefined)
      throw tokensUntold(field, server.where);
    const cost = { calls: 1, inputTokens: tokens.input, outputTokens: tokens.output, price: paid };
    return { outcome, cost };
  }

  /** What the server says to a limit of a reply shows which it takes. */
  function taken(limit: number): void {
    if (limit < mostTokens && !mostIsTaken) mostTokens = limit;
    mostIsTaken ||= limit === mostTokens;
  }

  const ranOut = (limit: number) =>
    `a reply ended at its limit of ${limit} tokens before it had an answer: ` +
    (limit < options.replyTokens ? 'the server takes no longer ones' : `raise ${field}.reply_tokens`);

  function noteFirst(why: string): void {
    if (noted) return;
    noted = true;
    options.note?.(
      `${field}: ${server.where}: ${why}; a question is asked again where that helps, ${retries === 1 ? 'once' : `${retries} times`} at most`,
    );
  }

  return async (question, share, signal) => {
    let cost = free;
    let said = '';
    let limit = mostTokens;
    let cut = 0;
    const heard = [...(options.heard?.(question.content) ?? [])];
    for (let repeat = 0; ; ) {
      const before = heard.shift();
      const { outcome, cost: own } = before ?? (await call(question, limit, share, signal));
      cost = bothCosts(cost, own);
      if ('text' in outcome) said = (outcome.text || said).slice(0, longestRaw);
      if (outcome.kind === 'adapted') continue;
      if (outcome.kind === 'lower' && limit > fewestTokens) {
        limit = Math.max(fewestTokens, Math.floor(limit / 4));
        continue;
      }
      if (outcome.kind === 'refused' || outcome.kind === 'lower')
        throw new NoVerdict(outcome.why, said, cost);
      if (outcome.kind === 'shut') throw new InputError(`${field} ${server.where}: ${outcome.why}`);
      if (before === undefined && outcome.kind !== 'again') taken(limit);
      const value = outcome.kind === 'reply' ? question.read(outcome.text, outcome) : undefined;
      if (value !== undefined) return { value, raw: said, cost };
      const isCut = outcome.kind === 'reply' && outcome.cut;
      if (isCut) cut++;
      const { why, waitS } = isCut
        ? { why: ranOut(limit), waitS: undefined }
        : failureOf(outcome, question.wanted.join(''));
      if (repeat === retries || cut > cutRepeats) {
        const what = `${repeat + 1} ${repeat === 0 ? 'call' : 'calls'} without ${question.wanted[0]}, the last: ${why}`;
        throw outcome.kind === 'again' || isCut ? new Unheard(what) : new NoVerdict(what, said, cost);
      }
      repeat++;
      if (before !== undefined) continue;
      noteFirst(why);
      if (waitS !== undefined && waitS > longestWaitS)
        throw new Stopped(`${server.where} asks to wait ${Math.ceil(waitS)} s (${why})`);
      await rest(
        backOffSeconds(repeat - 1, chance(question.content, repeat - 1), waitS),
        waitS !== undefined,
        signal,
      );
    }
  };
}

/** For replies that do not tell their tokens, where a limit of the cost needs them. */
export const tokensUntold = (field: string, where: string): InputError =>
  new InputError(
    `${field}.max_cost: the replies of ${where} do not report their tokens (usage), so this limit cannot be applied: use ${field}.max_calls instead`,
  );

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
