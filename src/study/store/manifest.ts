/** manifest.json of a study: which stages are done, from what and how, and the hashes of what they made. Knows no stage. */
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonIfThere } from '../../files/jsonFile.ts';
import { checked } from '../../files/schema.ts';
import { syncFolder } from './folder.ts';

const versions = z.record(z.string(), z.string());

const stageRecord = z.object({
  /** hash of inputs, options, earlier stages' results and versions: equal keys mean equal results */
  key: z.string().min(1),
  finished: z.iso.datetime(),
  versions,
  inputs: z.record(z.string(), z.object({ path: z.string(), sha256: z.string() })),
  options: z.record(z.string(), z.json()),
  /** numbers about the results, such as how many completions */
  counts: z.record(z.string(), z.number()),
  /** seconds by part of the work */
  seconds: z.record(z.string(), z.number()),
  /** SHA-256 of the files it made, by their names in the study's folder */
  outputs: z.record(z.string(), z.string()),
  /** those of them that were changed by hand, and accepted so */
  edited: z.array(z.string()),
});
export type StageRecord = z.output<typeof stageRecord>;

const studyManifest = z.object({
  command: z.literal('study'),
  created: z.iso.datetime(),
  /** of the last run that wrote here */
  versions,
  stages: z.record(z.string(), stageRecord),
  /** the stages whose files are being written, or were when a run was stopped */
  writing: z.array(z.string()),
});
export type StudyManifest = z.output<typeof studyManifest>;

const manifestFile = (folder: string) => join(folder, 'manifest.json');

/** undefined where there is none. Throws InputError where it is damaged, or another command's. */
export async function readStudyManifest(folder: string): Promise<StudyManifest | undefined> {
  const json = await readJsonIfThere(manifestFile(folder));
  return json === undefined ? undefined : checked(studyManifest, json, manifestFile(folder));
}

export async function writeStudyManifest(folder: string, manifest: StudyManifest): Promise<void> {
  await replaceFile(manifestFile(folder), (file) =>
    file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`),
  );
  await syncFolder(folder);
}
