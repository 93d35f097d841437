/**
 * Named weights of one SAE: checks what a file declares before anything is read, and what was read before it
 * is used. Reading itself is handed in; this file does not know files or formats.
 */
import { InputError } from '../errors.ts';
import { isFloat, rowMajor, type StoredView, sizeOf, type Tensor, toFloat32 } from '../tensor.ts';

/** Reads one tensor, or part of one, from its file. */
type Read = (stored: StoredView) => Promise<Tensor>;

/** Tensors of one SAE by name, where they come from (for messages), and how to read them. */
export interface StoredWeights {
  readonly tensors: ReadonlyMap<string, StoredView>;
  readonly where: string;
  readonly read: Read;
}

/** The tensor with its axes in the opposite order: the same values, read in another order. */
export function transposed({ shape, strides = rowMajor(shape), ...rest }: StoredView): StoredView {
  return { ...rest, shape: shape.toReversed(), strides: strides.toReversed() };
}

/** How a tensor of an SAE is called in a file: by another name, there perhaps with its axes the other way. */
export type WeightSource = string | { readonly transposed: string };

/**
 * Tensors under names of our own, `sources` saying where each is found. Throws InputError unless the weights
 * hold each of them, a matrix where it is transposed, and no other but those of `unused`: a tensor that nobody
 * reads would mean other arithmetic than the file's.
 */
export function renamed<N extends string>(
  weights: StoredWeights,
  sources: Readonly<Record<N, WeightSource>>,
  unused: readonly string[] = [],
): StoredWeights {
  const nameOf = (source: WeightSource) => (typeof source === 'string' ? source : source.transposed);
  const entries = Object.entries<WeightSource>(sources);
  const tensors = entries.map(([own, source]) => {
    const stored = storedWeight(weights, nameOf(source));
    if (typeof source === 'string') return [own, stored] as const;
    if (stored.shape.length !== 2) throw wrongShape(weights, nameOf(source), 'a matrix', stored);
    return [own, transposed(stored)] as const;
  });
  assertNoOther(weights, [...entries.map(([, source]) => nameOf(source)), ...unused]);
  return { ...weights, tensors: new Map(tensors) };
}

/** Width d and number of latents N, which are what the decoder [N, d] says. */
export function sizesOf(weights: StoredWeights): { readonly width: number; readonly latents: number } {
  const decoder = storedWeight(weights, 'W_dec');
  const [latents = 0, width = 0] = decoder.shape;
  if (decoder.shape.length !== 2 || latents < 1 || width < 1)
    throw wrongShape(weights, 'W_dec', 'a matrix of latents and width', decoder);
  return { width, latents };
}

function wrongShape({ where }: StoredWeights, name: string, expected: string, { shape }: StoredView) {
  return new InputError(`${where}: tensor ${name}: expected ${expected}, found [${shape.slice(0, 8)}]`);
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
  assertNoOther(weights, Object.keys(shapes));
}

function assertNoOther({ tensors, where }: StoredWeights, names: readonly string[]): void {
  const extra = [...tensors.keys()].find((name) => !names.includes(name));
  if (extra !== undefined)
    throw new InputError(
      `${where}: expected only tensors ${names.join(', ')}, found ${JSON.stringify(extra.slice(0, 80))}`,
    );
}

function assertTensor(weights: StoredWeights, name: string, shape: readonly number[]): void {
  const { tensors, where } = weights;
  const stored = tensors.get(name);
  if (!stored) throw new InputError(`${where}: tensor ${name} of shape [${shape}] is missing`);
  if (String(stored.shape) !== String(shape)) throw wrongShape(weights, name, `shape [${shape}]`, stored);
  if (!isFloat(stored.dtype))
    throw new InputError(`${where}: tensor ${name}: expected float values, found ${stored.dtype}`);
}

/** The whole tensor as float32. Throws InputError where it is missing or holds a value that is not finite. */
export async function readWeight(weights: StoredWeights, name: string): Promise<Float32Array> {
  const stored = storedWeight(weights, name);
  const values = await readFloats(weights, name, stored);
  return finiteWeights(values, weights, name, (flat) => indices(flat, stored.shape));
}

/** The one value of a scalar or of a tensor with one element, as float32. Throws InputError as readWeight does. */
export async function readScalar(weights: StoredWeights, name: string): Promise<number> {
  const stored = storedWeight(weights, name);
  if (sizeOf(stored.shape) !== 1) throw wrongShape(weights, name, 'one value', stored);
  if (!isFloat(stored.dtype))
    throw new InputError(`${weights.where}: tensor ${name}: expected float values, found ${stored.dtype}`);
  return (await readWeight(weights, name))[0]!;
}

/** The one whole number of a scalar, of any integer type. */
export async function readWhole(weights: StoredWeights, name: string): Promise<number> {
  const stored = storedWeight(weights, name);
  if (sizeOf(stored.shape) !== 1) throw wrongShape(weights, name, 'one value', stored);
  if (!/^[iu]/.test(stored.dtype))
    throw new InputError(`${weights.where}: tensor ${name}: expected a whole number, found ${stored.dtype}`);
  return Number((await weights.read(stored)).data[0]);
}

/** Where a tensor lies. Throws InputError where it is missing. */
export function storedWeight({ tensors, where }: StoredWeights, name: string): StoredView {
  const stored = tensors.get(name);
  if (!stored) throw new InputError(`${where}: tensor ${name} is missing`);
  return stored;
}

async function readFloats(
  { read, where }: StoredWeights,
  name: string,
  stored: StoredView,
): Promise<Float32Array> {
  const values = toFloat32(await read(stored));
  if (values.length !== sizeOf(stored.shape))
    throw new RangeError(
      `${where}: tensor ${name}: asked for ${sizeOf(stored.shape)} values, read ${values.length}`,
    );
  return values;
}

/** The values themselves; throws InputError at the first that is not finite, `placeOf` saying where it stands. */
export function finiteWeights(
  values: Float32Array,
  { where }: Pick<StoredWeights, 'where'>,
  name: string,
  placeOf: (flat: number) => readonly number[],
): Float32Array {
  if (areFinite(values)) return values;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw new InputError(
    `${where}: tensor ${name}: expected finite values in float32, found ${values[at]} at [${placeOf(at)}]`,
  );
}

/** 0 · x is NaN where x is not finite, and so is every sum that it is part of. */
function areFinite(values: Float32Array): boolean {
  let [a, b] = [0, 0];
  for (let i = 1; i < values.length; i += 2) {
    a += 0 * values[i - 1]!;
    b += 0 * values[i]!;
  }
  return a + b + 0 * (values.at(-1) ?? 0) === 0;
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
