/**
 * Completions from elsewhere into a study, with their grades if they have any: a JSON Lines or CSV file in;
 * completions.jsonl and grades.jsonl out, so that pairing starts from there.
 */

import { type FileHandle, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { isThere } from '../../files/ifThere.ts';
import { type CompletionRecord, type GradeRecord, imported, resultFiles } from '../../results.ts';
import { studyFileAt } from '../config/readStudy.ts';
import { type FieldRow, fieldRows } from '../open/fieldRows.ts';
import { contentOf, promptHash } from '../store/contentHash.ts';
import { lockStudy } from '../store/lock.ts';
import { type Clock, systemClock } from '../store/runRecord.ts';
import {
  type FoundFields,
  findFields,
  type ImportedRow,
  type ImportFields,
  type ImportThresholds,
  importRow,
  importThresholds,
  type ScoreScale,
  withScales,
} from './importRow.ts';

export interface ImportRequest {
  /** a JSON Lines file, or a CSV file, whose name ends with .csv */
  readonly file: string;
  /** the study's folder, which has a study.yaml, or that file */
  readonly study: string;
  readonly fields?: ImportFields | undefined;
  readonly thresholds?: Partial<ImportThresholds> | undefined;
  /** the greatest that scores can be; default: as they show */
  readonly scale?: ScoreScale | undefined;
  /** replace the completions that the study has; default false */
  readonly overwrite?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

export interface ImportResult {
  /** the study's */
  readonly folder: string;
  readonly completions: number;
  readonly prompts: number;
  /** how many were graded, and how; incoherent ones are neither positive nor negative */
  readonly positives: number;
  readonly negatives: number;
  readonly incoherent: number;
  /** prompts with a positive and a negative */
  readonly promptsWithBoth: number;
  /** rows left out, by reason */
  readonly skipped: Readonly<Record<string, number>>;
  /** the fields that were read */
  readonly fields: FoundFields;
}

interface Read {
  readonly completions: CompletionRecord[];
  readonly grades: GradeRecord[];
  readonly skipped: Record<string, number>;
  readonly fields: FoundFields;
}

/**
 * Imports a file. Throws InputError for anything wrong in it, with file and line, or where the study has
 * completions; then nothing is changed.
 */
export async function runImport(request: ImportRequest): Promise<ImportResult> {
  const { study, overwrite = false, clock = systemClock } = request;
  const folder = dirname(await studyFileAt(study));
  const read = await readFile(request);
  const release = await lockStudy(folder, clock);
  try {
    await write(folder, read, overwrite);
  } finally {
    await release();
  }
  return { folder, ...resultOf(read) };
}

async function readFile({ file, fields = {}, thresholds, scale }: ImportRequest): Promise<Read> {
  const limits = { ...importThresholds, ...thresholds };
  const read = { completions: [], grades: [], skipped: {} as Record<string, number> };
  const counts = new Map<string, number>();
  const rows: FieldRow[] = [];
  for await (const row of fieldRows(file)) rows.push(row);
  const found = rows[0] && withScales(findFields(rows[0], fields), rows, file, scale);
  for (const row of found ? rows : []) {
    const one = importRow(row, found!, limits);
    if ('skipped' in one) read.skipped[one.skipped] = (read.skipped[one.skipped] ?? 0) + 1;
    else add(read, one, counts);
  }
  if (found === undefined) throw new InputError(`${file}: expected completions, found none`);
  if (read.completions.length === 0)
    throw new InputError(`${file}: expected completions, found none: ${skippedText(read.skipped)}`);
  return { ...read, fields: found };
}

const skippedText = (skipped: Readonly<Record<string, number>>): string =>
  Object.entries(skipped)
    .map(([reason, count]) => `in ${count} rows ${reason}`)
    .join(', ');

/** Adds the records of a row; `counts` holds how many completions each prompt has so far. */
function add(
  { completions, grades }: Pick<Read, 'completions' | 'grades'>,
  { prompt, text, grade }: ImportedRow,
  counts: Map<string, number>,
): void {
  const prompt_id = promptHash(prompt).slice(0, 16);
  const index = counts.get(prompt_id) ?? 0;
  counts.set(prompt_id, index + 1);
  const id = `${prompt_id}/${index}`;
  completions.push({
    id,
    prompt_id,
    index,
    prompt,
    text,
    ids: null,
    log_probabilities: null,
    stop: 'end',
    seed: null,
    model: imported,
  });
  if (grade === undefined) return;
  const { score, label, coherence, coherent, reason } = grade;
  grades.push({
    id,
    content: contentOf(prompt, text),
    score,
    label,
    coherence,
    coherent,
    reason,
    raw: '',
    judge: imported,
    cost: { calls: 0, input_tokens: 0, output_tokens: 0, price: 0 },
  });
}

/**
 * Both files are written before either takes its place, so that what was there stays where writing fails;
 * then the old grades go first and the new ones come last, so that none ever stand beside the completions
 * of another file.
 */
async function write(folder: string, { completions, grades }: Read, overwrite: boolean): Promise<void> {
  const [completionsFile, gradesFile] = [
    join(folder, resultFiles.completions),
    join(folder, resultFiles.grades),
  ];
  for (const file of [completionsFile, gradesFile])
    if (!overwrite && (await isThere(file)))
      throw new InputError(
        `${file}: already exists: add --overwrite to replace the study's completions and grades`,
      );
  const replaceCompletions = () =>
    replaceFile(completionsFile, async (file) => {
      await writeLines(file, completions);
      await rm(gradesFile, { force: true });
    });
  if (grades.length === 0) return replaceCompletions();
  return replaceFile(gradesFile, async (file) => {
    await writeLines(file, grades);
    await replaceCompletions();
  });
}

const recordsAtOnce = 1000;

async function writeLines(file: FileHandle, records: readonly object[]): Promise<void> {
  for (let i = 0; i < records.length; i += recordsAtOnce) {
    const lines = records.slice(i, i + recordsAtOnce).map((record) => `${JSON.stringify(record)}\n`);
    await file.appendFile(lines.join(''));
  }
  await file.sync();
}

function resultOf({ completions, grades, skipped, fields }: Read): Omit<ImportResult, 'folder'> {
  const coherent = grades.filter((grade) => grade.coherent);
  const promptOf = new Map(completions.map(({ id, prompt_id }) => [id, prompt_id]));
  const of = (label: GradeRecord['label']) => coherent.filter((grade) => grade.label === label);
  const promptsOf = (label: GradeRecord['label']) => new Set(of(label).map(({ id }) => promptOf.get(id)));
  const withNegatives = promptsOf('negative');
  return {
    completions: completions.length,
    prompts: new Set(promptOf.values()).size,
    positives: of('positive').length,
    negatives: of('negative').length,
    incoherent: grades.length - coherent.length,
    promptsWithBoth: [...promptsOf('positive')].filter((prompt) => withNegatives.has(prompt)).length,
    skipped,
    fields,
  };
}
