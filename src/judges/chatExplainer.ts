/**
 * An explainer behind an OpenAI-compatible chat endpoint: a call an explanation, a call for a few passages.
 * Knows no file.
 */
import { type BudgetOptions, budget } from './budget.ts';
import { asker, byTimer, type Question, type Sleep } from './chatAsk.ts';
import type { OptionalField } from './chatDialect.ts';
import { endpoint } from './chatEndpoint.ts';
import {
  type AnsweredItem,
  answers,
  type Explainer,
  type ExplainerLost,
  type ExplainItem,
  type ScoreItem,
} from './explainer.ts';
import { explainerQuestions, type ReplyForms } from './explainerQuestions.ts';
import { answersIn, answersSchema, explanationIn, explanationSchema } from './explainerReply.ts';
import { answering, Stopped } from './grading.ts';

export interface ChatExplainerOptions extends BudgetOptions {
  /** up to `/chat/completions`, e.g. `https://host/v1` */
  readonly baseUrl: string;
  readonly model: string;
  /** never shown */
  readonly apiKey?: string | undefined;
  readonly concurrency: number;
  readonly timeoutS: number;
  /** how often a call is repeated that failed or whose reply is unusable */
  readonly retries: number;
  /** price per million tokens; needed for `maxCost` */
  readonly price?: { readonly input: number; readonly output: number } | undefined;
  readonly temperature: number;
  /** greatest number of tokens of a reply, a model's reasoning included */
  readonly replyTokens: number;
  /** fields of a request that are never sent; default none: those that the server refuses are left out */
  readonly leaveOut?: readonly OptionalField[] | undefined;
  /** told in a line of the first call that failed, and of fields that are left out; default nobody */
  readonly note?: ((line: string) => void) | undefined;
  /** told what was paid on a question that may get no answer, before that is known; default nobody */
  readonly onLost?: ExplainerLost | undefined;
  /** how to wait; default by a timer */
  readonly sleep?: Sleep | undefined;
}

/** In what is said of the endpoint. */
const field = 'interpret.explainer';

const object = 'Reply with one JSON object and nothing else:';
export const chatForms: ReplyForms = {
  explain: `What does the feature respond to? ${object} {"explanation": "one sentence"}`,
  score: (task, passages) =>
    `${task === 'detection' ? 'In which passages is the feature active?' : 'In which passages are the marks right?'} ${object} {"answers": [...]}, where the list holds ${passages} numbers, one a passage in their order: 1 for yes, 0 for no.`,
};

/**
 * Repeats, waits, refusals and budget as of the chat judge (chat.ts). A question whose every try is refused
 * or brings a reply that cannot be read has no answer, and the cost of all its calls. Throws InputError for
 * a bad address or key.
 */
export function chatExplainer(options: ChatExplainerOptions): Explainer {
  const { model, concurrency, maxCost, sleep = byTimer } = options;
  const server = endpoint({ ...options, field });
  const ask = asker({
    ...options,
    server,
    field,
    sleep,
    price: options.price,
    tokensNeeded: maxCost !== undefined,
  });
  const purse = budget(options, { field, unit: 'a question' });
  const asked = explainerQuestions(chatForms);
  const name = `chat explainer ${model} at ${server.where}`;

  const answerTo =
    <I extends ExplainItem | ScoreItem, T>(questionOf: (item: I) => Question<T>) =>
    async (item: I, signal: AbortSignal | undefined): Promise<AnsweredItem<T>> => {
      const share = purse.begin(1);
      if (!share) throw new Stopped(purse.usedUp());
      try {
        return { ...(await ask(questionOf(item), share, signal)), why: null };
      } catch (error) {
        if (share.spent().calls > 0) await options.onLost?.(item, share.spent());
        throw error;
      } finally {
        share.end();
      }
    };
  const toExplain = (item: ExplainItem): Question<string> => ({
    content: asked.explain(item),
    schema: explanationSchema,
    schemaName: 'explanation',
    read: explanationIn,
    wanted: ['an explanation', ' of one sentence'],
  });
  const toScore = (item: ScoreItem): Question<readonly (boolean | null)[]> => ({
    content: asked.score(item),
    schema: answersSchema,
    schemaName: 'answers',
    read: (text, reply) => answersIn(text, item.passages.length, reply),
    wanted: ['answers', ` for ${item.passages.length} passages`],
  });
  const score = answering(
    name,
    concurrency,
    answerTo(toScore),
    answers<ScoreItem, readonly (boolean | null)[]>('answer', 'questions'),
  );
  return {
    name,
    explain: answering(name, concurrency, answerTo(toExplain), answers('explanation', 'latents')),
    score: (items, onAnswer, signal) => score(items, onAnswer, signal, 'stand'),
    close: async () => undefined,
  };
}
