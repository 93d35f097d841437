/** Numbers of a model that are not finite end the work where they are first seen. */
import { InputError } from '../errors.ts';

/**
 * Throws InputError unless all values are finite. `what` says whose they are: "the model gives losses".
 */
export function assertFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!))
      throw new InputError(`${what} that are not finite: are its weights damaged?`);
}
