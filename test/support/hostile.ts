/** Damages files, and holds a reader to its promise: success or InputError, soon. */
import fc from 'fast-check';
import { InputError } from '../../src/errors.ts';

/** Some bytes changed, a piece cut off the end, or bytes put in: drawn for a file of `length` bytes. */
export function damage(length: number): fc.Arbitrary<(bytes: Buffer) => Buffer> {
  const at = fc.nat({ max: length - 1 });
  const mutation = fc
    .array(fc.tuple(at, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 })
    .map((changes) => (bytes: Buffer) => {
      const changed = Buffer.from(bytes);
      for (const [i, value] of changes) changed[i] = value;
      return changed;
    });
  const truncation = at.map((end) => (bytes: Buffer) => bytes.subarray(0, end));
  const insertion = fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 64 })).map(
    ([i, more]) =>
      (bytes: Buffer) =>
        Buffer.concat([bytes.subarray(0, i), more, bytes.subarray(i)]),
  );
  return fc.oneof(mutation, truncation, insertion);
}

/**
 * What `read` came to: 'read' or 'refused'. Any other error, or more than a second, is thrown as a failure.
 */
export async function outcome(read: () => Promise<unknown>): Promise<'read' | 'refused'> {
  const start = performance.now();
  const result = await read().then(
    () => 'read' as const,
    (error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      if (/[\n\r]/.test(error.message)) throw new Error(`more than one line: ${error.message}`);
      return 'refused' as const;
    },
  );
  const took = performance.now() - start;
  if (took > 1000) throw new Error(`took ${Math.round(took)} ms`);
  return result;
}
