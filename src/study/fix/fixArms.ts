/** Sets of latents as what an arm of a causal test works along. */
import type { Role } from '../../results.ts';
import type { FixOperation } from '../config/sections/fix.ts';
import { latentName, type TestedDirection } from '../steering/direction.ts';
import type { Arm } from '../steering/trial.ts';
import type { FixLatent } from './fixSets.ts';

/** Of each latent the bound that a cap keeps σ times its projection below. */
export type Caps = ReadonlyMap<number, number>;

const setName = (latents: readonly FixLatent[]): string =>
  latents.map(({ latent }, i) => (i === 0 ? latentName(latent) : `${latent}`)).join(' + ');

const signed = ({ sign, direction }: FixLatent) => (sign === 1 ? direction : direction.map((x) => -x));

/** A set removed: the projections on its directions held at the baseline's. Capped: those on σ d below their bounds. */
export function setArm(
  latents: readonly FixLatent[],
  operation: FixOperation,
  caps: Caps,
  role: Role = 'group',
): Arm {
  const vectors = latents.map((one) => (operation === 'cap' ? signed(one) : one.direction));
  const direction: TestedDirection = {
    name: setName(latents),
    role,
    latent: latents.length === 1 ? latents[0]!.latent : null,
    sign: 1,
    vectors: async () => vectors,
    ...(operation === 'cap' && { caps: latents.map(({ latent }) => caps.get(latent)!) }),
  };
  return { direction, operation, dose: 0 };
}
