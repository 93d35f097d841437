/**
 * Typed reading of a GGUF's metadata. Knows neither the file nor what any key is for.
 */
import { InputError } from '../errors.ts';
import { described } from './schema.ts';

/** What a GGUF header says, by key; 64-bit integers may be bigint. */
export type GgufMetadata = ReadonlyMap<string, unknown>;

/**
 * Reads fields of `metadata`; errors begin with `where` and the key. Each optional field is undefined where
 * its key is absent.
 */
export class GgufFields {
  private readonly metadata: GgufMetadata;
  readonly where: string;

  constructor(metadata: GgufMetadata, where: string) {
    this.metadata = metadata;
    this.where = where;
  }

  has(key: string): boolean {
    return this.metadata.has(key);
  }

  text(key: string): string | undefined {
    const value = this.metadata.get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.unexpected(key, 'a string', value);
  }

  flag(key: string): boolean | undefined {
    const value = this.metadata.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.unexpected(key, 'true or false', value);
  }

  integer(key: string): number | undefined {
    const value = this.metadata.get(key);
    if (value === undefined) return undefined;
    const number = Number(value);
    if ((typeof value === 'number' || typeof value === 'bigint') && Number.isSafeInteger(number))
      return number;
    throw this.unexpected(key, 'an integer', value);
  }

  texts(key: string): readonly string[] {
    const value = this.metadata.get(key);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw this.unexpected(key, 'an array of strings', value);
  }

  numbers(key: string, length: number): readonly number[] {
    const value = this.metadata.get(key);
    const items =
      Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as number[], Number) : [];
    if (items.length === length && !items.some(Number.isNaN)) return items;
    throw this.unexpected(key, `an array of ${length} numbers`, value);
  }

  unexpected(key: string, expected: string, found: unknown): InputError {
    return new InputError(`${this.where}: ${key}: expected ${expected}, found ${described(found)}`);
  }
}
