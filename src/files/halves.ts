/** Every float16 as a number, by its bits: the scales of quantised blocks are looked up here. */
import { halfToNumber } from '../tensor.ts';

const values = Float32Array.from({ length: 65536 }, (_, bits) => halfToNumber(bits));

/** The little-endian float16 at `bytes[at]`. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return values[bytes[at]! | (bytes[at + 1]! << 8)]!;
}
