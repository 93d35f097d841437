/** Which latents of a study get a page: the first by delta-attribution, and all that steering has proven. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLatents, decodeSteering, type LatentRow } from '../../results.ts';
import { attributionFiles } from '../attributionFiles.ts';
import { steeringFiles } from '../steering/steeringFiles.ts';

const bytesOf = async (path: string) => Uint8Array.from(await readFile(path)).buffer;

/** Latents with an effect outside the gray zone in both directions; none where the study has no proof. */
async function proven(folder: string): Promise<Set<number>> {
  const path = join(folder, steeringFiles.rows);
  if (!existsSync(path)) return new Set();
  const rows = (await decodeSteering(await bytesOf(path))).filter(
    ({ role, outside }) => role === 'candidate' && outside,
  );
  const away = new Set(rows.filter(({ direction }) => direction === 'away').map(({ latent }) => latent));
  return new Set(
    rows.filter(({ direction, latent }) => direction === 'toward' && away.has(latent)).map((r) => r.latent),
  );
}

/** The first `count` by Δ, and the proven ones, in the order of their ranks by Δ. */
export async function reportedLatents(folder: string, count: number): Promise<LatentRow[]> {
  const rows = await decodeLatents(await bytesOf(join(folder, attributionFiles.latents)));
  const also = await proven(folder);
  return rows.filter(({ latent, rank }) => rank <= count || also.has(latent));
}
