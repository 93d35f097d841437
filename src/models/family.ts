/** What a family of models says of itself: how to read its config, and how its GGUF files name things. */
import { InputError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import { type KeyTable, shownValue } from './keys.ts';

export type Metadata = ReadonlyMap<string, unknown>;

/** A tensor's name in the published (Hugging Face) layout, and what llama.cpp's converter did that is undone. */
export interface Renamed {
  readonly target: string;
  /** heads whose rows were interleaved */
  readonly unpermuteHeads?: number;
  /** heads whose queries, keys and values were put together by kind */
  readonly interleaveHeads?: number;
  /** whether the matrix was transposed */
  readonly transposed?: boolean;
  /** what is added to each value */
  readonly offset?: number;
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
  /**
   * The name under which the decoder reads a tensor of a published file; undefined for one of another part of the
   * model, as of its pictures. Default: its own.
   */
  publishedName?(name: string): string | undefined;
  /** `model_type` of configs that hold this family's own as `text_config`; default none */
  readonly within?: string;
  /** From a parsed config.json; throws ZodError where a field is missing or not supported. */
  decoder(config: unknown): Decoder;
  /** default: llama.cpp writes its files as those of another */
  readonly gguf?: {
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

/** A family whose GGUF files are read. */
export type GgufFamily = Family & { readonly gguf: NonNullable<Family['gguf']> };

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
