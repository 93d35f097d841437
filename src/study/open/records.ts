/**
 * The records that stand in a study's folder, read whole. Throws InputError where a file is missing or
 * damaged.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../../files/jsonFile.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import {
  type CompletionRecord,
  completionRecord,
  decodeSteering,
  type GradeRecord,
  gradeRecord,
  type PairRecord,
  pairRecord,
  type RankedSteeringRow,
  resultFiles,
  type SteeringSummary,
  steeringSummarySchema,
} from '../../results.ts';

export const readCompletions = (folder: string): Promise<CompletionRecord[]> =>
  readJsonlAll(join(folder, resultFiles.completions), completionRecord);

/** Grades by completion. */
export async function readGrades(folder: string): Promise<Map<string, GradeRecord>> {
  const grades = await readJsonlAll(join(folder, resultFiles.grades), gradeRecord);
  return new Map(grades.map((grade) => [grade.id, grade]));
}

export const readPairRecords = (folder: string): Promise<PairRecord[]> =>
  readJsonlAll(join(folder, resultFiles.pairs), pairRecord);

export interface SteeringResult {
  readonly rows: readonly RankedSteeringRow[];
  readonly summary: SteeringSummary;
}

/** What a causal test came to. */
export async function readSteering(folder: string): Promise<SteeringResult> {
  const summary = join(folder, resultFiles.steeringSummary);
  return {
    rows: await decodeSteering(Uint8Array.from(await readFile(join(folder, resultFiles.steering))).buffer),
    summary: checked(steeringSummarySchema, await readJson(summary), summary),
  };
}
