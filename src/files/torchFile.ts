/**
 * PyTorch checkpoints (`torch.save`), as a zip file since version 1.6 and as pickles one after the other before
 * it: the tensors as views of storages that lie in the file. Nothing of a checkpoint is run; a name that it
 * refers to beside those of tensors is refused. Format: torch/serialization.py
 */
import { InputError } from '../errors.ts';
import { quoted, readInto, withFile } from './bytes.ts';
import { type PickleValue, unpickle } from './pickle.ts';
import type { TensorFile } from './tensorFile.ts';
import { readView } from './tensorView.ts';
import { contentsOf, isStorage, type PlaceOfStorage, type Storage, tensorHost } from './torchTensors.ts';
import { entryBytes, readZip, type ZipEntry } from './zipEntries.ts';

/** Largest pickle that is read; that of a dictionary takes a few kilobytes. */
const mostPickleBytes = 2 ** 20;

/**
 * The checkpoint `path`, a dictionary of tensors, other dictionaries and plain values; names within are joined
 * by points. Throws InputError where it is damaged, refers to anything but tensors, or is not little-endian.
 */
export async function readTorchFile(path: string): Promise<TensorFile> {
  const head = await firstBytes(path, mostPickleBytes);
  const isZip = head[0] === 0x50 && head[1] === 0x4b;
  const contents = isZip ? await zipContents(path) : legacyContents(path, head);
  return { ...contentsOf(...(await contents), path), read: readView };
}

type Contents = readonly [value: PickleValue, placed: PlaceOfStorage];

async function firstBytes(path: string, most: number): Promise<Uint8Array> {
  return withFile(path, async (file) => {
    const bytes = new Uint8Array(Math.min(most, file.size));
    await readInto(file, bytes, 0);
    return bytes;
  });
}

async function zipContents(path: string): Promise<Contents> {
  const entries = await readZip(path);
  const pickleName = [...entries.keys()].find((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickleName === undefined)
    throw new InputError(`${path}: expected a PyTorch checkpoint with an entry data.pkl, found none`);
  const root = pickleName.slice(0, -'data.pkl'.length);
  if (entries.has(`${root}constants.pkl`))
    throw new InputError(`${path}: expected a checkpoint of tensors, found a TorchScript program`);
  const order = entries.get(`${root}byteorder`);
  if (order && Buffer.from(await smallEntry(order)).toString('latin1') !== 'little')
    throw new InputError(`${path}: expected values in little-endian order, found another byteorder`);
  const pickle = await smallEntry(entries.get(pickleName)!);
  const where = `${path}: data.pkl`;
  const { value } = unpickle(pickle, where, tensorHost(where));
  return [value, (storage) => placeIn(entries, `${root}data/${storage.key}`, storage, path)];
}

async function smallEntry(entry: ZipEntry): Promise<Uint8Array> {
  if (entry.bytes > mostPickleBytes)
    throw new InputError(
      `${entry.file}: entry ${quoted(entry.name)}: expected at most ${mostPickleBytes} bytes, found ${entry.bytes}`,
    );
  return entryBytes(entry);
}

function placeIn(entries: ReadonlyMap<string, ZipEntry>, name: string, storage: Storage, path: string) {
  const entry = entries.get(name);
  const where = `${path}: storage ${quoted(name)}`;
  if (!entry) throw new InputError(`${where} is missing`);
  if (!entry.stored) throw new InputError(`${where}: expected it stored as it is, found it compressed`);
  if (entry.bytes < storage.bytes)
    throw new InputError(`${where}: expected ${storage.bytes} bytes, found ${entry.bytes}`);
  return entry.offset;
}

const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;
/** The first byte of a pickle of protocol 2 or later. */
const pickleStart = 0x80;

/** Pickles: a magic number, a version, the writer's word sizes, the object, the storages' keys; then their data. */
async function legacyContents(path: string, head: Uint8Array): Promise<Contents> {
  const storages = new Map<string, Storage>();
  let at = 0;
  const next = (what: string): PickleValue => {
    const where = `${path}: ${what}`;
    const { value, length } = unpickle(head.subarray(at), where, tensorHost(where, storages));
    at += length;
    return value;
  };
  if (head[0] !== pickleStart || next('a PyTorch checkpoint') !== legacyMagic)
    throw new InputError(
      `${path}: expected a PyTorch checkpoint, found no zip file and no magic number of the format before`,
    );
  const version = next('version');
  if (version !== legacyProtocol)
    throw new InputError(`${path}: expected version ${legacyProtocol}, found ${quoted(String(version))}`);
  const system = next('system');
  if (!(system instanceof Map) || system.get('little_endian') !== true)
    throw new InputError(`${path}: expected values in little-endian order, found another byteorder`);
  const value = next('object');
  const keys = next('storage keys');
  if (!Array.isArray(keys)) throw new InputError(`${path}: expected a list of storage keys`);
  const places = await legacyPlaces(path, at, keys, storages);
  return [
    value,
    ({ key }) => {
      const place = places.get(key);
      if (place === undefined) throw new InputError(`${path}: storage ${quoted(key)} is missing`);
      return place;
    },
  ];
}

/** Each storage: how many values, as 8 bytes, then the values. */
async function legacyPlaces(
  path: string,
  start: number,
  keys: readonly PickleValue[],
  storages: ReadonlyMap<string, Storage>,
): Promise<Map<string, number>> {
  return withFile(path, async (file) => {
    const places = new Map<string, number>();
    const count = new BigUint64Array(1);
    let at = start;
    for (const key of keys) {
      const storage = typeof key === 'string' ? storages.get(key) : undefined;
      if (!isStorage(storage))
        throw new InputError(`${path}: expected the key of a storage, found ${quoted(String(key))}`);
      await readInto(file, count, at);
      if (Number(count[0]) !== storage.length)
        throw new InputError(
          `${path}: storage ${quoted(storage.key)}: expected ${storage.length} values, found ${count[0]}`,
        );
      places.set(storage.key, at + 8);
      at += 8 + storage.bytes;
      if (at > file.size)
        throw new InputError(`${path}: truncated: expected ${at} bytes or more, found ${file.size}`);
    }
    return places;
  });
}
