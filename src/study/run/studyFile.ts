/** A study's file, whatever kind of judge it names. */
import { readStudy, type Study } from '../config/readStudy.ts';
import { judgeSection } from '../judging/openJudge.ts';

/** As `readStudy`. */
export const readStudyFile = (path: string): Promise<Study> => readStudy(path, judgeSection());
