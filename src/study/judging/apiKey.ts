/** The key of an endpoint, from the environment variable that study.yaml names. */
import { InputError } from '../../errors.ts';
import type { OpenStudy } from '../open/study.ts';

/**
 * Undefined where `variable` is. Throws InputError where it is not set; `field` is where study.yaml names
 * it.
 */
export function keyIn(
  { environment }: Pick<OpenStudy, 'environment'>,
  field: string,
  variable: string | undefined,
): string | undefined {
  if (variable === undefined) return undefined;
  const key = environment[variable];
  if (!key) throw new InputError(`${field}.api_key_env: environment variable ${variable} is not set`);
  return key;
}
