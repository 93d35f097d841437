/** The judge of a study, opened alone. */
import type { Judge } from '../../judges/judge.ts';
import type { Progress } from '../progress.ts';
import { openFor } from '../studyRun.ts';
import { judgeOf } from './openJudge.ts';

/** Opens the judge that a study.yaml names, training it first where it is one that learns. Closing it closes all that it uses. */
export async function openStudyJudge(path: string, progress: Progress): Promise<Judge> {
  const study = await openFor({ study: path, progress });
  try {
    const judge = await judgeOf(study).open();
    return {
      ...judge,
      async close() {
        await judge.close();
        await study.close();
      },
    };
  } catch (error) {
    await study.close();
    throw error;
  }
}
