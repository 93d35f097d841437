/** What a family of models says of itself: how to read its config, and how its GGUF files name things. */
import { InputError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import { type KeyTable, shownValue } from './keys.ts';

export type Metadata = ReadonlyMap<string, unknown>;

/** A tensor's name in the published (Hugging Face) layout, and the heads whose rows llama.cpp interleaved. */
export interface Renamed {
  readonly target: string;
  readonly unpermuteHeads?: number;
}

/** A field that two configs of one model disagree on. */
export interface Difference {
  readonly field: string;
  readonly given: unknown;
  readonly own: unknown;
}

export interface Family {
  /** `model_type` of its config.json */
  readonly modelType: string;
  /** what it does with the keys of config.json; those that all families share are in configKeys.ts */
  readonly keys: KeyTable;
  /** From a parsed config.json; throws ZodError where a field is missing or not supported. */
  decoder(config: unknown): Decoder;
  readonly gguf: {
    /** `general.architecture` of its GGUF files */
    readonly architecture: string;
    /** what it does with the metadata keys of its architecture; those of every file are in ggufKeys.ts */
    readonly keys: KeyTable;
    /** The config.json that the metadata stand for. */
    config(
      metadata: Metadata,
      tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
      where: string,
    ): unknown;
    /**
     * Where two configs of the same weights, a config.json and that of the metadata, say other arithmetic;
     * default nowhere.
     */
    difference?(given: unknown, own: unknown): Difference | undefined;
    /** undefined for a tensor that the family does not have. */
    rename(name: string, config: unknown): Renamed | undefined;
  };
}

/** A list with a number for each block, all the same, stands for that number. */
function sameOfAll(found: unknown): unknown {
  if (!ArrayBuffer.isView(found)) return found;
  const [first, ...rest] = Array.from(found as unknown as ArrayLike<number | bigint>, Number);
  return rest.every((one) => one === first) ? first : found;
}

/** Typed reads of GGUF metadata, each failing with its key and what was found. */
export function metadataReader(metadata: Metadata, where: string) {
  return {
    /** A number; `fallback` where the key is absent, an error without one. */
    number(key: string, fallback?: number): number {
      const found = metadata.get(key) ?? fallback;
      const value = typeof found === 'bigint' ? Number(found) : sameOfAll(found);
      if (typeof value !== 'number')
        throw new InputError(`${where}: metadata ${key}: expected a number, found ${shownValue(found)}`);
      return value;
    },
  };
}
