/**
 * Working files that tell when they were changed: safetensors and JSON with a SHA-256 of all that they hold.
 * What is missing, damaged or without a hash counts as not there, so that its maker makes it again.
 */
import { createHash, type Hash } from 'node:crypto';
import { InputError } from '../errors.ts';
import { parseJsonIf } from '../results.ts';
import type { Tensor } from '../tensor.ts';
import { replaceFile } from './atomic.ts';
import { piecesOf } from './bytes.ts';
import { isThere, readBytesIfThere } from './ifThere.ts';
import { readSafetensorsHeader, readTensor, writeSafetensors } from './safetensors.ts';

const sealKey = 'sha256';

type Metadata = Readonly<Record<string, string>>;

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

function addTensor(hash: Hash, name: string, { dtype, shape, data }: Tensor): void {
  hash.update(JSON.stringify([name, dtype, shape]));
  for (const piece of piecesOf(data)) hash.update(piece);
}

/** SHA-256 of metadata and tensors, whatever their order. */
function sealOf(tensors: Iterable<readonly [string, Tensor]>, metadata: Metadata): string {
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(metadata).sort(byName)));
  for (const [name, tensor] of [...tensors].sort(byName)) addTensor(hash, name, tensor);
  return hash.digest('hex');
}

/** Writes a safetensors file, whole or not at all, with its hash. Throws InputError where it cannot. */
export async function writeSealed(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Metadata,
): Promise<void> {
  const seal = sealOf(Object.entries(tensors), metadata);
  await writeSafetensors(path, tensors, { ...metadata, [sealKey]: seal });
}

export interface Sealed {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Metadata;
}

/** What `writeSealed` wrote; undefined where it is not there, or not as it was written. */
export async function readSealed(path: string): Promise<Sealed | undefined> {
  if (!(await isThere(path))) return undefined;
  try {
    const { tensors: stored, metadata: all } = await readSafetensorsHeader(path);
    const { [sealKey]: seal, ...metadata } = all;
    const tensors = new Map<string, Tensor>();
    for (const [name, one] of stored) tensors.set(name, await readTensor(one));
    return sealOf(tensors, metadata) === seal ? { tensors, metadata } : undefined;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

const textHash = (text: string): string => createHash('sha256').update(text).digest('hex');

const head = (seal: string) => `{"${sealKey}":"${seal}","value":`;
const headLength = head(textHash('')).length;

/** Writes `{sha256, value}`, whole or not at all; returns the value as it will be read. */
export async function writeSealedJson(path: string, value: unknown): Promise<unknown> {
  const text = JSON.stringify(value);
  await replaceFile(path, (file) => file.writeFile(`${head(textHash(text))}${text}}`));
  return JSON.parse(text);
}

/** What `writeSealedJson` wrote; undefined where it is not there, or not as it was written. */
export async function readSealedJson(path: string): Promise<unknown> {
  const whole = (await readBytesIfThere(path))?.toString();
  const text = whole?.slice(headLength, -1) ?? '';
  return whole === `${head(textHash(text))}${text}}` ? parseJsonIf(text) : undefined;
}
