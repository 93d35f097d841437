/**
 * Folders whose results are shown: what counts as one, and which of its files are result files. Follows no
 * symbolic link out of them.
 */

import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.ts';
import { explained } from '../../files/bytes.ts';
import { ifThere, readJsonIfThere } from '../../files/ifThere.ts';
import { latentOfPage, pageFile, pagesFolder, resultFiles, type ServedFile } from '../../results.ts';

export interface StudyFolder {
  /** fits in a URL, and no two that are shown together have the same */
  readonly id: string;
  readonly name: string;
  /** absolute, without symbolic links */
  readonly folder: string;
}

/**
 * Those of a study's files that are shown; the arrays of an attribution are not, being large and of no use
 * on a page.
 */
const names: readonly string[] = [
  resultFiles.study,
  resultFiles.manifest,
  resultFiles.check,
  resultFiles.completions,
  resultFiles.grades,
  resultFiles.pairs,
  resultFiles.pairTokens,
  resultFiles.latents,
  resultFiles.fidelity,
  resultFiles.controls,
  resultFiles.steering,
  resultFiles.steeringSummary,
  resultFiles.steered,
  resultFiles.judgeError,
  resultFiles.fix,
  resultFiles.trace,
  resultFiles.checkpoints,
];
export const isPage = (path: string): boolean => latentOfPage(path) !== undefined;

/** Whether a path inside a study's folder is that of a result file. */
export const isResultFile = (path: string): boolean => names.includes(path) || isPage(path);

async function fileAt(folder: string, path: string): Promise<ServedFile | undefined> {
  const found = await ifThere(join(folder, path), (own) => lstat(own));
  return found?.isFile() ? { path, size: found.size, modified: found.mtimeMs } : undefined;
}

async function pagePaths(folder: string): Promise<string[]> {
  const pages = join(folder, pagesFolder);
  if (!(await ifThere(pages, (own) => lstat(own)))?.isDirectory()) return [];
  const names = await readdir(pages).catch((error: unknown) => {
    throw explained(error, pages);
  });
  const latents = names.flatMap((name) => latentOfPage(`${pagesFolder}/${name}`) ?? []);
  return latents.sort((a, b) => a - b).map(pageFile);
}

/** The result files that are there now. */
export async function shownFiles(folder: string): Promise<ServedFile[]> {
  const paths = [...names, ...(await pagePaths(folder))];
  const found = await Promise.all(paths.map((path) => fileAt(folder, path)));
  return found.filter((file) => file !== undefined);
}

/** The commands whose folders hold what is shown. */
const shownCommands: readonly unknown[] = ['study', 'attribute'];

/** Throws InputError where a folder is neither a study nor what `culprit attribute --out` made. */
async function checkFolder(folder: string, given: string): Promise<void> {
  if (await fileAt(folder, resultFiles.study)) return;
  const manifest = await readJsonIfThere(join(folder, resultFiles.manifest));
  const command = typeof manifest === 'object' && manifest !== null && Reflect.get(manifest, 'command');
  if (shownCommands.includes(command)) return;
  const found = typeof command === 'string' ? `what \`culprit ${command}\` made` : 'neither';
  throw new InputError(
    `${given}: expected a study (a folder with ${resultFiles.study}) or a folder of \`culprit attribute --out\`, found ${found}`,
  );
}

/** The folder that a path names: itself, or that of the study.yaml that it is. */
async function folderOf(given: string): Promise<string> {
  try {
    const real = await realpath(given);
    return (await lstat(real)).isDirectory() ? real : dirname(real);
  } catch (error) {
    throw explained(error, given);
  }
}

/** `base`, or with a number behind it where that is taken. */
function free(base: string, taken: ReadonlySet<string>, join: string): string {
  if (!taken.has(base)) return base;
  for (let n = 2; ; n++) if (!taken.has(`${base}${join}${n}`)) return `${base}${join}${n}`;
}

/** The folders to show, in the order given, each once. Throws InputError where one cannot be shown. */
export async function studyFolders(paths: readonly string[]): Promise<StudyFolder[]> {
  const found: StudyFolder[] = [];
  for (const given of paths) {
    const folder = await folderOf(given);
    if (found.some((other) => other.folder === folder)) continue;
    await checkFolder(folder, given);
    const slug = basename(folder).replaceAll(/[^A-Za-z0-9_-]+/g, '-') || 'study';
    const id = free(slug, new Set(found.map((other) => other.id)), '-');
    const name = free(basename(folder) || folder, new Set(found.map((other) => other.name)), ' ');
    found.push({ id, name, folder });
  }
  return found;
}
