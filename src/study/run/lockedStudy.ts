/** A study opened and held alone, for what works on its results beside the stages. */
import type { OpenStudy } from '../open/study.ts';
import { lockStudy } from '../store/lock.ts';
import { openFor, type StudyRequest } from './studyRun.ts';

/** What opens a study; nothing of its stages is run. */
export type LockedRequest = Omit<StudyRequest, 'stages' | 'redo' | 'accept' | 'before'>;

/** What `work` gives; the study is closed and free again then, also where it throws. Throws InputError as `openFor`. */
export async function withLockedStudy<T>(
  request: LockedRequest,
  work: (study: OpenStudy) => Promise<T>,
): Promise<T> {
  const study = await openFor(request);
  try {
    const unlock = await lockStudy(study.folder, study.clock, study.progress.note);
    try {
      return await work(study);
    } finally {
      await unlock();
    }
  } finally {
    await study.close();
  }
}
