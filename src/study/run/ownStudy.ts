/** study.yaml with the sections of the stages that a study has. */
import { readStudyWith, type Study } from '../config/readStudy.ts';
import type { StudyStage } from '../open/stage.ts';
import { sectionsOf, stages } from './stages.ts';

/** The study of a folder with study.yaml, or of such a file. Throws InputError as `readStudyWith` does. */
export const readStudy = (path: string, list: readonly StudyStage[] = stages): Promise<Study> =>
  readStudyWith(path, sectionsOf(list));
