/**
 * An explainer that asks a model which culprit itself runs. Knows no model and no tokenizer: it is handed
 * functions that write, and that score answers.
 */
import { InputError } from '../errors.ts';
import { type AnsweredItem, answers, type Explainer, type ExplainItem, type ScoreItem } from './explainer.ts';
import { explainerQuestions, type ReplyForms } from './explainerQuestions.ts';
import { sentence } from './explainerReply.ts';
import { answering, NoVerdict } from './grading.ts';
import { free, type Message } from './judge.ts';
import { spoken } from './thoughts.ts';

export interface LocalExplainerOptions {
  /** for people */
  readonly model: string;
  /** The likeliest reply; rejects with InputError for a question that the model cannot take. */
  readonly write: (messages: readonly Message[]) => Promise<string>;
  /** ln p of each answer as the reply, summed over its tokens; rejects as `write` */
  readonly ask: (messages: readonly Message[], answers: readonly string[]) => Promise<readonly number[]>;
}

const word = 'Reply with one word, YES or NO.';
export const localForms: ReplyForms = {
  explain: 'What does the feature respond to? Reply with one sentence and nothing else.',
  score: (task) =>
    `${task === 'detection' ? 'Is the feature active in the passage?' : 'Are the marks right?'} ${word}`,
};

const asUser = (content: string): Message[] => [{ role: 'user', content }];

/**
 * Explanations are the likeliest text after any thoughts, to its first line break; a passage is answered yes where YES is
 * likelier than NO. A question that the model cannot take has no answer.
 */
export function localExplainer({ model, write, ask }: LocalExplainerOptions): Explainer {
  const asked = explainerQuestions(localForms);
  const name = `local explainer ${model}`;

  async function explain(item: ExplainItem): Promise<AnsweredItem<string>> {
    const raw = await write(asUser(asked.explain(item))).catch(refusedBy);
    const said = spoken(raw);
    if (said === undefined) throw new NoVerdict('a reply that ends within its thoughts', raw);
    const value = sentence(said.split('\n', 1)[0]!);
    if (value === undefined) throw new NoVerdict('a reply without an explanation of one sentence', raw);
    return { value, why: null, raw, cost: free };
  }
  async function isYes(item: ScoreItem): Promise<boolean> {
    const [yes, no] = await ask(asUser(asked.score(item)), ['YES', 'NO']);
    const odds = (yes ?? Number.NaN) - (no ?? Number.NaN);
    if (Number.isNaN(odds))
      throw new Error(`${item.id}: expected two log-probabilities, found ${yes}, ${no}`);
    return odds > 0;
  }
  async function scored(item: ScoreItem): Promise<AnsweredItem<readonly (boolean | null)[]>> {
    let why: string | null = null;
    const value: (boolean | null)[] = [];
    for (const passage of item.passages)
      try {
        value.push(await isYes({ ...item, passages: [passage] }));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        why ??= error.message;
        value.push(null);
      }
    return { value, why, raw: '', cost: free };
  }
  const score = answering(
    name,
    1,
    scored,
    answers<ScoreItem, readonly (boolean | null)[]>('answer', 'questions'),
  );
  return {
    name,
    explain: answering(name, 1, explain, answers('explanation', 'latents')),
    score: (items, onAnswer, signal) => score(items, onAnswer, signal, 'stand'),
    close: async () => undefined,
  };
}

function refusedBy(error: unknown): never {
  throw error instanceof InputError ? new NoVerdict(error.message) : error;
}
