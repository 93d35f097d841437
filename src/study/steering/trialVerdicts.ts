/**
 * What the judge says of a trial's completions; verdicts that are paid for are kept in the journal as they
 * come.
 */
import { InputError } from '../../errors.ts';
import type { JudgeItem } from '../../judges/judge.ts';
import type { TrialRecord } from '../../results.ts';
import { contentOf } from '../store/contentHash.ts';
import { type PlannedTrial, trialName } from './trial.ts';
import type { SteeringPrompt, SteeringWork, VerdictRecord } from './work.ts';

/** The judge stopped before the end; what is done is kept. */
export class JudgeStopped extends Error {}

/** What a trial keeps of a verdict. */
export type KeptVerdict = Pick<
  VerdictRecord,
  'score' | 'label' | 'coherence' | 'coherent' | 'reason' | 'cost'
>;

/** What stands in the place of a verdict where the judge is not asked. */
export const notAsked: KeptVerdict = {
  score: 0,
  label: 'negative',
  coherence: 1,
  coherent: true,
  reason: 'not judged',
  cost: { calls: 0, price: 0 },
};

const keptOf = ({ score, label, coherence, coherent, reason, cost }: KeptVerdict): KeptVerdict => ({
  score,
  label,
  coherence,
  coherent,
  reason,
  cost: { calls: cost.calls, price: cost.price },
});

/** Sums of calls and prices. */
export const costOfVerdicts = (verdicts: readonly KeptVerdict[]): TrialRecord['cost'] =>
  verdicts.reduce((sum, { cost }) => ({ calls: sum.calls + cost.calls, price: sum.price + cost.price }), {
    calls: 0,
    price: 0,
  });

/** A completion's question to the judge, with the prompt as given. */
export interface AskedCompletion {
  readonly prompt: SteeringPrompt;
  readonly item: JudgeItem;
}

/** Told how many completions are graded. */
export type Advance = (completions: number) => void;

/**
 * Verdicts in the order of what is asked: those that were paid before from the journal, the others by the
 * judge. Throws JudgeStopped.
 */
export async function trialVerdicts(
  work: Pick<SteeringWork, 'grade' | 'journal'>,
  trial: PlannedTrial,
  asked: readonly AskedCompletion[],
  advance: Advance,
): Promise<KeptVerdict[]> {
  const contents = new Map(
    asked.map(({ item, prompt }) => [item.id, contentOf(prompt.prompt, item.completion)]),
  );
  const verdicts = paidBefore(work, trial, contents);
  advance(verdicts.size);
  const missing = asked.map(({ item }) => item).filter(({ id }) => !verdicts.has(id));
  if (missing.length > 0)
    await judged(work, trial, missing, async ({ id }, kept) => {
      verdicts.set(id, kept);
      if (kept.cost.calls > 0) await work.journal.append([paidRecord(trial, id, contents.get(id)!, kept)]);
      advance(1);
    });
  return asked.map(({ item }) => verdicts.get(item.id)!);
}

/** The verdicts on these completions, content by id, that an unfinished run of the trial has paid for. */
function paidBefore(
  { journal }: Pick<SteeringWork, 'journal'>,
  trial: PlannedTrial,
  contents: ReadonlyMap<string, string>,
): Map<string, KeptVerdict> {
  const verdicts = new Map<string, KeptVerdict>();
  for (const [id, content] of contents) {
    const found = journal.records.get(id);
    if (found?.kind !== 'verdict') continue;
    if (found.trial_content === trial.content && found.content === content) verdicts.set(id, keptOf(found));
  }
  return verdicts;
}

const paidRecord = (trial: PlannedTrial, id: string, content: string, kept: KeptVerdict): VerdictRecord => ({
  kind: 'verdict',
  id,
  trial: trial.id,
  trial_content: trial.content,
  content,
  ...kept,
});

/**
 * Asks the judge, which has graded what was left alone before it sees what may be refused for what steering
 * makes of it.
 */
async function judged(
  { grade }: Pick<SteeringWork, 'grade'>,
  trial: PlannedTrial,
  items: readonly JudgeItem[],
  onVerdict: (item: JudgeItem, kept: KeptVerdict) => Promise<void>,
): Promise<void> {
  const refusals = trial.arm === undefined ? 'suspect' : 'stand';
  const { stopped } = await grade(items, (item, verdict) => onVerdict(item, keptOf(verdict)), refusals).catch(
    (error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${trialName(trial)}: ${error.message}`, { cause: error });
    },
  );
  if (stopped !== undefined) throw new JudgeStopped(stopped);
}
