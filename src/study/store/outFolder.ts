/**
 * Where results go: checked and made before any work is done, so that no work is lost for want of a place
 * to write to.
 */
import { access, constants, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../errors.ts';
import { explained } from '../../files/bytes.ts';
import { isFolderThere } from '../../files/ifThere.ts';

/**
 * mkdir with its parents. Throws InputError where there is none to be made. Node's own `recursive` never
 * returns where a system refuses with ENOENT, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolderThere(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw explained(error, path);
  });
  if (!(await isFolderThere(path))) throw new InputError(`${path}: expected a folder, found a file`);
}

/**
 * Makes the folder where it is missing. Throws InputError, beginning with --out, where it cannot be written
 * to.
 */
export async function outFolder(path: string): Promise<void> {
  await namingOption(path, async () => {
    await makeFolder(path);
    await access(path, constants.W_OK);
  });
}

/**
 * Makes the folder that a file is to stand in. Throws InputError as `outFolder` does, or where the file is
 * a folder.
 */
export async function outFile(path: string): Promise<void> {
  await namingOption(path, async () => {
    if (await isFolderThere(path)) throw new InputError(`${path}: expected a file, found a folder`);
  });
  await outFolder(dirname(path));
}

/** Errors of `check` that are the user's to mend begin with --out. */
async function namingOption(path: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    const told = explained(error, path);
    throw told instanceof InputError ? new InputError(`--out ${told.message}`, { cause: error }) : told;
  }
}
