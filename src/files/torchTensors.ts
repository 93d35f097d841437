/**
 * What a checkpoint's pickle may refer to, and what that means: storages, and tensors as views of them. Every
 * other name is refused. Touches no disk. Definitions: torch/_utils.py
 */
import { InputError } from '../errors.ts';
import { bytesPerElement, type DType, type StoredView } from '../tensor.ts';
import { checkedProduct, quoted, shownShape } from './bytes.ts';
import { PickleGlobal, type PickleHost, type PickleKey, type PickleValue } from './pickle.ts';
import type { TensorFile } from './tensorFile.ts';

/** Values one after the other, outside the pickle. */
export class Storage {
  readonly dtype: DType;
  readonly key: string;
  readonly length: number;
  constructor(dtype: DType, key: string, length: number) {
    this.dtype = dtype;
    this.key = key;
    this.length = length;
  }

  get bytes(): number {
    return this.length * bytesPerElement[this.dtype];
  }
}

export const isStorage = (value: unknown): value is Storage => value instanceof Storage;

/** A view of a storage: element (i, j, ...) is its value first + i·strides[0] + j·strides[1] + ... */
class TorchTensor {
  readonly storage: Storage;
  readonly first: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: Storage, first: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.first = first;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Where a storage's values begin in the file. Throws InputError where they do not lie in it. */
export type PlaceOfStorage = (storage: Storage) => number;

const storageTypes: Readonly<Record<string, DType>> = {
  'torch.DoubleStorage': 'f64',
  'torch.FloatStorage': 'f32',
  'torch.HalfStorage': 'f16',
  'torch.BFloat16Storage': 'bf16',
  'torch.LongStorage': 'i64',
  'torch.IntStorage': 'i32',
  'torch.ShortStorage': 'i16',
  'torch.CharStorage': 'i8',
  'torch.ByteStorage': 'u8',
  'torch.BoolStorage': 'bool',
};

const calls = {
  orderedDict: 'collections.OrderedDict',
  tensor: 'torch._utils._rebuild_tensor_v2',
  oldTensor: 'torch._utils._rebuild_tensor',
  parameter: 'torch._utils._rebuild_parameter',
};

const allowed = new Set([...Object.values(calls), ...Object.keys(storageTypes)]);

/** Most axes of a tensor. */
const mostAxes = 8;

/** Storages that the pickle refers to are put into `storages`. Errors begin with `where`. */
export function tensorHost(where: string, storages = new Map<string, Storage>()): PickleHost {
  const refused = (what: string) => new InputError(`${where}: ${what}`);
  return {
    allow(name) {
      if (!allowed.has(name))
        throw refused(
          `refused: it refers to ${quoted(name)}; only tensors, dictionaries and plain values are read`,
        );
    },
    call(name, args) {
      if (name === calls.orderedDict) return orderedDict(args, where);
      if (name === calls.parameter && isTensor(args[0])) return args[0];
      if (name === calls.tensor || name === calls.oldTensor) return { object: tensorOf(args, where) };
      throw refused(`refused: it calls ${quoted(name)} with what is no tensor`);
    },
    persistent(id) {
      const storage = storageOf(id, where);
      const known = storages.get(storage.key);
      if (known && (known.dtype !== storage.dtype || known.length !== storage.length))
        throw refused(`expected storage ${quoted(storage.key)} to be of one type and length, found two`);
      storages.set(storage.key, storage);
      return { object: storage };
    },
  };
}

const objectOf = (value: PickleValue | undefined): unknown =>
  typeof value === 'object' && value !== null && 'object' in value ? value.object : undefined;

const isTensor = (value: PickleValue | undefined): value is PickleValue =>
  objectOf(value) instanceof TorchTensor;

/** Empty, or of the pairs in a list, as older versions write it. */
function orderedDict([items = []]: readonly PickleValue[], where: string): PickleValue {
  const made = new Map<PickleKey, PickleValue>();
  if (!Array.isArray(items)) throw new InputError(`${where}: expected an OrderedDict of pairs`);
  for (const pair of items) {
    const key = Array.isArray(pair) && pair.length === 2 ? pair[0] : undefined;
    if (typeof key !== 'string') throw new InputError(`${where}: expected an OrderedDict with texts as keys`);
    made.set(key, pair[1]);
  }
  return made;
}

/** ('storage', type, key, device, length), and before version 1.6 a view, which has to be none. */
function storageOf(id: PickleValue, where: string): Storage {
  const [what, type, key, , length, view = null] = Array.isArray(id) ? (id as PickleValue[]) : [];
  if (what !== 'storage' || !(type instanceof PickleGlobal) || view !== null)
    throw new InputError(`${where}: expected a reference to a storage`);
  const dtype = Object.hasOwn(storageTypes, type.name) ? storageTypes[type.name]! : undefined;
  if (dtype === undefined) throw new InputError(`${where}: ${quoted(type.name)} is no type of storage`);
  if (typeof key !== 'string' || !isCount(length))
    throw new InputError(`${where}: expected a storage with a key and a length`);
  checkedProduct([length], bytesPerElement[dtype], `${where}: storage ${quoted(key)}`);
  return new Storage(dtype, key, length);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function countsOf(value: PickleValue | undefined): number[] | undefined {
  return Array.isArray(value) && value.length <= mostAxes && value.every(isCount) ? [...value] : undefined;
}

/** (storage, first, shape, strides, ...): the rest is about gradients. */
function tensorOf([of, first, sizes, steps]: readonly PickleValue[], where: string): TorchTensor {
  const storage = objectOf(of);
  const [shape, strides] = [countsOf(sizes), countsOf(steps)];
  if (!isStorage(storage) || !isCount(first) || !shape || shape.length !== strides?.length)
    throw new InputError(`${where}: expected a tensor of a storage, with a shape and as many strides`);
  const size = checkedProduct(shape, 1, where);
  const last = shape.reduce((at, n, axis) => at + (n - 1) * strides[axis]!, first);
  if (size > 0 && (last >= storage.length || size > storage.length))
    throw new InputError(
      `${where}: a tensor of shape ${shownShape(shape)} and strides ${shownShape(strides)} does not fit in its storage of ${storage.length} values`,
    );
  return new TorchTensor(storage, first, shape, strides);
}

/** Most dictionaries within one another, and most tensors and values in all. */
const deepest = 8;
const most = 2 ** 14;

/** The tensors and plain values of a checkpoint's dictionary, by their names joined with points. */
export function contentsOf(
  value: PickleValue,
  placed: PlaceOfStorage,
  path: string,
): Omit<TensorFile, 'read'> {
  const tensors = new Map<string, StoredView>();
  const values = new Map<string, string | number | bigint | boolean | null>();
  if (!(value instanceof Map)) throw new InputError(`${path}: expected a dictionary of tensors`);
  let visited = 0;
  const visit = (name: string, one: PickleValue, depth: number): void => {
    if (++visited > most || depth > deepest)
      throw new InputError(
        `${path}: expected at most ${most} tensors and values, ${deepest} dictionaries deep, found more`,
      );
    const object = objectOf(one);
    const within = one instanceof Map ? one : Array.isArray(one) ? one.entries() : undefined;
    if (object instanceof TorchTensor) tensors.set(name, viewOf(object, placed(object.storage), path));
    else if (within) for (const [key, item] of within) visit(`${name}${name && '.'}${key}`, item, depth + 1);
    else if (one === null || typeof one !== 'object') values.set(name, one);
    else throw new InputError(`${path}: ${quoted(name)}: expected a tensor or a plain value`);
  };
  visit('', value, 0);
  return { tensors, values };
}

function viewOf({ storage, first, shape, strides }: TorchTensor, start: number, path: string): StoredView {
  const size = bytesPerElement[storage.dtype];
  return {
    dtype: storage.dtype,
    shape,
    strides,
    file: path,
    offset: start + first * size,
    bytes: checkedProduct(shape, size, path),
  };
}
