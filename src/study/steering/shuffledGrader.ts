/**
 * The judge of a control whose labels are shuffled: of a completion it says how coherent it is, but its score and
 * label are lent. Each prompt is lent the labels of one discovery prompt, and each of its completions, steered or
 * left alone, draws one of them: nothing that is done to a model can change their share but by chance.
 */
import type { GradeRecord } from '../../results.ts';
import { readCompletions, readGrades } from '../open/records.ts';
import type { OpenStudy } from '../open/study.ts';
import { jsonHash } from '../store/hash.ts';
import type { Grader } from './work.ts';

type Label = Pick<GradeRecord, 'score' | 'label'>;

/** A number from 0 to n − 1 that depends on these parts alone. */
const drawn = (n: number, ...parts: readonly unknown[]): number =>
  Number.parseInt(jsonHash(parts).slice(0, 12), 16) % n;

/** The labels of the coherent completions of each discovery prompt. */
async function labelsByPrompt(folder: string): Promise<Label[][]> {
  const grades = await readGrades(folder);
  const found = new Map<string, Label[]>();
  for (const { id, prompt_id } of await readCompletions(folder)) {
    const grade = grades.get(id);
    if (grade?.coherent) found.set(prompt_id, [...(found.get(prompt_id) ?? []), grade]);
  }
  return [...found.values()];
}

/** The grader that lends labels, where the study is such a control; else the grader itself. */
export async function controlledGrader({ config, folder }: OpenStudy, grade: Grader): Promise<Grader> {
  if (config.control?.kind !== 'shuffle-labels') return grade;
  const { seed } = config.control;
  const lenders = await labelsByPrompt(folder);
  return (items, onVerdict, refusals) =>
    grade(
      items,
      (item, verdict) => {
        const lender = lenders[drawn(lenders.length, seed, item.prompt)]!;
        const { score, label } = lender[drawn(lender.length, seed, item.id)]!;
        return onVerdict(item, { ...verdict, score, label, reason: 'label of another completion' });
      },
      refusals,
    );
}
