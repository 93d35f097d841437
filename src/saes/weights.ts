/**
 * Named weights of one SAE: checks what a file declares before anything is read, and what was read before it
 * is used. Reading itself is handed in; this file does not know files or formats.
 */
import { InputError } from '../errors.ts';
import { bytesPerElement, isFloat, type StoredTensor, sizeOf, type Tensor, toFloat32 } from '../tensor.ts';

/** Reads one tensor, or part of one, from its file. */
type Read = (stored: StoredTensor) => Promise<Tensor>;

/** Tensors of one SAE by name, where they come from (for messages), and how to read them. */
export interface StoredWeights {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly where: string;
  readonly read: Read;
}

/**
 * Throws InputError unless the weights hold every tensor of `shapes` with that shape and a float type, and no
 * other: a tensor that nobody reads would mean other arithmetic than the file's.
 */
export function assertTensors(
  weights: StoredWeights,
  shapes: Readonly<Record<string, readonly number[]>>,
): void {
  for (const [name, shape] of Object.entries(shapes)) assertTensor(weights, name, shape);
  const extra = [...weights.tensors.keys()].filter((name) => !Object.hasOwn(shapes, name));
  if (extra.length > 0) {
    const found = JSON.stringify(extra[0]!.slice(0, 80));
    throw new InputError(
      `${weights.where}: expected only tensors ${Object.keys(shapes).join(', ')}, found ${found}`,
    );
  }
}

function assertTensor({ tensors, where }: StoredWeights, name: string, shape: readonly number[]): void {
  const stored = tensors.get(name);
  if (!stored) throw new InputError(`${where}: tensor ${name} of shape [${shape}] is missing`);
  if (String(stored.shape) !== String(shape))
    throw new InputError(
      `${where}: tensor ${name}: expected shape [${shape}], found [${stored.shape.slice(0, 8)}]`,
    );
  if (!isFloat(stored.dtype))
    throw new InputError(`${where}: tensor ${name}: expected float values, found ${stored.dtype}`);
}

/** The whole tensor as float32. Throws InputError where it is missing or holds a value that is not finite. */
export async function readWeight(weights: StoredWeights, name: string): Promise<Float32Array> {
  const stored = storedWeight(weights, name);
  return finite(await readFloats(weights, name, stored), weights.where, name, 0, stored.shape);
}

/** Rows from ≤ i < to of a matrix [rows, columns] as float32, reading only their bytes. */
export async function readWeightRows(
  weights: StoredWeights,
  name: string,
  from: number,
  to: number,
): Promise<Float32Array> {
  const stored = storedWeight(weights, name);
  const columns = stored.shape[1]!;
  const rowBytes = columns * bytesPerElement[stored.dtype];
  const part: StoredTensor = {
    ...stored,
    shape: [to - from, columns],
    offset: stored.offset + from * rowBytes,
    bytes: (to - from) * rowBytes,
  };
  return finite(await readFloats(weights, name, part), weights.where, name, from * columns, stored.shape);
}

function storedWeight({ tensors, where }: StoredWeights, name: string): StoredTensor {
  const stored = tensors.get(name);
  if (!stored) throw new InputError(`${where}: tensor ${name} is missing`);
  return stored;
}

async function readFloats(
  { read, where }: StoredWeights,
  name: string,
  stored: StoredTensor,
): Promise<Float32Array> {
  const values = toFloat32(await read(stored));
  if (values.length !== sizeOf(stored.shape))
    throw new RangeError(
      `${where}: tensor ${name}: asked for ${sizeOf(stored.shape)} values, read ${values.length}`,
    );
  return values;
}

function finite(
  values: Float32Array,
  where: string,
  name: string,
  first: number,
  shape: readonly number[],
): Float32Array {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]!)) continue;
    const at = indices(first + i, shape);
    throw new InputError(
      `${where}: tensor ${name}: expected finite values in float32, found ${values[i]} at [${at}]`,
    );
  }
  return values;
}

/** The index along each axis of the element at `flat`. */
function indices(flat: number, shape: readonly number[]): number[] {
  const out: number[] = [];
  for (const n of shape.toReversed()) {
    out.unshift(flat % n);
    flat = Math.floor(flat / n);
  }
  return out;
}
