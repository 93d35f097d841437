/** What a study and its controls came to, side by side, from the files of their folders. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeOrphans, replaceFile } from '../../files/atomic.ts';
import { isFolderThere, isThere } from '../../files/ifThere.ts';
import {
  type ControlledRun,
  type ControlsRecord,
  confirmedBy,
  controlKinds,
  type DirectionEffects,
  effectsOf,
  familyWiseP,
  type LatentRow,
  leastFamilyWiseP,
  resultFiles,
  verdictOf,
} from '../../results.ts';
import { readLatents, readSteering } from '../open/records.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { readStudy } from './ownStudy.ts';

/** Where the controls of a study stand, each in a folder of its name. */
export const controlsFolder = (folder: string): string => join(folder, 'controls');

/** How many of the first latents are compared. */
const first = 100;

const latentsOf = (rows: readonly LatentRow[], count: number) =>
  new Set(rows.slice(0, count).map(({ latent }) => latent));

function strongestRemoval(candidates: readonly DirectionEffects[]) {
  const [found] = candidates
    .filter(({ remove, latent }) => latent !== null && remove?.effect != null)
    .sort((a, b) => familyWiseP(a, 'remove') - familyWiseP(b, 'remove'));
  const row = found?.remove;
  if (row?.latent == null || row.effect === null) return null;
  const { latent, effect, low, high, family_wise_p, way } = row;
  return { latent, effect, low, high, family_wise_p: family_wise_p ?? 1, way };
}

async function testOf(folder: string): Promise<ControlledRun['test']> {
  const candidates = effectsOf((await readSteering(folder)).rows).filter(({ role }) => role === 'candidate');
  const by = candidates.map(confirmedBy);
  return {
    candidates: candidates.length,
    confirmed: {
      remove: by.filter((operations) => operations.includes('remove')).length,
      add: by.filter((operations) => operations.includes('add')).length,
      either: by.filter((operations) => operations.length > 0).length,
    },
    suggestive: candidates.filter((one) => verdictOf(one) === 'suggestive').length,
    least_family_wise_p: Math.min(1, ...candidates.map(leastFamilyWiseP)),
    strongest_removal: strongestRemoval(candidates),
  };
}

/** A folder's row; undefined where it has no finished attribution. */
async function rowOf(
  folder: string,
  own: readonly LatentRow[],
  { control, about }: Pick<ControlledRun, 'control' | 'about'>,
): Promise<ControlledRun | undefined> {
  const { attribute, steer } = (await readStudyManifest(folder))?.stages ?? {};
  if (attribute === undefined || !(await isThere(join(folder, resultFiles.latents)))) return undefined;
  const rows = await readLatents(folder);
  const of = Math.min(first, Math.floor(own.length / 2));
  const theirs = latentsOf(rows, of);
  const { counts } = attribute;
  const { split_half_overlap: overlap, split_half_chance: chance } = counts;
  return {
    control,
    about,
    keys: { attribute: attribute.key, steer: steer?.key ?? null },
    pairs: counts.pairs!,
    q_below_05: counts.q_below_05!,
    alive: counts.alive!,
    first: { latent: rows[0]!.latent, delta: rows[0]!.delta, max_p: counts.first_max_p! },
    split_half: overlap === undefined || chance === undefined ? null : { overlap, chance },
    shared: { latents: [...latentsOf(own, of)].filter((latent) => theirs.has(latent)).length, of },
    test: steer === undefined ? null : await testOf(folder),
  };
}

/** Writes controls.json into the folder of a study, which is attributed. */
export async function writeControls(folder: string): Promise<ControlsRecord> {
  const own = await readLatents(folder);
  const found = [await rowOf(folder, own, { control: null, about: 'The study itself.' })];
  const names = (await isFolderThere(controlsFolder(folder))) ? await readdir(controlsFolder(folder)) : [];
  for (const name of names.sort()) {
    const path = join(controlsFolder(folder), name);
    if (!(await isThere(join(path, resultFiles.study)))) continue;
    const { control } = (await readStudy(path)).config;
    if (control) found.push(await rowOf(path, own, { control: name, about: controlKinds[control.kind] }));
  }
  const record = { runs: found.filter((run) => run !== undefined) };
  await removeOrphans(folder, resultFiles.controls);
  await replaceFile(join(folder, resultFiles.controls), (file) =>
    file.writeFile(`${JSON.stringify(record, undefined, 1)}\n`),
  );
  return record;
}
