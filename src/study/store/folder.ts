/** Where a study's working files stand, inside its folder. Knows no content. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { explained } from '../../files/bytes.ts';

export const workFolder = (folder: string): string => join(folder, '.work');

/** Makes the working folder of a study that is there. Throws InputError where it cannot. */
export async function makeWorkFolder(folder: string): Promise<void> {
  await mkdir(workFolder(folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw explained(error, folder);
  });
}

/**
 * The journal of a stage: another for other units, so that going back to earlier options finds what was
 * done under them.
 */
export const journalFile = (
  folder: string,
  { name, key, journalKey = key }: { name: string; key: string; journalKey?: string | undefined },
): string => join(workFolder(folder), `${name}-${journalKey.slice(0, 12)}.jsonl`);

/** What systems say that cannot sync a folder. */
const cannot = new Set(['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM', 'EACCES']);

/** Waits until the disk has the names that were made or replaced in a folder, where the system can tell. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!cannot.has((error as NodeJS.ErrnoException).code ?? '')) throw explained(error, path);
  }
}
