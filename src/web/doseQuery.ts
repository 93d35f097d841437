/** Latents and their doses as they stand in the address: `latent=320,7&dose=-0.2,0.1`. */
import type { SteerBody } from '../results.ts';
import type { Query } from './routes.ts';

export type Dose = SteerBody['latents'][number];

export const usualDose = -0.2;

const parts = (text: string | undefined) => (text === undefined || text === '' ? [] : text.split(','));

/** What is no number of a latent is left out; a dose that is none is the usual one. */
export function dosesIn({ latent, dose }: Query): Dose[] {
  const doses = parts(dose);
  return parts(latent).flatMap((text, i) => {
    if (!/^\d+$/.test(text)) return [];
    const given = Number(doses[i] ?? Number.NaN);
    return [{ latent: Number(text), dose: Number.isFinite(given) ? given : usualDose }];
  });
}

/** Doses come from float32: −0.2 is meant where −0.20000000298 is written. */
const plain = (dose: number) => Number(dose.toPrecision(6));

export const queryOf = (doses: readonly Dose[]): Query => ({
  latent: doses.map(({ latent }) => latent).join(','),
  dose: doses.map(({ dose }) => plain(dose)).join(','),
});
