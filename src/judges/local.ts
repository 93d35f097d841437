/**
 * A judge that asks a model which culprit itself runs, by the likelihood of its answers. Knows no model and
 * no tokenizer: it is handed a function that scores answers.
 *
 * The questions are the chat judge's; the reply is one word, and nothing is sampled.
 */
import { InputError } from '../errors.ts';
import { gradedTogether, labelled, NoVerdict, type VerdictOn } from './grading.ts';
import { free, type Judge, type JudgeItem, type Message } from './judge.ts';
import { type Aspect, type QuestionOptions, type Questions, questions } from './question.ts';

export interface LocalJudgeOptions extends QuestionOptions {
  /** for people */
  readonly model: string;
  /** content hash of the model, its adapter included */
  readonly modelHash: string;
  /**
   * ln p of each answer as the assistant's reply to the messages, summed over its tokens; rejects with
   * InputError for a question that the model cannot take
   */
  readonly ask: (messages: readonly Message[], answers: readonly string[]) => Promise<readonly number[]>;
  /** score from which a completion is positive; default 0.5 */
  readonly threshold?: number | undefined;
}

const answers = ['YES', 'NO'] as const;

const word = 'Reply with one word, YES or NO.';
const replies: Readonly<Record<Aspect, string>> = {
  behaviour: `Does the completion show the behaviour? ${word}`,
  coherence: `Is the completion coherent text? ${word}`,
};

/** What is asked of the model. Throws InputError for a bad template. */
export const localQuestions = (options: QuestionOptions): Questions => questions(options, replies);

/**
 * Score = 1 / (1 + exp(ln p(NO) − ln p(YES))) as the reply to whether the completion shows the behaviour;
 * coherence the same as the reply to whether it is coherent text, coherent from 0.5 on. A small model
 * prefers one word whatever it is asked: compare its judgements with others before relying on them. A
 * completion whose question is refused gets the verdict of those (judge.ts). Throws InputError for a bad
 * template; `grade` rejects with InputError where three in a row are refused, and with an Error where `ask`
 * gives no log-probabilities.
 */
export function localJudge(options: LocalJudgeOptions): Judge {
  const { model, modelHash, ask, threshold = 0.5 } = options;
  const asked = localQuestions(options);

  async function logOdds(aspect: Aspect, item: JudgeItem): Promise<number> {
    const question = [{ role: 'user', content: asked.text(aspect, item) }];
    const [yes, no, ...more] = await ask(question, answers).catch(refusedBy);
    const odds = (yes ?? Number.NaN) - (no ?? Number.NaN);
    if (Number.isNaN(odds) || more.length > 0)
      throw new Error(`${item.id}: expected two log-probabilities, found ${[yes, no, ...more].join(', ')}`);
    return odds;
  }
  const verdictOn: VerdictOn = async (item) => {
    const behaviour = await logOdds('behaviour', item);
    const coherence = await logOdds('coherence', item);
    return {
      ...labelled(sigmoid(behaviour), sigmoid(coherence), threshold),
      reason: `log-odds of YES: ${behaviour.toFixed(2)} shows the behaviour, ${coherence.toFixed(2)} is coherent`,
      raw: '',
      cost: free,
    };
  };
  const name = `local judge ${model}`;
  return {
    name,
    identity: { kind: 'local', model: modelHash, ...asked.identity, threshold },
    grade: gradedTogether(name, 1, verdictOn),
    close: async () => undefined,
  };
}

function refusedBy(error: unknown): never {
  throw error instanceof InputError ? new NoVerdict(error.message) : error;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
