/** Every family, one line each, and how a model's own words choose one. */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import type { Family } from './family.ts';
import { llama } from './llama.ts';

export const families: readonly Family[] = [llama];

/** The one among `known` that `nameOf` gives this name. */
function choose(
  known: readonly Family[],
  nameOf: (family: Family) => string,
  name: unknown,
  where: string,
): Family {
  const found = known.find((family) => nameOf(family) === name);
  if (found) return found;
  throw new InputError(
    `${where}: expected one of ${known.map(nameOf).join(', ')}, found ${JSON.stringify(name)}`,
  );
}

/**
 * The decoder of a parsed config.json; InputError where the family is unknown or a field is missing or not
 * supported.
 */
export function decoderOf(config: unknown, where: string, known = families): Decoder {
  const { model_type: type } = z
    .looseObject({ model_type: z.unknown() })
    .catch({ model_type: undefined })
    .parse(config);
  const family = choose(known, (f) => f.modelType, type, `${where}: model_type`);
  return readDecoder(family, config, where);
}

/** What a path of the config holds, for messages; nothing for the whole of it. */
function found(config: unknown, path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  const value = path.reduce((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], config);
  return `, found ${JSON.stringify(value)}`;
}

/** The decoder of a family's config, with zod's complaints as one line. */
export function readDecoder(family: Family, config: unknown, where: string): Decoder {
  try {
    return family.decoder(config);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const lines = error.issues.map(
      ({ path, message }) => `${path.join('.') || 'config'}: ${message}${found(config, path)}`,
    );
    throw new InputError(`${where}: ${lines.join('; ')}`);
  }
}

/** The family of a GGUF's `general.architecture`. */
export function familyOfGguf(architecture: unknown, where: string, known = families): Family {
  return choose(known, (f) => f.gguf.architecture, architecture, `${where}: general.architecture`);
}
