/** Whether the numbers of stored tensors are finite, told by their bits, in pieces. Knows no model. */
import { InputError } from '../errors.ts';
import { bytesPerElement, isFloat, type StoredTensor } from '../tensor.ts';
import { quoted, readInto, type SourceFile, withFile } from './bytes.ts';

/** Bytes read at once. */
const pieceBytes = 2 ** 22;

type Bits = Uint16Array | Uint32Array;

/** Where the exponent is all ones, which no finite number has. */
const exponents = { f32: 0x7f800000, f16: 0x7c00, bf16: 0x7f80 } as const;

function firstNotFinite(bits: Bits, exponent: number): number {
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & exponent) === exponent) return i;
  return -1;
}

/** Of float64 a number beyond float32 counts too: nothing here computes with more. */
function firstBeyondFloat32(values: Float64Array): number {
  return values.findIndex((x) => !Number.isFinite(Math.fround(x)));
}

const finders: Partial<Record<StoredTensor['dtype'], (bytes: ArrayBuffer) => number>> = {
  f32: (bytes) => firstNotFinite(new Uint32Array(bytes), exponents.f32),
  f16: (bytes) => firstNotFinite(new Uint16Array(bytes), exponents.f16),
  bf16: (bytes) => firstNotFinite(new Uint16Array(bytes), exponents.bf16),
  f64: (bytes) => firstBeyondFloat32(new Float64Array(bytes)),
};

/** The place of an element in a tensor, along each axis. */
function placeOf(flat: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = flat;
  for (const n of shape.toReversed()) {
    place.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return place;
}

async function checkTensor(file: SourceFile, name: string, stored: StoredTensor, where: string) {
  const find = finders[stored.dtype]!;
  const size = bytesPerElement[stored.dtype];
  for (let done = 0; done < stored.bytes; done += pieceBytes) {
    const bytes = new ArrayBuffer(Math.min(pieceBytes, stored.bytes - done));
    await readInto(file, new Uint8Array(bytes), stored.offset + done);
    const at = find(bytes);
    if (at >= 0)
      throw new InputError(
        `${where}: tensor ${quoted(name)}: expected finite values, found NaN or infinity at [${placeOf(done / size + at, stored.shape)}]`,
      );
  }
}

/**
 * Reads every float tensor once and throws InputError, beginning with `where`, at the first value that is NaN,
 * infinite, or not finite as float32. Other tensors are passed over.
 */
export async function checkFinite(tensors: ReadonlyMap<string, StoredTensor>, where: string): Promise<void> {
  const floats = [...tensors].filter(([, { dtype }]) => isFloat(dtype));
  for (const path of new Set(floats.map(([, stored]) => stored.file)))
    await withFile(path, async (file) => {
      for (const [name, stored] of floats)
        if (stored.file === path) await checkTensor(file, name, stored, where);
    });
}
