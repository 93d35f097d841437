/** The judge of a study, opened alone, as `culprit judge compare` is given it. */
import { InputError } from '../../errors.ts';
import { statIfThere } from '../../files/ifThere.ts';
import type { Judge } from '../../judges/judge.ts';
import { judgeOf } from '../judging/openJudge.ts';
import type { Progress } from '../open/progress.ts';
import type { OpenStudy } from '../open/study.ts';
import { lockStudy } from '../store/lock.ts';
import { openFor } from './studyRun.ts';

/** Throws InputError where `path` is neither a folder nor a file that can be a study.yaml. */
async function checkIsStudy(path: string): Promise<void> {
  const refuse = (found: string): never => {
    throw new InputError(
      `${path}: expected a judge (label, grades:FILE, or a study.yaml or its folder), found ${found}`,
    );
  };
  const place = (await statIfThere(path)) ?? refuse('no such file');
  if (place.isFile() && !/\.ya?ml$/i.test(path))
    refuse('a file whose name does not end with .yaml; write grades: before the name of a file of grades');
}

/** Opens the judge; one that is trained into the study's folder has that folder to itself meanwhile. */
async function opened(study: OpenStudy): Promise<Judge> {
  const judge = judgeOf(study);
  if (!judge.trains) return judge.open();
  const unlock = await lockStudy(study.folder, study.clock);
  try {
    return await judge.open();
  } finally {
    await unlock();
  }
}

/**
 * Opens the judge that a study.yaml names, training it first where it is one that learns. Closing it closes
 * all that it uses. Throws InputError where `path` is no study, and where a judge that learns would have to
 * be opened while another run is at work in its study.
 */
export async function openStudyJudge(path: string, progress: Progress): Promise<Judge> {
  await checkIsStudy(path);
  const study = await openFor({ study: path, progress });
  try {
    const judge = await opened(study);
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
