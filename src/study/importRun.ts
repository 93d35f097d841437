/**
 * Completions from elsewhere into a study, with their grades if they have any: a JSON Lines or CSV file in; completions.jsonl and grades.jsonl out, so
 * that pairing starts from there.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { replaceFile } from '../files/atomic.ts';
import { studyFile } from './config/readStudy.ts';
import { fieldRows } from './fieldRows.ts';
import {
  type FoundFields,
  findFields,
  type ImportedRow,
  type ImportFields,
  type ImportThresholds,
  importRow,
  importThresholds,
} from './importRow.ts';
import { type Clock, systemClock } from './manifest.ts';
import { type CompletionRecord, contentOf, type GradeRecord, imported, promptHash } from './records.ts';
import { lockStudy } from './store/lock.ts';

export interface ImportRequest {
  /** a JSON Lines file, or a CSV file, whose name ends with .csv */
  readonly file: string;
  /** the study's folder, which has a study.yaml */
  readonly study: string;
  readonly fields?: ImportFields | undefined;
  readonly thresholds?: Partial<ImportThresholds> | undefined;
  /** replace the completions that the study has; default false */
  readonly overwrite?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

export interface ImportResult {
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

const files = { completions: 'completions.jsonl', grades: 'grades.jsonl' };

interface Read {
  readonly completions: CompletionRecord[];
  readonly grades: GradeRecord[];
  readonly skipped: Record<string, number>;
  readonly fields: FoundFields;
}

/** Imports a file. Throws InputError for anything wrong in it, with file and line, or where the study has completions; then nothing is changed. */
export async function runImport(request: ImportRequest): Promise<ImportResult> {
  const { study, overwrite = false, clock = systemClock } = request;
  if (!existsSync(join(study, studyFile)))
    throw new InputError(
      `${study}: expected a folder with ${studyFile}, found none: \`culprit init\` makes it`,
    );
  const read = await readFile(request);
  const release = await lockStudy(study, clock);
  try {
    await write(study, read, overwrite);
  } finally {
    await release();
  }
  return resultOf(read);
}

async function readFile({ file, fields = {}, thresholds }: ImportRequest): Promise<Read> {
  const limits = { ...importThresholds, ...thresholds };
  const read = { completions: [], grades: [], skipped: {} as Record<string, number> };
  const counts = new Map<string, number>();
  let found: FoundFields | undefined;
  for await (const row of fieldRows(file)) {
    found ??= findFields(row, fields);
    const one = importRow(row, found, limits);
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

/** The grades go first and come last, so that none ever stand beside the completions of another file. */
async function write(study: string, { completions, grades }: Read, overwrite: boolean): Promise<void> {
  const [completionsFile, gradesFile] = [join(study, files.completions), join(study, files.grades)];
  for (const file of [completionsFile, gradesFile])
    if (!overwrite && existsSync(file))
      throw new InputError(
        `${file}: is there already: add --overwrite to replace the study's completions and grades`,
      );
  await rm(gradesFile, { force: true });
  await writeLines(completionsFile, completions);
  if (grades.length > 0) await writeLines(gradesFile, grades);
}

const recordsAtOnce = 1000;

async function writeLines(path: string, records: readonly object[]): Promise<void> {
  await replaceFile(path, async (file) => {
    for (let i = 0; i < records.length; i += recordsAtOnce) {
      const lines = records.slice(i, i + recordsAtOnce).map((record) => `${JSON.stringify(record)}\n`);
      await file.appendFile(lines.join(''));
    }
  });
}

function resultOf({ completions, grades, skipped, fields }: Read): ImportResult {
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
