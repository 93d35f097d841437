/**
 * The same random cases at every run, so that a failure is a change's own; FC_SEED=N draws others. And arrays of
 * numbers that are the same bytes are told to be equal by their bytes: element by element, as `toEqual` has it
 * otherwise, a file's content takes a second.
 */
import fc from 'fast-check';
import { expect } from 'vitest';

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20261122) });

const bytesOf = (array: unknown): Buffer | undefined =>
  ArrayBuffer.isView(array) ? Buffer.from(array.buffer, array.byteOffset, array.byteLength) : undefined;

expect.addEqualityTesters([
  (a, b) => {
    const [first, second] = [bytesOf(a), bytesOf(b)];
    if (!first || !second || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return undefined;
    return first.equals(second) || undefined;
  },
]);
