/** The records that stand in a study's folder, read whole. Throws InputError where a file is missing or damaged. */
import { join } from 'node:path';
import { readJsonlAll } from '../../files/jsonl.ts';
import {
  type CompletionRecord,
  completionRecord,
  type GradeRecord,
  gradeRecord,
  type PairRecord,
  pairRecord,
  resultFiles,
} from '../../results.ts';

export const readCompletions = (folder: string): Promise<CompletionRecord[]> =>
  readJsonlAll(join(folder, resultFiles.completions), completionRecord);

/** Grades by completion. */
export async function readGrades(folder: string): Promise<Map<string, GradeRecord>> {
  const grades = await readJsonlAll(join(folder, resultFiles.grades), gradeRecord);
  return new Map(grades.map((grade) => [grade.id, grade]));
}

export const readPairs = (folder: string): Promise<PairRecord[]> =>
  readJsonlAll(join(folder, resultFiles.pairs), pairRecord);
