/** What the results of a stage depend on, as one hash. */
import { jsonHash } from './hash.ts';

export interface KeyParts {
  /** JSON values only */
  readonly options: unknown;
  /** hashes of the files that it reads: those from outside and those of earlier stages */
  readonly inputs: Readonly<Record<string, string>>;
  /** of what computes the results */
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Equal for equal parts, whatever the order of their keys; a field that is undefined counts as absent. Throws
 * for what is no JSON value. `upstream` is hashed for the sake of studies that are there: without it no
 * finished stage would be known again.
 */
export function stageKey({ options, inputs, versions }: KeyParts): string {
  return jsonHash(sorted({ options, inputs, upstream: {}, versions }));
}

/** The value with the keys of every object in one order. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]));
  }
  throw new Error(`a key takes JSON values, found ${String(value)}`);
}
