/** What an arm does to the residual stream: docs/method.md section 5. */
import { addedVector, projectionsHeldAt, type Steering } from '../../methods/steering/steer.ts';
import type { Side } from '../../results.ts';
import type { Arm } from './trial.ts';
import type { SteeringWork } from './work.ts';

/** Undefined where the model is left alone. */
export async function steeringOf(
  { sides, held, options }: Pick<SteeringWork, 'sides' | 'held' | 'options'>,
  side: Side,
  arm: Arm | undefined,
): Promise<Steering | undefined> {
  if (arm === undefined) return undefined;
  const { direction, operation, dose } = arm;
  const vectors = await direction.vectors();
  switch (operation) {
    case 'add': {
      const amount = dose * direction.sign * sides[side].norm;
      return addedVector(
        vectors[0]!.map((x) => amount * x),
        options.tokens,
      );
    }
    case 'remove':
      return projectionsHeldAt(vectors, held.baseline, { tokens: options.heldTokens });
    case 'patch':
      return projectionsHeldAt(vectors, held.subject, { tokens: options.heldTokens });
  }
}
