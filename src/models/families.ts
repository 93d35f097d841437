/** Every family, one line each, and how a model's own words choose one. */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import type { Family } from './family.ts';
import { llama } from './llama.ts';

const families: readonly Family[] = [llama];

function choose(names: (family: Family) => string, name: unknown, what: string, where: string): Family {
  const found = families.find((family) => names(family) === name);
  if (found) return found;
  throw new InputError(
    `${where}: ${what}: expected one of ${families.map(names).join(', ')}, found ${JSON.stringify(name)}`,
  );
}

/**
 * The decoder of a parsed config.json; InputError where the family is unknown or a field is missing or not
 * supported.
 */
export function decoderOf(config: unknown, where: string): Decoder {
  const { model_type: type } = z
    .looseObject({ model_type: z.unknown() })
    .catch({ model_type: undefined })
    .parse(config);
  const family = choose((f) => f.modelType, type, 'model_type', where);
  return readDecoder(family, config, where);
}

/** What stands at a path of the config, for messages; nothing for the whole of it. */
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
export function familyOfGguf(architecture: unknown, where: string): Family {
  return choose((f) => f.gguf.architecture, architecture, 'general.architecture', where);
}
