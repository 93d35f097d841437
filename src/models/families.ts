/** Every family, one line each, and how a model's own words choose one. */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { configKeys, looksMathematical } from './configKeys.ts';
import type { Decoder } from './decoder.ts';
import type { Family, Metadata } from './family.ts';
import { ggufKeys } from './ggufKeys.ts';
import { checkKeys, shownValue } from './keys.ts';
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
    `${where}: expected one of ${known.map(nameOf).join(', ')}, found ${shownValue(name)}`,
  );
}

/**
 * The decoder of a parsed config.json; InputError where the family is unknown, a field is missing or not
 * supported, or a key stands there that changes the arithmetic and is not applied.
 */
export function decoderOf(config: unknown, where: string, known = families): Decoder {
  const { model_type: type } = z
    .looseObject({ model_type: z.unknown() })
    .catch({ model_type: undefined })
    .parse(config);
  const family = choose(known, (f) => f.modelType, type, `${where}: model_type`);
  const given = new Map(Object.entries(config as object));
  checkKeys(given, [family.keys, configKeys], looksMathematical, where);
  return readDecoder(family, config, where);
}

/** What a path of the config holds, for messages; nothing for the whole of it. */
function found(config: unknown, path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  const value = path.reduce((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], config);
  return `, found ${shownValue(value)}`;
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

/**
 * The family of a GGUF's `general.architecture`. Throws InputError where it is unknown, or where the metadata
 * have a key that changes the arithmetic and is not applied.
 */
export function familyOfGguf(metadata: Metadata, where: string, known = families): Family {
  const count = Number(metadata.get('split.count') ?? 1);
  if (count > 1)
    throw new InputError(
      `${where}: part ${Number(metadata.get('split.no') ?? 0) + 1} of ${count} (split.count): expected a model in one file, as \`llama-gguf-split --merge\` makes it`,
    );
  const architecture = metadata.get('general.architecture');
  const family = choose(known, (f) => f.gguf.architecture, architecture, `${where}: general.architecture`);
  const isSuspect = (key: string) => key.startsWith(`${family.gguf.architecture}.`);
  checkKeys(metadata, [family.gguf.keys, ggufKeys], isSuspect, where);
  return family;
}
