/** The key of an endpoint, from the environment variable that study.yaml names. */
import { InputError } from '../../errors.ts';
import { shownAddress, withoutKey } from '../../judges/secrets.ts';
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

/** The address of an endpoint as results may hold it and terminals show it: without keys. */
export function shownEndpoint(
  { environment }: Pick<OpenStudy, 'environment'>,
  { base_url, api_key_env }: { readonly base_url: string; readonly api_key_env?: string | undefined },
): string {
  const key = api_key_env === undefined ? undefined : environment[api_key_env]?.trim();
  return withoutKey(key)(shownAddress(base_url));
}
