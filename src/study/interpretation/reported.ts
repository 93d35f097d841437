/**
 * Which latents of a study get a page: the first by delta-attribution, and all that steering has confirmed.
 */

import { join } from 'node:path';
import { isThere } from '../../files/ifThere.ts';
import { confirmedLatents, type LatentRow, resultFiles } from '../../results.ts';
import { readLatents, readSteering } from '../open/records.ts';

/** The confirmed latents; none where the study has no causal test. */
async function confirmed(folder: string): Promise<Set<number>> {
  if (!(await isThere(join(folder, resultFiles.steering)))) return new Set();
  const { rows } = await readSteering(folder);
  return new Set(confirmedLatents(rows).map(({ latent }) => latent));
}

/** The first `count` by Δ, and the confirmed ones, in the order of their ranks by Δ. */
export async function reportedLatents(folder: string, count: number): Promise<LatentRow[]> {
  const rows = await readLatents(folder);
  const also = await confirmed(folder);
  return rows.filter(({ latent, rank }) => rank <= count || also.has(latent));
}
