/** Whether two studies speak of the same latents. */
import type { StudyManifest } from '../results.ts';

/**
 * Whether a latent's number means the same in both: the same dictionary, by its hash; undefined where a
 * manifest does not say.
 */
export function sameDictionary(
  a: StudyManifest | undefined,
  b: StudyManifest | undefined,
): boolean | undefined {
  const [hashA, hashB] = [a, b].map((manifest) => manifest?.stages.attribute?.inputs.sae?.sha256);
  return hashA === undefined || hashB === undefined ? undefined : hashA === hashB;
}
