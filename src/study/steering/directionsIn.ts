/** The directions of a causal test from the record of what was chosen. */
import type { Sae } from '../../saes/sae.ts';
import { readAttributionArrays } from '../attribution/attributionFiles.ts';
import type { OpenStudy } from '../open/study.ts';
import { jsonHash } from '../store/hash.ts';
import { unpacked } from '../store/packedVector.ts';
import { ranksOf } from './chosenLatents.ts';
import { attributedBy } from './chosenRecord.ts';
import { gaussianDirections, latentDirection, vectorDirection } from './direction.ts';
import type { ChosenRecord, SteeringWork } from './work.ts';

export async function directionsIn(
  { folder, config }: OpenStudy,
  chosen: ChosenRecord,
  sae: Sae,
): Promise<Pick<SteeringWork, 'candidates' | 'controls' | 'others' | 'held'>> {
  const { sign } = await attributedBy(folder, sae);
  const { gradient } = await readAttributionArrays(folder);
  const latents = (role: 'candidate' | 'random', some: Iterable<number>) =>
    Array.from(some, (latent) => latentDirection(sae, latent, { role, sign: sign[latent] === -1 ? -1 : 1 }));
  const { gaussian, seed } = config.steering;
  return {
    candidates: latents('candidate', ranksOf(chosen.selectors).keys()),
    controls: latents('random', chosen.controls),
    others: [
      ...gaussianDirections(gaussian, seed, gradient),
      ...chosen.comparisons.map(({ name, role, vector, sign }) =>
        vectorDirection(name, role, unpacked(vector), { sign }),
      ),
    ],
    held: {
      baseline: unpacked(chosen.baseline),
      subject: unpacked(chosen.subject_mean),
      hash: jsonHash([chosen.baseline, chosen.subject_mean]),
    },
  };
}
