/**
 * The records that stand in a study's folder, read whole. Throws InputError where a file is missing or
 * damaged.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { isThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { readJsonl, readJsonlAll } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import {
  type CompletionRecord,
  completionRecord,
  decodeLatents,
  decodeSteering,
  type GradeRecord,
  gradeRecord,
  imported,
  type LatentRow,
  type PairRecord,
  pairRecord,
  type RankedSteeringRow,
  resultFiles,
  type SteeringSummary,
  steeringSummarySchema,
} from '../../results.ts';

export const readCompletions = (folder: string): Promise<CompletionRecord[]> =>
  readJsonlAll(join(folder, resultFiles.completions), completionRecord);

/** Mean tokens of the completions that were sampled; `otherwise` before there are any. */
export async function meanTokens(folder: string, otherwise: number): Promise<number> {
  if (!(await isThere(join(folder, resultFiles.completions)))) return otherwise;
  const lengths = (await readCompletions(folder)).flatMap(({ ids }) => ids?.length ?? []);
  return lengths.length === 0 ? otherwise : lengths.reduce((sum, n) => sum + n, 0) / lengths.length;
}

/** Grades by completion. */
export async function readGrades(folder: string): Promise<Map<string, GradeRecord>> {
  const grades = await readJsonlAll(join(folder, resultFiles.grades), gradeRecord);
  return new Map(grades.map((grade) => [grade.id, grade]));
}

export const readPairRecords = (folder: string): Promise<PairRecord[]> =>
  readJsonlAll(join(folder, resultFiles.pairs), pairRecord);

/** The first record of a file; undefined where the file is absent or empty. */
async function firstRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  if (!(await isThere(path))) return undefined;
  for await (const { value } of readJsonl(path, schema)) return value;
  return undefined;
}

/** Whether the first completion says that it was not made by culprit. */
export const completionsAreImported = async (folder: string): Promise<boolean> =>
  (await firstRecord(join(folder, resultFiles.completions), completionRecord))?.model === imported;

/** Whether the first grade says that it was not given by culprit. */
export const gradesAreImported = async (folder: string): Promise<boolean> =>
  (await firstRecord(join(folder, resultFiles.grades), gradeRecord))?.judge === imported;

/** What attribution came to, first rank first. */
export const readLatents = async (folder: string): Promise<LatentRow[]> =>
  decodeLatents(Uint8Array.from(await readFile(join(folder, resultFiles.latents))).buffer);

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
