/**
 * A judge that reads completions with a model and weighs what it reads: one number for the behaviour, one
 * for coherence. Knows neither the model nor the weights: both are given as functions.
 *
 * All completions that are given of a prompt are read together, in an order of their own. A model that
 * packs them (src/models/tree.ts) rounds a little otherwise in other company: numbers are the same to the
 * bit where the same completions of a prompt are graded in one call.
 */
import { labelled } from './grading.ts';
import { free, type Judge, type JudgeItem, type Verdict } from './judge.ts';

/** Two probabilities of one completion. */
export interface Assessment {
  readonly behaviour: number;
  readonly coherence: number;
}

export interface ClassifierOptions<Reading> {
  readonly name: string;
  readonly identity: unknown;
  /** probability of the behaviour from which a completion is positive; default 0.5 */
  readonly threshold?: number | undefined;
  /** One reading for each completion, in order; none of them is blank, and no two are equal. */
  read(prompt: JudgeItem['prompt'], completions: readonly string[]): Promise<readonly Reading[]>;
  assess(reading: Reading): Assessment;
  close(): Promise<void>;
}

/** Items of the same prompt together, in the order of their first appearance. */
function byPrompt(items: readonly JudgeItem[]): JudgeItem[][] {
  const groups = new Map<string, JudgeItem[]>();
  for (const item of items) {
    const key = JSON.stringify(item.prompt);
    const own = groups.get(key) ?? [];
    own.push(item);
    groups.set(key, own);
  }
  return [...groups.values()];
}

function verdictOf({ behaviour, coherence }: Assessment, threshold: number): Verdict {
  return {
    ...labelled(behaviour, coherence, threshold),
    reason: `probability of the behaviour ${behaviour.toFixed(3)}, of coherent text ${coherence.toFixed(3)}`,
    raw: '',
    cost: free,
  };
}

/** Of a completion without text: neither the behaviour nor coherent. */
const blankVerdict = (threshold: number): Verdict => ({
  ...verdictOf({ behaviour: 0, coherence: 0 }, threshold),
  reason: 'no text',
});

/** Grades prompt by prompt. */
export function classifierJudge<Reading>(options: ClassifierOptions<Reading>): Judge {
  const { name, identity, threshold = 0.5 } = options;

  async function assessed(group: readonly JudgeItem[]): Promise<Map<string, Assessment>> {
    const texts = [...new Set(group.map(({ completion }) => completion))];
    const read = texts.filter((text) => text.trim() !== '').sort();
    const readings = read.length === 0 ? [] : await options.read(group[0]!.prompt, read);
    return new Map(read.map((text, i) => [text, options.assess(readings[i]!)]));
  }

  return {
    name,
    identity,
    async grade(items, onVerdict, signal) {
      for (const group of byPrompt(items)) {
        signal?.throwIfAborted();
        const found = await assessed(group);
        for (const item of group) {
          signal?.throwIfAborted();
          const assessment = found.get(item.completion);
          await onVerdict(item, assessment ? verdictOf(assessment, threshold) : blankVerdict(threshold));
        }
      }
      return {};
    },
    close: () => options.close(),
  };
}
