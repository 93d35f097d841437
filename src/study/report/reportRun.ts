/**
 * A study as one page that opens anywhere: the web app and the result files, with less of them where the
 * page would be too large.
 */
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { InputError } from '../../errors.ts';
import { removeOrphans, replaceFile } from '../../files/atomic.ts';
import { type HeldStudy, resultFiles } from '../../results.ts';
import { outFile } from '../store/outFolder.ts';
import { type Clock, systemClock, versions } from '../store/runRecord.ts';
import { type AppFiles, readApp } from './app.ts';
import { type Cut, cuts, regainable } from './cuts.ts';
import { shownOf } from './shown.ts';
import { type Staleness, stalenessOf } from './stale.ts';
import { type StudyFolder, shownFiles, studyFolders } from './studyFolder.ts';
import { type TrimmedFile, trimmedFile } from './trims.ts';

export interface ReportRequest {
  /** studies, or folders of `culprit attribute --out` */
  readonly studies: readonly string[];
  /** default report.html in the first study */
  readonly out?: string | undefined;
  /** most bytes of the page; default 3 MB */
  readonly maxBytes?: number | undefined;
  readonly cacheDir?: string | undefined;
  /** of the built web app; default where the build puts it */
  readonly appFolder?: string | undefined;
  readonly clock?: Clock | undefined;
}

export interface ReportResult {
  readonly path: string;
  readonly bytes: number;
  /** what was left out, in words, by study's name and file */
  readonly trimmed: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** which stages are of an earlier state of the study, by study's name */
  readonly stale: Readonly<Record<string, Staleness>>;
}

export const reportDefaults = { maxBytes: 3_000_000 };

const gzipped = promisify(gzip);

interface Packed extends TrimmedFile {
  /** base64 of gzip; undefined for too much to pack */
  readonly data: string | undefined;
}

async function packed(content: Uint8Array, most: number): Promise<string | undefined> {
  return content.length > most ? undefined : (await gzipped(content, { level: 9 })).toString('base64');
}

/** The files of a study under a cut. */
type Packer = (cut: Cut) => Promise<Map<string, Packed>>;

/** More than this many bytes for each that there is room for will not pack small enough. */
const mostPacked = 64;

/** Throws InputError where a file is damaged. Packs a file again only where a cut changed it. */
async function packer({ folder }: StudyFolder, maxBytes: number): Promise<Packer> {
  const files = await shownFiles(folder);
  const shownUnder = await shownOf(folder, files);
  const before = new Map<string, Packed>();
  return async (cut) => {
    const shown = shownUnder(cut);
    for (const { path } of files) {
      const trimmed = await trimmedFile(folder, path, cut, shown);
      const known = before.get(path);
      const same = known && Buffer.compare(known.content, trimmed.content) === 0;
      const data = same ? known.data : await packed(trimmed.content, mostPacked * maxBytes);
      before.set(path, { ...trimmed, data });
    }
    return new Map(before);
  };
}

/** The page under a cut; undefined where a file of it is too large to be packed. */
async function pageOf(
  app: AppFiles,
  studies: readonly StudyFolder[],
  packed: readonly ReadonlyMap<string, Packed>[],
  staleness: readonly Staleness[],
  created: string,
): Promise<string | undefined> {
  const held: HeldStudy[] = [];
  for (const [i, { id, name }] of studies.entries()) {
    const files = heldFiles(packed[i]!);
    if (files === undefined) return undefined;
    held.push({ id, name, files, trimmed: wordsOf(packed[i]!), stale: { ...staleness[i]!.stale } });
  }
  const title = `culprit: ${studies.map(({ name }) => name).join(', ')}`;
  const { inlinedPage } = await import('./inlined.ts');
  return inlinedPage(app, title, { version: versions.culprit!, created, studies: held });
}

/** The files as the page holds them; undefined where one is too large to be packed. */
function heldFiles(packed: ReadonlyMap<string, Packed>): HeldStudy['files'] | undefined {
  const files: HeldStudy['files'] = {};
  for (const [path, { content, data }] of packed) {
    if (data === undefined) return undefined;
    files[path] = { size: content.length, data };
  }
  return files;
}

const wordsOf = (packed: ReadonlyMap<string, Packed>): Record<string, string> =>
  Object.fromEntries(
    [...packed].filter(([, { left }]) => left.length > 0).map(([path, { left }]) => [path, left.join('; ')]),
  );

/** A page under a cut. */
interface Cutting {
  /** undefined where a file of it is too large to be packed */
  readonly page: string | undefined;
  readonly bytes: number;
  /** what was left out of each study, by file */
  readonly words: readonly Record<string, string>[];
}

/** The page under the first cut that fits, with what it left out put back, one thing after another, while it fits. */
async function fullest(
  under: (cut: Cut) => Promise<Cutting>,
  maxBytes: number,
): Promise<{ readonly found: Cutting | undefined; readonly least: number }> {
  let least = Number.POSITIVE_INFINITY;
  for (const [i, cut] of cuts.entries()) {
    let found = await under(cut);
    least = Math.min(least, found.bytes);
    if (found.bytes > maxBytes) continue;
    let fitting = cut;
    for (const ways of i === 0 ? [] : regainable(cut, cuts[i - 1]!))
      for (const back of ways) {
        const wider = { ...fitting, ...back };
        const tried = await under(wider);
        if (tried.bytes > maxBytes) continue;
        [found, fitting] = [tried, wider];
        break;
      }
    return { found, least };
  }
  return { found: undefined, least };
}

const shownSize = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

/**
 * Writes the report. Throws InputError for folders that are no studies, damaged files, and a size that no
 * trimming comes down to.
 */
export async function runReport(request: ReportRequest): Promise<ReportResult> {
  const { maxBytes = reportDefaults.maxBytes, clock = systemClock } = request;
  const studies = await studyFolders(request.studies);
  const path = request.out ?? join(studies[0]!.folder, resultFiles.report);
  const app = await readApp(request.appFolder);
  await outFile(path);
  await removeOrphans(dirname(path), basename(path));
  const packers = await Promise.all(studies.map((study) => packer(study, maxBytes)));
  const staleness: Staleness[] = [];
  for (const { folder } of studies) staleness.push(await stalenessOf(folder, request.cacheDir));
  const created = clock().toISOString();
  const under = async (cut: Cut): Promise<Cutting> => {
    const packed: Map<string, Packed>[] = [];
    for (const pack of packers) packed.push(await pack(cut));
    const page = await pageOf(app, studies, packed, staleness, created);
    const bytes = page === undefined ? Number.POSITIVE_INFINITY : Buffer.byteLength(page);
    return { page, bytes, words: packed.map(wordsOf) };
  };
  const { found, least } = await fullest(under, maxBytes);
  if (found?.page !== undefined) {
    const { page, bytes, words } = found;
    await replaceFile(path, (file) => file.writeFile(page));
    const trimmed = studies.map(({ name }, i) => [name, words[i]!] as const);
    const stale = studies.map(({ name }, i) => [name, staleness[i]!] as const);
    return { path, bytes, trimmed: Object.fromEntries(trimmed), stale: Object.fromEntries(stale) };
  }
  throw new InputError(
    [
      `--max-size: expected at least ${shownSize(least)}, the least that`,
      `${studies.map(({ name }) => name).join(', ')} can be cut to, found ${shownSize(maxBytes)}`,
    ].join(' '),
  );
}
