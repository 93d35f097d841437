/** The stage `grade` by batches: a study opened for them, as a run would open it. */
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { gradeStage } from '../judging/2-grade.ts';
import { type BatchRead, type BatchWritten, readBatch, writeBatch } from '../judging/batchWork.ts';
import { checkNeeds, checkUnchanged } from '../open/stage.ts';
import type { OpenStudy } from '../open/study.ts';
import { type LockedRequest, withLockedStudy } from './lockedStudy.ts';
import { isImported } from './studyRun.ts';

/** Where questions go where nothing is said, in the study's folder. */
const defaultFile = 'judge-batch.jsonl';

/** Throws InputError where the study is not graded by its judge, or has nothing to grade yet. */
const opened = <T>(request: LockedRequest, work: (study: OpenStudy) => Promise<T>): Promise<T> =>
  withLockedStudy(request, async (study) => {
    const skipped = gradeStage.skip?.(study);
    if (skipped !== undefined) throw new InputError(`grade: the study does not have this stage: ${skipped}`);
    if (await isImported(gradeStage, study.folder))
      throw new InputError(
        'grade: expected grades by the judge, found imported ones, which are used as they are',
      );
    await checkNeeds(gradeStage, study);
    await checkUnchanged(gradeStage, study);
    return work(study);
  });

/** Writes the judge's outstanding questions, to `file` or into the study's folder. */
export const writeJudgeBatch = (request: LockedRequest, file: string | undefined): Promise<BatchWritten> =>
  opened(request, (study) => writeBatch(study, file ?? join(study.folder, defaultFile)));

/** Reads what came back. */
export const readJudgeBatch = (request: LockedRequest, files: readonly string[]): Promise<BatchRead> =>
  opened(request, (study) => readBatch(study, files));
