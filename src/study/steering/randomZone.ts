/** The effects of the random latents under one operation, which others are compared with. */
import { InputError } from '../../errors.ts';
import { type ArmOutcome, effectIn } from './armOutcome.ts';
import type { SteeringWork } from './work.ts';

/** Fewer effects than these make no gray zone, of so many random latents. */
const leastEffects = (random: number) => Math.max(3, Math.ceil(random / 2));

/**
 * Throws InputError where too few random latents have an effect to make a gray zone of. `limit`: share of
 * incoherent completions, at most, of a dose.
 */
export function checkRandomEffects(
  random: readonly ArmOutcome[],
  limit: number,
  { doses }: Pick<SteeringWork['options'], 'doses'>,
): void {
  const effects = random.filter((one) => !Number.isNaN(effectIn(one)));
  const needed = leastEffects(random.length);
  if (effects.length >= needed) return;
  const { side } = random[0]!;
  throw new InputError(
    [
      `steering ${side}: no gray zone`,
      `${effects.length} of the ${random.length} random latents (steering.random) have an effect, expected at least ${needed}`,
      withoutEffects(random, doses[0]!, limit),
    ].join(': '),
  );
}

/** Why random latents have no effect. */
function withoutEffects(random: readonly ArmOutcome[], weakest: number, limit: number): string {
  const none = random.filter((one) => Number.isNaN(effectIn(one)));
  const noDose = none.filter(({ stage }) => stage === 'no dose').length;
  const broken = none.length - noDose;
  return [
    noDose > 0 &&
      `even the weakest dose, ${weakest} (steering.doses), leaves more than ${(100 * limit).toFixed(0)} % of the completions incoherent for ${noDose} of them`,
    broken > 0 && `all completions of the evaluation prompts are incoherent for ${broken} of them`,
  ]
    .filter(Boolean)
    .join('; ');
}
