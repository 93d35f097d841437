/** Where results go: checked and made before any work is done, so that no work is lost for want of a place to write to. */
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../errors.ts';
import { explained } from '../../files/bytes.ts';

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** mkdir with its parents. Throws InputError where there is none to be made. Node's own `recursive` never returns where a system refuses with ENOENT, as /proc does. */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw explained(error, path);
  });
  if (!(await isFolder(path))) throw new InputError(`${path}: expected a folder, found a file`);
}

/** Makes the folder where it is missing. Throws InputError, beginning with --out, where it cannot be written to. */
export async function outFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
    await access(path, constants.W_OK);
  } catch (error) {
    const told = explained(error, path);
    throw told instanceof InputError ? new InputError(`--out ${told.message}`) : told;
  }
}

/** Makes the folder that a file is to stand in. Throws InputError as `outFolder` does, or where the file is a folder. */
export async function outFile(path: string): Promise<void> {
  if (await isFolder(path)) throw new InputError(`--out ${path}: expected a file, found a folder`);
  await outFolder(dirname(path));
}
