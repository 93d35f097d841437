/**
 * A chat judge that is asked in batches: its questions as bodies of requests, and what came back for them, as
 * the judge that asks at once would take it. It calls nobody; knows no file and no form of a batch.
 */
import { type Budget, budget, type Spent } from './budget.ts';
import {
  type ChatJudgeOptions,
  chatJudge,
  chatQuestions,
  gradeQuestion,
  judgeEndpoint,
  judgeField,
} from './chat.ts';
import { asker, type Heard, tokensUntold } from './chatAsk.ts';
import { tokensIn } from './chatBody.ts';
import { bodyOf, type Dialect, learntDialect } from './chatDialect.ts';
import { outcomeOf } from './chatEndpoint.ts';
import { gradeIn } from './chatReply.ts';
import { NoVerdict } from './grading.ts';
import { type Cost, free, type Judge, type JudgeItem } from './judge.ts';
import { type Aspect, aspects } from './question.ts';
import { withoutKey } from './secrets.ts';

/** What a batch costs, of the price of the same calls made at once. */
const batchShare = 0.5;

/** How questions are put, where the server has shown that it does not take all that could be asked of it. */
export interface Manner extends Dialect {
  /** greatest number of tokens of a reply that it takes, where that is less than was asked for */
  readonly replyTokens?: number | undefined;
}

export interface ChatBatchOptions extends Omit<ChatJudgeOptions, 'spent' | 'onLost'> {
  readonly heard: (content: string) => readonly Heard[];
  /** as an earlier batch taught; default all fields, and replies as long as the judge may ask for */
  readonly manner?: Manner | undefined;
}

/** What became of a question that was sent in a batch. */
export type Taken =
  /** it counts as a try */
  | { readonly kind: 'heard'; readonly heard: Heard }
  /** it was paid for, and has to be asked again */
  | { readonly kind: 'again'; readonly why: string; readonly cost: Cost }
  /** nothing came of it, and it was not paid for */
  | { readonly kind: 'failed'; readonly why: string };

export interface BatchQuestion {
  readonly aspect: Aspect;
  readonly content: string;
}

export interface ChatBatch {
  /** the server that it is for */
  readonly where: string;
  /** The judge of items on which nothing is outstanding. */
  readonly judge: Judge;
  questions(item: JudgeItem): BatchQuestion[];
  /** The questions on an item that what was heard does not settle. */
  outstanding(item: JudgeItem): Promise<BatchQuestion[]>;
  /** Whether the judge refuses an item, by what was heard. */
  isRefused(item: JudgeItem): Promise<boolean>;
  body(content: string): object;
  /** What came back for a question, with its status. Throws InputError where its cost is needed and not told. */
  taken(arrived: { readonly status: number; readonly body: unknown }): Taken;
  /** How questions are to be put from now on; undefined where nothing was learnt of it. */
  learnt(): Manner | undefined;
  /** What may be spent, where so much was; a share is for the questions on a completion. */
  budget(spent: Spent): Budget;
  /** What questions cost at most. */
  mostCost(questions: readonly BatchQuestion[]): number;
}

const purpose = { field: judgeField, unit: 'a completion' };

/** Thrown where the server would have to be asked. */
class Outstanding extends Error {}

/** Throws InputError as `chatJudge` does. */
export function chatBatch(options: ChatBatchOptions): ChatBatch {
  const { model, temperature = 0, retries = 5, price, heard, note, maxCalls, maxCost } = options;
  const asked = chatQuestions(options);
  const { baseUrl, where } = judgeEndpoint(options);
  const server = { baseUrl, where, send: () => Promise.reject(new Outstanding()) };
  // a batch never streams, and its servers know the newer name of the limit
  const first: Dialect = options.manner ?? {
    without: [...(options.leaveOut ?? []), 'stream'],
    limit: 'max_completion_tokens',
  };
  const replyTokens = Math.min(options.replyTokens ?? 8192, options.manner?.replyTokens ?? Infinity);
  let mostTokens = replyTokens;
  const spoken: Dialect = { without: first.without, limit: first.limit };
  const dialect = learntDialect(spoken, (what) => note?.(`${judgeField}: ${where} ${what}`));
  const hide = withoutKey(options.apiKey);
  const ask = asker({
    server,
    field: judgeField,
    retries,
    sleep: async () => {},
    replyTokens,
    price,
    tokensNeeded: false,
    heard,
  });
  const costOf = (input: number, output: number): Cost => ({
    calls: 1,
    inputTokens: input,
    outputTokens: output,
    price: price ? ((input * price.input + output * price.output) / 1e6) * batchShare : 0,
  });
  const questions = (item: JudgeItem) =>
    aspects.map((aspect) => ({ aspect, content: asked.text(aspect, item) }));

  /** Whether what was heard settles a question, or the judge refuses it. */
  async function settled({ content }: BatchQuestion): Promise<'answered' | 'refused' | undefined> {
    const share = budget({}, purpose).begin(0)!;
    try {
      await ask(gradeQuestion(content), share, undefined);
      return 'answered';
    } catch (error) {
      if (error instanceof Outstanding) return undefined;
      if (error instanceof NoVerdict) return 'refused';
      throw error;
    }
  }

  return {
    where,
    judge: chatJudge({ ...options, maxCalls: undefined, maxCost: undefined }, server),
    questions,
    async outstanding(item) {
      const [behaviour, coherence] = questions(item) as [BatchQuestion, BatchQuestion];
      const found = await settled(behaviour);
      if (found === 'refused') return [];
      const left = found === undefined ? [behaviour] : [];
      return (await settled(coherence)) === undefined ? [...left, coherence] : left;
    },
    async isRefused(item) {
      for (const question of questions(item)) if ((await settled(question)) === 'refused') return true;
      return false;
    },
    body: (content) => {
      const { schema, schemaName } = gradeQuestion(content);
      return bodyOf(spoken, { model, temperature, content, schema, schemaName, replyTokens });
    },
    taken({ status, body }) {
      const text = typeof body === 'string' ? body : JSON.stringify(body ?? null);
      const outcome = outcomeOf({ status, body: text }, { dialect, spoken, replyTokens, hide });
      const told = tokensIn(body);
      if (outcome.kind === 'reply' && told === undefined && maxCost !== undefined)
        throw tokensUntold(judgeField, where);
      const tokens = told ?? { input: 0, output: 0 };
      const cost = costOf(tokens.input, tokens.output);
      const again = (why: string, paid = cost): Taken => ({ kind: 'again', why, cost: paid });
      switch (outcome.kind) {
        case 'reply':
          if (outcome.cut && gradeIn(outcome.text, outcome) === undefined)
            return again(
              `a reply ended at its limit of ${replyTokens} tokens before it had an answer: raise ${judgeField}.reply_tokens`,
            );
          return { kind: 'heard', heard: { outcome, cost } };
        case 'empty':
        case 'refused':
          return { kind: 'heard', heard: { outcome, cost } };
        case 'adapted':
          return again('the server does not take a field, which is left out from now on', free);
        case 'lower':
          mostTokens = Math.max(64, Math.floor(replyTokens / 4));
          return again(outcome.why, free);
        case 'again':
        case 'shut':
          return 'tokens' in outcome && outcome.tokens
            ? again(outcome.why)
            : { kind: 'failed', why: outcome.why };
      }
    },
    learnt() {
      const now = dialect.now();
      if (now === spoken && mostTokens === replyTokens) return options.manner;
      return { ...now, replyTokens: mostTokens < replyTokens ? mostTokens : options.manner?.replyTokens };
    },
    budget: (spent) => budget({ maxCalls, maxCost, spent }, purpose),
    mostCost: (asking) =>
      asking
        // a token is a byte at least
        .map(({ content }) => costOf(Buffer.byteLength(content), replyTokens).price)
        .reduce((sum, one) => sum + one, 0),
  };
}
