/** Which latents of a study get a page: the first by delta-attribution, and all that steering has confirmed. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLatents, decodeSteering, type LatentRow, resultFiles } from '../../results.ts';

const bytesOf = async (path: string) => Uint8Array.from(await readFile(path)).buffer;

/** Latents with an effect outside the gray zone in both directions; none where the study has no causal test. */
async function confirmed(folder: string): Promise<Set<number>> {
  const path = join(folder, resultFiles.steering);
  if (!existsSync(path)) return new Set();
  const rows = (await decodeSteering(await bytesOf(path))).filter(
    ({ role, outside }) => role === 'candidate' && outside,
  );
  const away = new Set(rows.filter(({ direction }) => direction === 'away').map(({ latent }) => latent));
  return new Set(
    rows.filter(({ direction, latent }) => direction === 'toward' && away.has(latent)).map((r) => r.latent),
  );
}

/** The first `count` by Δ, and the confirmed ones, in the order of their ranks by Δ. */
export async function reportedLatents(folder: string, count: number): Promise<LatentRow[]> {
  const rows = await decodeLatents(await bytesOf(join(folder, resultFiles.latents)));
  const also = await confirmed(folder);
  return rows.filter(({ latent, rank }) => rank <= count || also.has(latent));
}
