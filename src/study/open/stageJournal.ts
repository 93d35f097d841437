/** The journal of a stage that keeps its own records, whatever its units are. */
import type { z } from 'zod';
import { journalFile, makeWorkFolder } from '../store/folder.ts';
import { type Journal, openJournal } from '../store/journal.ts';
import type { Stage } from '../store/stageState.ts';
import type { OpenStudy } from './study.ts';

/** Opened in the study's work folder, which is made; before records are kept, what they rest on is checked. */
export async function stageJournal<S extends z.ZodType<{ readonly id: string }>>(
  { folder, clock, progress, recorder }: OpenStudy,
  stage: Stage,
  schema: S,
): Promise<Journal<z.output<S>>> {
  await makeWorkFolder(folder);
  const options = { clock, note: progress.note, check: recorder.check };
  return openJournal(journalFile(folder, stage), schema, ({ id }) => id, options);
}
