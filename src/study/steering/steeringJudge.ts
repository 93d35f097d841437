/**
 * The study's judge as a causal test asks it: what was spent on it before, and how it did where it was
 * trained just now.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Judge } from '../../judges/judge.ts';
import { resultFiles } from '../../results.ts';
import { gradeCounts } from '../judging/2-grade.ts';
import { judgeLines } from '../judging/judgeReport.ts';
import { openKeptJudge } from '../judging/keptJudge.ts';
import { readGrades } from '../open/records.ts';
import type { OpenStudy } from '../open/study.ts';
import type { Journal } from '../store/journal.ts';
import type { Grader, SteeringRecord, VerdictRecord } from './work.ts';

export const graderOf =
  (judge: Judge): Grader =>
  (items, onVerdict, refusals) =>
    judge.grade(items, onVerdict, undefined, refusals);

/** What was spent on the study's judge so far; a trial's cost holds that of its verdicts. */
async function spentOf(folder: string, journal: Journal<SteeringRecord>, before: readonly SteeringRecord[]) {
  const grades = [...(await readGrades(folder)).values()];
  const graded = gradeCounts(grades);
  let [calls, price, dearest] = [graded.calls!, graded.price!, 0];
  for (const { cost } of grades) dearest = Math.max(dearest, cost.price);
  const isInTrial = ({ trial, trial_content }: VerdictRecord) => {
    const found = journal.records.get(trial);
    return found?.kind === 'trial' && found.content === trial_content;
  };
  for (const record of [...before, ...journal.records.values()])
    if (record.kind === 'trial' || (record.kind === 'verdict' && !isInTrial(record))) {
      calls += record.cost.calls;
      price += record.cost.price;
      if (record.kind === 'verdict') dearest = Math.max(dearest, record.cost.price);
    }
  return { calls, price, dearest };
}

/**
 * Opens the study's judge; tells how it did where it was trained just now. What it cost is counted from the grades, the
 * journal, and what was `spentBefore` by a stage that is done.
 */
export async function openedJudge(
  study: OpenStudy,
  journal: Journal<SteeringRecord>,
  spentBefore: readonly SteeringRecord[] = [],
): Promise<Judge> {
  const { folder, progress } = study;
  const stamp = () =>
    stat(join(folder, resultFiles.judge)).then(
      ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
      () => undefined,
    );
  const before = await stamp();
  let lines: string[] = [];
  const judge = await openKeptJudge(study, {
    spent: await spentOf(folder, journal, spentBefore),
    onReport(report) {
      lines = judgeLines(report);
    },
  });
  if ((await stamp()) !== before) lines.forEach(progress.note);
  return judge;
}
