/**
 * Result files with less in them, in their own formats, so that the same readers read them; and what was
 * left out, in words.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../../files/jsonFile.ts';
import { readJsonl } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import {
  type CompletionRecord,
  completionRecord,
  decodeLatents,
  encodeLatents,
  type GradeRecord,
  gradeRecord,
  type LatentPage,
  latentPageSchema,
  type PairRecord,
  type PassageWindow,
  pairRecord,
  resultFiles,
  type SteeredRecord,
  steeredRecord,
} from '../../results.ts';
import type { Cut } from './cuts.ts';
import { isPage } from './studyFolder.ts';

/** What of a study a cut lets stay. */
export interface Shown {
  /** latents that the study reports on */
  readonly latents: ReadonlySet<number>;
  /** those that were steered too, to which tables lead */
  readonly steered: ReadonlySet<number>;
  /** what Δ is measured on */
  readonly unit: 'pair' | 'prompt';
  keepsPair(id: string): boolean;
  keepsCompletion(id: string): boolean;
}

export interface TrimmedFile {
  readonly content: Uint8Array;
  /** what was left out; empty for nothing, and then the file is as it is on disk */
  readonly left: readonly string[];
}

type Trim = (path: string, cut: Cut, shown: Shown) => Promise<TrimmedFile>;

const isCut = (limit: number) => limit !== Number.POSITIVE_INFINITY;

/** A dose is a name, too: it tells trials apart. */
const exact = new Set(['dose', 'forced_dose']);

function json(value: unknown, { digits }: Cut): string {
  if (!isCut(digits)) return JSON.stringify(value);
  return JSON.stringify(value, (key, x: unknown) =>
    typeof x === 'number' && !Number.isInteger(x) && !exact.has(key) ? Number(x.toPrecision(digits)) : x,
  );
}

const rounding = ({ digits }: Cut): string[] =>
  isCut(digits) ? [`numbers are rounded to ${digits} significant digits`] : [];

const count = (n: number) => n.toLocaleString('en-US');

const whole = async (path: string): Promise<TrimmedFile> => ({ content: await readFile(path), left: [] });

/** A file of lines; `shorter` gives what stays of a record, or undefined. */
async function lines<S extends z.ZodType>(
  path: string,
  schema: S,
  cut: Cut,
  shorter: (record: z.output<S>) => unknown,
  words: (kept: number, total: number) => readonly string[],
): Promise<TrimmedFile> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const { value } of readJsonl(path, schema)) {
    total++;
    const kept = shorter(value);
    if (kept !== undefined) pieces.push(Buffer.from(`${json(kept, cut)}\n`));
  }
  const left = words(pieces.length, total);
  return left.length > 0 ? { content: Buffer.concat(pieces), left } : whole(path);
}

const fewer = (kept: number, total: number, what: string): string[] =>
  kept < total ? [`${count(kept)} of ${count(total)} ${what}`] : [];

function sample({ contrasts, completions }: Cut): string {
  const paired = isCut(contrasts) ? 'the pairs shown' : 'pairs';
  if (completions === 0) return `those of ${paired}`;
  return `those of ${paired} and the first ${completions === 1 ? '' : `${completions} `}of each prompt`;
}

const completions: Trim = (path, cut, shown) => {
  const withoutIds = isCut(cut.completions);
  const withoutLogs = isCut(cut.digits);
  const shorter = (record: CompletionRecord) =>
    shown.keepsCompletion(record.id)
      ? {
          ...record,
          ...(withoutLogs && { log_probabilities: null }),
          ...(withoutIds && { ids: null }),
        }
      : undefined;
  return lines(path, completionRecord, cut, shorter, (kept, total) => [
    ...fewer(kept, total, `completions, ${sample(cut)}`),
    ...(withoutLogs ? [`without log-probabilities${withoutIds ? ' and token ids' : ''}`] : []),
  ]);
};

/** A pattern judge is named by its patterns, which may be long, in every line. */
const longestName = 200;

const grades: Trim = (path, cut, shown) => {
  const withoutRaw = isCut(cut.completions);
  let longNames = 0;
  const shorter = (record: GradeRecord) => {
    if (!shown.keepsCompletion(record.id)) return undefined;
    const isLong = record.judge.length > longestName;
    if (isLong) longNames++;
    return {
      ...record,
      ...(isLong && { judge: `${record.judge.slice(0, longestName)}…` }),
      ...(withoutRaw && { raw: '' }),
    };
  };
  return lines(path, gradeRecord, cut, shorter, (kept, total) => [
    ...fewer(kept, total, `grades, ${sample(cut)}`),
    ...(withoutRaw ? ["without the judge's own words (raw)"] : []),
    ...(longNames > 0 ? [`the judge's name is cut to ${longestName} characters`] : []),
    ...rounding(cut),
  ]);
};

/**
 * Which of n completions keep their texts: as many as asked for, spread evenly, the same ones in trials of
 * the same prompts.
 */
function spread(n: number, asked: number): Set<number> {
  if (asked >= n) return new Set(Array.from({ length: n }, (_, i) => i));
  return new Set(Array.from({ length: asked }, (_, i) => Math.floor((i * n) / asked)));
}

const steered: Trim = (path, cut, shown) => {
  const texts = { kept: 0, all: 0 };
  const withoutLogs = isCut(cut.digits);
  const shorter = (record: SteeredRecord) => {
    if (record.kind === 'forced') return record;
    const { direction, latent } = record;
    const reported = direction === null || (latent !== null && shown.latents.has(latent));
    if (!reported && !cut.otherTrials) return undefined;
    const main = reported && record.part !== 'calibration';
    const wanted = main ? cut.trialTexts : cut.otherTexts ? Number.POSITIVE_INFINITY : 0;
    const keeps = spread(record.completions.length, wanted);
    texts.kept += keeps.size;
    texts.all += record.completions.length;
    const shortened = record.completions.map((one, i) => ({
      ...one,
      ...(withoutLogs && { log_probability: null }),
      ...(!keeps.has(i) && { text: '', reason: '' }),
    }));
    return { ...record, completions: shortened };
  };
  return lines(path, steeredRecord, cut, shorter, (kept, total) => [
    ...fewer(kept, total, 'records, without the trials of latents that are not reported'),
    ...(texts.kept < texts.all
      ? [`${count(texts.kept)} of ${count(texts.all)} completions with their texts; the counts are of all`]
      : []),
    ...(withoutLogs ? ['without log-probabilities'] : []),
    ...rounding(cut),
  ]);
};

/** Which of them stay. */
const strongest = 'those that latents lead to and the strongest of the first';

const pairs: Trim = (path, cut, shown) => {
  const withoutIds = isCut(cut.completions);
  const shorter = (record: PairRecord) =>
    shown.keepsPair(record.id)
      ? { ...record, ...(withoutIds && { positive_tokens: null, negative_tokens: null }) }
      : undefined;
  return lines(path, pairRecord, cut, shorter, (kept, total) => [
    ...fewer(kept, total, `pairs, ${strongest}`),
    ...(withoutIds ? ['without token ids'] : []),
  ]);
};

const pairTokens: Trim = (path, cut, shown) =>
  lines(
    path,
    z.looseObject({ pair: z.string() }),
    cut,
    (record) => (shown.keepsPair(record.pair) ? record : undefined),
    (kept, total) => [...fewer(kept, total, `${shown.unit}s, ${strongest}`), ...rounding(cut)],
  );

function shorterPage(page: LatentPage, { top, others, pagePairs }: Cut): LatentPage {
  const few = (windows: readonly PassageWindow[]) => windows.slice(0, others);
  const { passages } = page;
  return {
    ...page,
    passages: {
      ...passages,
      top: passages.top.slice(0, top),
      quantiles: passages.quantiles.map((part) => ({ ...part, passages: few(part.passages) })),
      zero: few(passages.zero),
    },
    pairs: page.pairs.slice(0, pagePairs),
  };
}

const passageCount = ({ passages: { top, quantiles, zero } }: LatentPage): number =>
  top.length + zero.length + quantiles.reduce((sum, { passages }) => sum + passages.length, 0);

const latentPage: Trim = async (path, cut) => {
  const page = checked(latentPageSchema, await readJson(path), path);
  const shorter = shorterPage(page, cut);
  const left = [
    ...fewer(passageCount(shorter), passageCount(page), 'passages'),
    ...fewer(shorter.pairs.length, page.pairs.length, 'pairs'),
    ...rounding(cut),
  ];
  return left.length > 0 ? { content: Buffer.from(`${json(shorter, cut)}\n`), left } : whole(path);
};

/** The table of every latent: with the first and the last by rank, and those that are reported or were steered. */
const latentTable: Trim = async (path, { latents }, shown) => {
  const content = await readFile(path);
  if (!isCut(latents)) return { content, left: [] };
  const rows = await decodeLatents(Uint8Array.from(content).buffer);
  const kept = rows.filter(
    ({ latent, rank }) =>
      rank <= latents / 2 || rank > rows.length - latents / 2 || shown.steered.has(latent),
  );
  if (kept.length === rows.length) return { content, left: [] };
  const left = fewer(
    kept.length,
    rows.length,
    'latents, the first and the last by rank, those reported and those steered',
  );
  return { content: new Uint8Array(encodeLatents(kept)), left };
};

/** Other files stay whole. */
const byName: Readonly<Record<string, Trim>> = {
  [resultFiles.completions]: completions,
  [resultFiles.grades]: grades,
  [resultFiles.pairs]: pairs,
  [resultFiles.pairTokens]: pairTokens,
  [resultFiles.steered]: steered,
  [resultFiles.latents]: latentTable,
};

/** A result file of a folder, as much of it as the cut says. Throws InputError where it is damaged. */
export function trimmedFile(folder: string, name: string, cut: Cut, shown: Shown): Promise<TrimmedFile> {
  const trim = isPage(name) ? latentPage : (byName[name] ?? whole);
  return trim(join(folder, name), cut, shown);
}
