/**
 * The error of a study's judge on its own causal test: a sheet is drawn, people or a second judge read it,
 * and what that tells stands in judge-error.json.
 */
import { dirname, join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonIfThere } from '../../files/ifThere.ts';
import { checked } from '../../files/schema.ts';
import type { VerdictName } from '../../methods/judging/judgeError.ts';
import { drawStratified } from '../../methods/judging/stratified.ts';
import { type JudgeErrorFile, judgeErrorSchema, resultFiles, type SheetError } from '../../results.ts';
import { studyFileAt } from '../config/readStudy.ts';
import type { Progress } from '../open/progress.ts';
import { contentHash } from '../store/hash.ts';
import { outFile } from '../store/outFolder.ts';
import type { ComparedItem } from './comparedFile.ts';
import {
  type CompareRequest,
  compareJudges,
  type JudgeComparison,
  type Measured,
  type OpenJudge,
  raterOf,
} from './compareRun.ts';
import { type GradedText, readGradedTexts, readTestPrompts } from './gradedTexts.ts';
import { readSheet, type SheetRow, writeSheet } from './sheet.ts';
import { sheetErrorOf } from './sheetError.ts';

export interface SampleRequest {
  /** the study's folder */
  readonly folder: string;
  /** how many texts; default 60 */
  readonly count?: number | undefined;
  readonly seed: number;
  /** the sheet to write; may be absent where a judge reads */
  readonly out?: string | undefined;
  /** a judge that reads instead of people, as `compareJudges` takes it */
  readonly by?: string | undefined;
  readonly openJudge: OpenJudge;
  readonly progress: Progress;
}

export interface DrawnSheet {
  readonly rows: number;
  /** of the causal test, from which they were drawn */
  readonly texts: number;
  /** where a judge read it */
  readonly error?: JudgeErrorFile | undefined;
}

/** The judge's incoherent texts tell less of its labels: half as many of them. */
const weightOf = (stratum: string) => (stratum.endsWith('incoherent') ? 1 : 2);

const stratumOf = ({ arm, said }: GradedText) => `${arm} ${said}`;

async function secondVerdicts(
  spec: string,
  rows: readonly SheetRow[],
  ended: ReadonlyMap<string, boolean>,
  { openJudge, progress }: SampleRequest,
): Promise<{ name: string; verdicts: Map<string, VerdictName> }> {
  if (spec === 'label')
    throw new InputError('--by label: expected a judge, found labels: a sheet that is just drawn has none');
  const items = rows.map(
    ({ id, prompt, text }): ComparedItem => ({
      id,
      prompt,
      completion: text,
      ended: ended.get(id)!,
      rating: undefined,
    }),
  );
  const { name, ratings } = await raterOf(spec, items, { file: '--by', openJudge, progress });
  const verdictOf = ({ positive, coherent }: { positive: boolean; coherent: boolean }): VerdictName =>
    !coherent ? 'incoherent' : positive ? 'positive' : 'negative';
  const verdicts = new Map([...ratings].map(([id, rating]) => [id, verdictOf(rating)]));
  if (verdicts.size === 0)
    throw new InputError(`--by ${spec}: expected grades of the sheet's texts, found none`);
  return { name, verdicts };
}

/** The folder of a study that a path names: itself, or that of the study.yaml that it is. */
export const judgedFolder = async (study: string): Promise<string> => dirname(await studyFileAt(study));

/** What the folder's judge-error.json says so far. Throws InputError where it is damaged. */
export async function readJudgeError(folder: string): Promise<JudgeErrorFile> {
  const path = join(folder, resultFiles.judgeError);
  const value = await readJsonIfThere(path);
  return value === undefined ? { sheet: null, agreement: null } : checked(judgeErrorSchema, value, path);
}

/** Changes part of judge-error.json, and keeps the rest. */
async function keepJudgeError(folder: string, part: Partial<JudgeErrorFile>): Promise<JudgeErrorFile> {
  const error = { ...(await readJudgeError(folder)), ...part };
  const text = `${JSON.stringify(error, undefined, 2)}\n`;
  await replaceFile(join(folder, resultFiles.judgeError), (file) => file.writeFile(text));
  return error;
}

const steeredHash = (folder: string) => contentHash(join(folder, resultFiles.steered));

/** Seed of the draws that intervals are made of. */
const intervalSeed = 1;

/**
 * Draws texts of the causal test: as many left alone as steered and as removed, and of each more of those
 * with a label than incoherent ones. Writes them as a sheet, and has a judge read them where one is named.
 * Throws InputError where there is no causal test, or nothing to do with the texts.
 */
export async function sampleSheet(request: SampleRequest): Promise<DrawnSheet> {
  const { folder, count = 60, seed, out, by } = request;
  if (out === undefined && by === undefined)
    throw new InputError('expected --out SHEET.csv for people to fill in, or --by JUDGE, found neither');
  if (out !== undefined) await outFile(out);
  const texts = await readGradedTexts(folder);
  const prompts = await readTestPrompts(folder);
  const drawn = drawStratified(texts, { stratumOf, weightOf, count, seed });
  const rows = drawn.map(({ id, prompt_id, text }): SheetRow => {
    const prompt = prompts.get(prompt_id);
    if (prompt === undefined)
      throw new InputError(
        `${join(folder, resultFiles.steeringSummary)}: expected prompt ${prompt_id}, which steered.jsonl has, found none`,
      );
    return { id, prompt, text };
  });
  if (by === undefined) {
    await writeSheet(out!, rows);
    return { rows: rows.length, texts: texts.length };
  }
  const ended = new Map(drawn.map((text) => [text.id, text.ended]));
  const { name, verdicts } = await secondVerdicts(by, rows, ended, request);
  if (out !== undefined)
    await writeSheet(
      out,
      rows.map((row) => ({ ...row, verdict: verdicts.get(row.id) })),
    );
  const sheet = sheetErrorOf(texts, {
    reader: name,
    steered: await steeredHash(folder),
    rows: rows.length,
    verdicts,
    seed: intervalSeed,
  });
  return { rows: rows.length, texts: texts.length, error: await keepJudgeError(folder, { sheet }) };
}

/**
 * Reads a sheet that people filled in. Throws InputError for a row that is wrong, or where none is filled
 * in.
 */
export async function readFilledSheet(
  folder: string,
  path: string,
): Promise<JudgeErrorFile & { sheet: SheetError }> {
  const texts = await readGradedTexts(folder);
  const byId = new Map(texts.map(({ id, text }) => [id, text]));
  const rows = await readSheet(path, (id) => byId.get(id));
  const verdicts = new Map(rows.flatMap(({ id, verdict }) => (verdict ? [[id, verdict] as const] : [])));
  if (verdicts.size === 0)
    throw new InputError(
      `${path}: expected rows with positive or negative in the column label, or no in coherent; all ${rows.length} are empty`,
    );
  const sheet = sheetErrorOf(texts, {
    reader: 'people',
    steered: await steeredHash(folder),
    rows: rows.length,
    verdicts,
    seed: intervalSeed,
  });
  return { ...(await keepJudgeError(folder, { sheet })), sheet };
}

/** How far the study's judge and a second one agree on the completions that latents are found from. */
export async function compareInStudy(
  folder: string,
  request: Omit<CompareRequest, 'file' | 'a'>,
): Promise<JudgeComparison> {
  const grades = `grades:${join(folder, resultFiles.grades)}`;
  const found = await compareJudges({ ...request, file: join(folder, resultFiles.completions), a: grades });
  const { b, compared, prompts, statistics } = found;
  const estimate = ({ value, low, high }: Measured) =>
    [value, low, high].some(Number.isNaN) ? null : { value, low, high };
  await keepJudgeError(folder, {
    agreement: {
      judge: b.name,
      compared,
      prompts,
      kappa: estimate(statistics.kappa),
      accuracy: estimate(statistics.accuracy),
    },
  });
  return found;
}
