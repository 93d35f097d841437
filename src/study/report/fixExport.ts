/**
 * A study's fix as a folder that needs no culprit: the vectors, a hook for PyTorch's transformers, and a card that says
 * what it is and what it was measured to do. Changes nothing in the study.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { explained } from '../../files/bytes.ts';
import { isThere } from '../../files/ifThere.ts';
import { resultFiles } from '../../results.ts';
import { readFix } from '../fix/fixFiles.ts';
import { readStudy } from '../run/ownStudy.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { outFolder } from '../store/outFolder.ts';
import { changedSince } from '../store/stageState.ts';
import { fixCard, fixHook, hookName } from './fixHook.ts';
import { type Staleness, stalenessOf } from './stale.ts';

export interface FixExport {
  readonly files: readonly string[];
  /** whether the fix is of an earlier state of the study */
  readonly staleness: Staleness;
}

/** Throws InputError where the study has no fix yet or its files were changed, NothingToWorkOn where it found none. */
export async function exportFix({
  study,
  out,
  cacheDir,
}: {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  readonly out: string;
  readonly cacheDir?: string | undefined;
}): Promise<FixExport> {
  const { folder } = await readStudy(study);
  const path = join(folder, resultFiles.fix);
  const made = (await readStudyManifest(folder))?.stages.fix;
  if (made === undefined || !(await isThere(path)))
    throw new InputError(`${path}: no such file: \`culprit fix ${study}\` makes it`);
  const changed = await changedSince(folder, [resultFiles.fix, resultFiles.fixVectors]);
  if (changed !== undefined) throw new InputError(changed);
  const record = await readFix(folder);
  const { fix } = record;
  if (fix === null)
    throw new NothingToWorkOn(
      `${path}: expected a fix, found that none of ${record.search.sets.length} sets of latents was one`,
    );
  await outFolder(out);
  const at = (name: string) => join(out, name);
  const vectors = at(resultFiles.fixVectors);
  await copyFile(join(folder, resultFiles.fixVectors), vectors).catch((error: unknown) => {
    throw explained(error, vectors);
  });
  const put = (name: string, text: string) => replaceFile(at(name), (file) => file.writeFile(text));
  await put(hookName, fixHook);
  await put('README.md', fixCard({ ...record, fix }, made));
  return {
    files: [vectors, at(hookName), at('README.md')],
    staleness: await stalenessOf(folder, cacheDir),
  };
}
