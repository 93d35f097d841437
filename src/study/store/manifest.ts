/**
 * manifest.json of a study: which stages are done, from what and how, and the hashes of what they made.
 * Knows no stage.
 */

import { join } from 'node:path';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonIfThere } from '../../files/ifThere.ts';
import { checked } from '../../files/schema.ts';
import { resultFiles, type StudyManifest, studyManifestSchema } from '../../results.ts';
import { syncFolder } from './folder.ts';

const manifestFile = (folder: string) => join(folder, resultFiles.manifest);

/** undefined where there is none. Throws InputError where it is damaged, or another command's. */
export async function readStudyManifest(folder: string): Promise<StudyManifest | undefined> {
  const json = await readJsonIfThere(manifestFile(folder));
  return json === undefined ? undefined : checked(studyManifestSchema, json, manifestFile(folder));
}

export async function writeStudyManifest(folder: string, manifest: StudyManifest): Promise<void> {
  await replaceFile(manifestFile(folder), (file) =>
    file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`),
  );
  await syncFolder(folder);
}
