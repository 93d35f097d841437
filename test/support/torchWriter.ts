/**
 * Checkpoints as torch.save writes them, of a pickle written op by op: enough of the protocol for tensors,
 * dictionaries and plain values, and for what has to be refused.
 */
import { type ZipMember, zipFile } from './zipWriter.ts';

/** A tensor as a view of its own storage, or of that of a key. */
export interface MadeTensor {
  readonly type?: string;
  readonly storage: Uint8Array;
  readonly key?: string;
  /** how many values the storage is said to have */
  readonly length: number;
  readonly first?: number;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
}

/** A call or reference of a global, written as it stands. */
export interface MadeCall {
  readonly global: readonly [module: string, name: string];
  readonly args?: readonly Made[];
}

export type Made =
  | null
  | boolean
  | number
  | string
  | MadeTensor
  | MadeCall
  | { readonly of: readonly [string, Made][] };

const op = (code: number, ...rest: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.of(code), ...rest]);
const u32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
};
const text = (value: string): Buffer => op(0x58, u32(Buffer.byteLength(value)), Buffer.from(value));
const whole = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  return op(0x8a, Buffer.of(8), buffer);
};
const tuple = (...items: readonly Buffer[]): Buffer => Buffer.concat([op(0x28), ...items, op(0x74)]);
const global = ([module, name]: readonly [string, string]): Buffer =>
  op(0x63, Buffer.from(`${module}\n${name}\n`));

const rowMajor = (shape: readonly number[]) =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));

/** Float32 values as a tensor, row-major. */
export const floatTensor = (shape: readonly number[], values: readonly number[]): MadeTensor => ({
  storage: new Uint8Array(Float32Array.from(values).buffer),
  length: values.length,
  shape,
});

class Pickler {
  readonly storages = new Map<string, { readonly bytes: Uint8Array; readonly length: number }>();
  private readonly isLegacy: boolean;
  constructor(isLegacy: boolean) {
    this.isLegacy = isLegacy;
  }

  write(value: Made): Buffer {
    if (value === null) return op(0x4e);
    if (typeof value === 'boolean') return op(value ? 0x88 : 0x89);
    if (typeof value === 'number') return whole(value);
    if (typeof value === 'string') return text(value);
    if ('of' in value) {
      const items = value.of.flatMap(([key, item]) => [text(key), this.write(item)]);
      return Buffer.concat([op(0x7d), op(0x28), ...items, op(0x75)]);
    }
    if ('global' in value) {
      const { args } = value;
      const name = global(value.global);
      return args ? Buffer.concat([name, tuple(...args.map((arg) => this.write(arg))), op(0x52)]) : name;
    }
    return this.tensor(value);
  }

  private tensor({ type = 'FloatStorage', storage, length, shape, ...rest }: MadeTensor): Buffer {
    const { key = String(this.storages.size), first = 0, strides = rowMajor(shape) } = rest;
    this.storages.set(key, { bytes: storage, length });
    const view = this.isLegacy ? [op(0x4e)] : [];
    const parts = [text('storage'), global(['torch', type]), text(key), text('cpu'), whole(length), ...view];
    const ordered = Buffer.concat([global(['collections', 'OrderedDict']), tuple(), op(0x52)]);
    const args = [
      Buffer.concat([tuple(...parts), op(0x51)]),
      whole(first),
      tuple(...shape.map(whole)),
      tuple(...strides.map(whole)),
      op(0x89),
      ordered,
    ];
    return Buffer.concat([global(['torch._utils', '_rebuild_tensor_v2']), tuple(...args), op(0x52)]);
  }
}

const pickled = (body: Buffer): Buffer => Buffer.concat([op(0x80, Buffer.of(2)), body, op(0x2e)]);

/** The entries of a checkpoint since version 1.6, to be changed before they are written. */
export function checkpointEntries(value: Made): ZipMember[] {
  const pickler = new Pickler(false);
  const pickle = pickled(pickler.write(value));
  return [
    { name: 'made/data.pkl', bytes: pickle, aligned: 64 },
    { name: 'made/byteorder', bytes: Buffer.from('little'), aligned: 64 },
    ...[...pickler.storages].map(([key, { bytes }]) => ({ name: `made/data/${key}`, bytes, aligned: 64 })),
    { name: 'made/version', bytes: Buffer.from('3\n'), aligned: 64 },
  ];
}

export const checkpoint = (value: Made): Buffer => zipFile(checkpointEntries(value));

/** A dictionary of tensors and values. */
export const dictionary = (items: Readonly<Record<string, Made>>): Made => ({ of: Object.entries(items) });

/** The format before version 1.6. */
export function legacyCheckpoint(value: Made, magic = '6cfc9c46f9206aa85019'): Buffer {
  const pickler = new Pickler(true);
  const object = pickled(pickler.write(value));
  const keys = [...pickler.storages.keys()];
  const system = Buffer.concat([
    op(0x7d),
    op(0x28),
    text('protocol_version'),
    whole(1001),
    text('little_endian'),
    op(0x88),
    op(0x75),
  ]);
  const data = [...pickler.storages.values()].flatMap(({ bytes, length }) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt.asIntN(64, BigInt(length)));
    return [count, Buffer.from(bytes)];
  });
  return Buffer.concat([
    pickled(op(0x8a, Buffer.of(10), Buffer.from(magic, 'hex'))),
    pickled(whole(1001)),
    pickled(system),
    object,
    pickled(Buffer.concat([op(0x5d), op(0x28), ...keys.map(text), op(0x65)])),
    ...data,
  ]);
}
