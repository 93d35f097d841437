/** What a family of models says of itself: how to read its config, and how its GGUF files name things. */
import { InputError } from '../errors.ts';
import type { Decoder } from './decoder.ts';

export type Metadata = ReadonlyMap<string, unknown>;

/** A tensor's name in the published (Hugging Face) layout, and the heads whose rows llama.cpp interleaved. */
export interface Renamed {
  readonly target: string;
  readonly unpermuteHeads?: number;
}

export interface Family {
  /** `model_type` of its config.json */
  readonly modelType: string;
  /** From a parsed config.json; throws ZodError where a field is missing or not supported. */
  decoder(config: unknown): Decoder;
  readonly gguf: {
    /** `general.architecture` of its GGUF files */
    readonly architecture: string;
    /** The config.json that the metadata stand for. */
    config(
      metadata: Metadata,
      tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
      where: string,
    ): unknown;
    /** undefined for a tensor that the family does not have. */
    rename(name: string, config: unknown): Renamed | undefined;
  };
}

/** Typed reads of GGUF metadata, each failing with its key and what was found. */
export function metadataReader(metadata: Metadata, where: string) {
  return {
    /** A number; `fallback` where the key is absent, an error without one. */
    number(key: string, fallback?: number): number {
      const found = metadata.get(key) ?? fallback;
      const value = typeof found === 'bigint' ? Number(found) : found;
      if (typeof value !== 'number')
        throw new InputError(`${where}: metadata ${key}: expected a number, found ${found}`);
      return value;
    },
  };
}
