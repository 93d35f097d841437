/**
 * A judge that reads completions with a model and weighs what it reads: one number for the behaviour, one
 * for coherence. Knows neither the model nor the weights: both are given as functions.
 *
 * A text is read once, whatever its prompt's other completions are, and many texts are read in one call. So a
 * reading must be the same bits in any company (src/models/sideBySide.ts).
 */
import { labelled } from './grading.ts';
import { free, type Judge, type JudgeItem, type Verdict } from './judge.ts';

/** Two probabilities of one completion. */
export interface Assessment {
  readonly behaviour: number;
  readonly coherence: number;
}

/** A prompt with completions of it. */
export interface PromptedTexts {
  readonly prompt: JudgeItem['prompt'];
  readonly completions: readonly string[];
}

export interface ClassifierOptions<Reading> {
  readonly name: string;
  readonly identity: unknown;
  /** probability of the behaviour from which a completion is positive; default 0.5 */
  readonly threshold?: number | undefined;
  /** One reading for each completion, in order; none of them is blank, and no two of a prompt are equal. */
  read(texts: readonly PromptedTexts[]): Promise<readonly (readonly Reading[])[]>;
  assess(reading: Reading): Assessment;
  close(): Promise<void>;
}

/** Texts that are read in one call, about: what a run that is killed loses, at most. */
const readTogether = 96;

/** Items of one prompt, with what is known of their texts; a blank one has no assessment. */
interface Group {
  readonly prompt: JudgeItem['prompt'];
  readonly items: JudgeItem[];
  readonly known: Map<string, Assessment>;
}

/** Texts that are to be read, each once. */
const unknownIn = ({ items, known }: Group): string[] =>
  [...new Set(items.map(({ completion }) => completion))]
    .filter((text) => text.trim() !== '' && !known.has(text))
    .sort();

/** Groups in portions of about so many texts to be read. */
function* portions(groups: readonly Group[]): Generator<Group[]> {
  let portion: Group[] = [];
  let texts = 0;
  for (const group of groups) {
    portion.push(group);
    texts += unknownIn(group).length;
    if (texts < readTogether) continue;
    yield portion;
    portion = [];
    texts = 0;
  }
  if (portion.length > 0) yield portion;
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

/** Grades prompt by prompt, some prompts at a time. */
export function classifierJudge<Reading>(options: ClassifierOptions<Reading>): Judge {
  const { name, identity, threshold = 0.5 } = options;
  const assessed = new Map<string, Map<string, Assessment>>();

  /** Items of the same prompt together, in the order of their first appearance. */
  function byPrompt(items: readonly JudgeItem[]): Group[] {
    const groups = new Map<string, Group>();
    for (const item of items) {
      const key = JSON.stringify(item.prompt);
      const known = assessed.get(key) ?? new Map<string, Assessment>();
      assessed.set(key, known);
      const own = groups.get(key) ?? { prompt: item.prompt, items: [], known };
      own.items.push(item);
      groups.set(key, own);
    }
    return [...groups.values()];
  }

  async function assess(groups: readonly Group[]): Promise<void> {
    const asked = groups
      .map((group) => ({ group, completions: unknownIn(group) }))
      .filter(({ completions }) => completions.length > 0);
    if (asked.length === 0) return;
    const readings = await options.read(
      asked.map(({ group: { prompt }, completions }) => ({ prompt, completions })),
    );
    for (const [i, { group, completions }] of asked.entries())
      for (const [k, text] of completions.entries()) group.known.set(text, options.assess(readings[i]![k]!));
  }

  return {
    name,
    identity,
    async grade(items, onVerdict, signal) {
      for (const portion of portions(byPrompt(items))) {
        signal?.throwIfAborted();
        await assess(portion);
        for (const { items: own, known } of portion)
          for (const item of own) {
            signal?.throwIfAborted();
            const assessment = known.get(item.completion);
            await onVerdict(item, assessment ? verdictOf(assessment, threshold) : blankVerdict(threshold));
          }
      }
      return {};
    },
    close: () => options.close(),
  };
}
