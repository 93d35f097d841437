/** The gray zone of one direction, from its random latents. Throws where too few of them have an effect. */
import { InputError } from '../../errors.ts';
import { type GrayZone, grayZone } from '../../methods/steering/grayZone.ts';
import type { Side } from '../../results.ts';
import type { LatentOutcome } from './latentOutcome.ts';
import type { SteeringOptions } from './work.ts';

/** Fewer effects than these make no gray zone, of so many random latents. */
const leastEffects = (random: number) => Math.max(3, Math.ceil(random / 2));

/**
 * The zone, and how many effects it is made of. `limit`: share of incoherent completions, at most, of a dose.
 */
export function randomZone(
  side: Side,
  random: readonly LatentOutcome[],
  limit: number,
  { doses, seed }: Pick<SteeringOptions, 'doses' | 'seed'>,
): { zone: GrayZone; effects: number } {
  const effects = random.map(({ effect }) => effect).filter((effect) => !Number.isNaN(effect));
  const needed = leastEffects(random.length);
  if (effects.length < needed)
    throw new InputError(
      [
        `steering ${side}: no gray zone`,
        `${effects.length} of the ${random.length} random latents (steering.random) have an effect, expected at least ${needed}`,
        withoutEffects(random, doses[0]!, limit),
      ].join(': '),
    );
  return { zone: grayZone(effects, { seed }), effects: effects.length };
}

/** Why random latents have no effect. */
function withoutEffects(random: readonly LatentOutcome[], weakest: number, limit: number): string {
  const none = random.filter(({ effect }) => Number.isNaN(effect));
  const noDose = none.filter(({ dose }) => dose === undefined).length;
  const broken = none.length - noDose;
  return [
    noDose > 0 &&
      `even the weakest dose, ${weakest} (steering.doses), leaves more than ${(100 * limit).toFixed(0)} % of the completions incoherent for ${noDose} of them`,
    broken > 0 && `all completions of the evaluation prompts are incoherent for ${broken} of them`,
  ]
    .filter(Boolean)
    .join('; ');
}
