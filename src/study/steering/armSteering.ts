/** What an arm does to the residual stream: docs/method.md section 5. */
import {
  addedVector,
  combined,
  latentSubtracted,
  projectionsHeldAt,
  type Steering,
} from '../../methods/steering/steer.ts';
import type { Side } from '../../results.ts';
import { type Arm, tokensUnder } from './trial.ts';
import type { SteeringWork } from './work.ts';

/** Undefined where the residual is left alone. */
export async function steeringOf(
  { sides, held, options }: Pick<SteeringWork, 'sides' | 'held' | 'options'>,
  side: Side,
  arm: Arm | undefined,
): Promise<Steering | undefined> {
  if (arm === undefined) return undefined;
  const { direction, operation, dose } = arm;
  const tokens = tokensUnder(operation, options);
  if (tokens === null) return undefined;
  const vectors = await direction.vectors();
  switch (operation) {
    case 'add': {
      const amount = dose * direction.sign * sides[side].norm;
      return addedVector(
        vectors[0]!.map((x) => amount * x),
        tokens,
      );
    }
    case 'subtract':
      return latentSubtracted(direction.latent!, vectors[0]!, tokens);
    case 'patch':
      return projectionsHeldAt(vectors, held.subject, { tokens });
    case 'cap':
      return combined(
        vectors.map((one, k) => ({ kind: 'cap', direction: one, value: direction.caps![k]! })),
        tokens,
      );
    default:
      return projectionsHeldAt(vectors, held.baseline, { tokens });
  }
}
