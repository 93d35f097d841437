/** Which directions a study's monitor reads along: its latents, and random ones. */
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { directionsOf } from '../../methods/attribution/score.ts';
import type { FittingOptions } from '../../methods/monitoring/fitted.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import { confirmedLatents, type LatentRow, resultFiles } from '../../results.ts';
import { readAttributionArrays } from '../attribution/attributionFiles.ts';
import { readLatents, readSteering } from '../open/records.ts';
import type { OpenStudy } from '../open/study.ts';

export interface ChosenLatents {
  readonly rows: readonly LatentRow[];
  /** null without a causal test */
  readonly confirmed: readonly number[] | null;
}

/** The confirmed ones, strongest first, else the first by Δ; and the first by Δ in any case. */
async function chosenLatents(
  folder: string,
  rows: readonly LatentRow[],
  first: number,
): Promise<ChosenLatents> {
  const tested = await isThere(join(folder, resultFiles.steering));
  const confirmed = tested
    ? confirmedLatents((await readSteering(folder)).rows).map(({ latent }) => latent)
    : null;
  const byLatent = new Map(rows.map((row) => [row.latent, row]));
  const found = confirmed?.length ? confirmed : rows.slice(0, first).map(({ latent }) => latent);
  const latents = [...new Set([...found, rows[0]!.latent])];
  const unknown = latents.find((latent) => !byLatent.has(latent));
  if (unknown !== undefined)
    throw new InputError(
      `${join(folder, resultFiles.latents)}: expected latent ${unknown}, which ${resultFiles.steering} has, found none`,
    );
  return { rows: latents.map((latent) => byLatent.get(latent)!), confirmed };
}

/** Directions of `count` latents that are ever active and are none of `others`; fewer where there are fewer. */
async function randomDirections(
  study: OpenStudy,
  rows: readonly LatentRow[],
  {
    count,
    others,
    seed,
  }: { readonly count: number; readonly others: readonly number[]; readonly seed: number },
): Promise<Float32Array[]> {
  const sae = await study.sae();
  const alive = rows.filter(({ q, latent }) => q !== null && !others.includes(latent));
  const drawn = shuffled(
    alive.map(({ latent }) => latent).sort((a, b) => a - b),
    generatorOf(seed),
  );
  const found: Float32Array[] = [];
  for (const latent of drawn) {
    if (found.length >= count) break;
    const direction = await directionsOf(sae, [latent]);
    if (direction.some((x) => x !== 0)) found.push(direction);
  }
  return found;
}

export interface ChosenDirections {
  readonly chosen: ChosenLatents;
  readonly options: FittingOptions;
}

/** Throws InputError where the study has no latents yet. */
export async function chosenDirections(
  study: OpenStudy,
  { first, random: count, seed }: { readonly first: number; readonly random: number; readonly seed: number },
): Promise<ChosenDirections> {
  const { folder } = study;
  const path = join(folder, resultFiles.latents);
  if (!(await isThere(path)))
    throw new InputError(`${path}: no such file: \`culprit attribute ${folder}\` makes it`);
  const { sae } = await study.dictionary();
  const rows = await readLatents(folder);
  const chosen = await chosenLatents(folder, rows, first);
  const latents = chosen.rows.map(({ latent }) => latent);
  const directions = await directionsOf(sae, latents);
  const options = {
    latents: chosen.rows.map(({ latent, sign }, k) => ({
      name: `latent ${latent}`,
      direction: directions.subarray(k * sae.width, (k + 1) * sae.width),
      sign,
    })),
    random: await randomDirections(study, rows, { count, others: latents, seed }),
    baseline: (await readAttributionArrays(folder)).baseline,
    seed,
  };
  return { chosen, options };
}
