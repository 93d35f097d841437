/** Every family, one line each, and how a model's own words choose one. */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { configKeys, looksMathematical } from './configKeys.ts';
import type { Decoder } from './decoder.ts';
import { gemma2 } from './families/gemma2.ts';
import { gemma3 } from './families/gemma3.ts';
import { gpt2 } from './families/gpt2.ts';
import { gptNeox } from './families/gptNeox.ts';
import { granite } from './families/granite.ts';
import { llama } from './families/llama.ts';
import { mistral } from './families/mistral.ts';
import { olmo2 } from './families/olmo2.ts';
import { phi3 } from './families/phi3.ts';
import { qwen2 } from './families/qwen2.ts';
import { qwen3 } from './families/qwen3.ts';
import { smollm3 } from './families/smollm3.ts';
import type { Family, GgufFamily, Metadata } from './family.ts';
import { ggufKeys } from './ggufKeys.ts';
import { checkKeys, shownValue } from './keys.ts';

export const families: readonly Family[] = [
  gemma2,
  gemma3,
  gpt2,
  gptNeox,
  granite,
  llama,
  mistral,
  olmo2,
  phi3,
  qwen2,
  qwen3,
  smollm3,
];

/** The one among `known` that has this name. */
function choose<F>(known: ReadonlyMap<string, F>, name: unknown, where: string): F {
  const found = typeof name === 'string' ? known.get(name) : undefined;
  if (found) return found;
  throw new InputError(
    `${where}: expected one of ${[...known.keys()].join(', ')}, found ${shownValue(name)}`,
  );
}

/** A family, and the config that is its own. */
interface FamilyConfig {
  readonly family: Family;
  readonly config: unknown;
  /** for messages */
  readonly where: string;
}

const typed = z
  .looseObject({ model_type: z.unknown().optional(), text_config: z.unknown().optional() })
  .catch({
    model_type: undefined,
    text_config: undefined,
  });

/**
 * The family that a parsed config.json names. Of a model of pictures and text its text model's, with the config
 * within. Throws InputError where it is unknown.
 */
export function familyOf(config: unknown, where: string, known = families): FamilyConfig {
  const { model_type: type, text_config: text } = typed.parse(config);
  const around = known.find(({ within }) => within !== undefined && within === type);
  if (around && typeof text === 'object' && text !== null)
    return { family: around, config: text, where: `${where}: text_config` };
  const byType = new Map(known.map((family) => [family.modelType, family]));
  return { family: choose(byType, type, `${where}: model_type`), config, where };
}

/**
 * The decoder of a parsed config.json; InputError where the family is unknown, a field is missing or not
 * supported, or a key stands there that changes the arithmetic and is not applied.
 */
export function decoderOf(config: unknown, where: string, known = families): Decoder {
  const found = familyOf(config, where, known);
  const given = new Map(Object.entries(found.config as object));
  checkKeys(given, [found.family.keys, configKeys], looksMathematical, found.where);
  return readDecoder(found.family, found.config, found.where);
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
export function familyOfGguf(metadata: Metadata, where: string, known = families): GgufFamily {
  const count = Number(metadata.get('split.count') ?? 1);
  if (count > 1)
    throw new InputError(
      `${where}: part ${Number(metadata.get('split.no') ?? 0) + 1} of ${count} (split.count): expected a model in one file, as \`llama-gguf-split --merge\` makes it`,
    );
  const architecture = metadata.get('general.architecture');
  const byArchitecture = new Map(
    known
      .filter((family): family is GgufFamily => family.gguf !== undefined)
      .map((f) => [f.gguf.architecture, f]),
  );
  const family = choose(byArchitecture, architecture, `${where}: general.architecture`);
  const isSuspect = (key: string) => key.startsWith(`${family.gguf.architecture}.`);
  checkKeys(metadata, [family.gguf.keys, ggufKeys], isSuspect, where);
  return family;
}
