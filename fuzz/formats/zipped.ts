/** Zip files, checkpoints and arrays as trees: entries by name, and what tensors say of themselves. */
import { npyFile } from '../../test/support/npyWriter.ts';
import { checkpointEntries, legacyCheckpoint, type Made } from '../../test/support/torchWriter.ts';
import { zipFile } from '../../test/support/zipWriter.ts';
import type { Part } from '../format.ts';
import { bytesOf, field, isFields, isList, items, type Tree, textOf, whole } from '../tree.ts';

/** A tensor of a seed: what it says of itself, and its storage's bytes. */
export interface TorchSeed {
  readonly type: string;
  readonly length: number;
  readonly first: number;
  readonly shape: number[];
  readonly strides: number[];
  readonly storage: Uint8Array;
}

/** Float32 values, row-major. */
export function torchFloats(...shape: number[]): TorchSeed {
  const length = shape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length }, (_, i) => Math.sin(i + 1));
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
  const storage = new Uint8Array(values.buffer);
  return { type: 'FloatStorage', length, first: 0, shape, strides, storage };
}

const number = (tree: Tree | undefined): number => Number(BigInt.asIntN(64, whole(tree, 64)));

/** What a damaged tree can still be written as. */
function madeOf(tree: Tree): Made {
  if (isFields(tree) && 'storage' in tree)
    return {
      type: textOf(field(tree, 'type')),
      length: number(field(tree, 'length')),
      first: number(field(tree, 'first')),
      shape: items(field(tree, 'shape')).map(number),
      strides: items(field(tree, 'strides')).map(number),
      storage: bytesOf(field(tree, 'storage')),
    };
  if (isFields(tree) && 'global' in tree) {
    const [module, name] = textOf(field(tree, 'global')).split(' ');
    return { global: [module ?? '', name ?? ''], args: items(field(tree, 'args')).map(madeOf) };
  }
  if (isFields(tree)) return { of: Object.entries(tree).map(([key, value]) => [key, madeOf(value)]) };
  if (isList(tree)) return { of: tree.map((value, at) => [`${at}`, madeOf(value)]) };
  if (tree === null || typeof tree === 'boolean' || typeof tree === 'string') return tree;
  return number(tree);
}

/** A checkpoint since version 1.6, or before it. */
export const torchPart = (value: object, isLegacy = false): Part => ({
  tree: value as Tree,
  write: (tree) => (isLegacy ? legacyCheckpoint(madeOf(tree)) : zipFile(checkpointEntries(madeOf(tree)))),
});

/** Arrays by name, each a header and values, in a zip file. */
export const npzPart = (
  arrays: Readonly<Record<string, readonly [shape: string, values: Uint8Array]>>,
  deflated: boolean,
): Part => ({
  tree: Object.entries(arrays).map(([name, [shape, values]]) => ({
    name: `${name}.npy`,
    header: `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`,
    values,
    version: 1,
    deflated,
  })),
  write: (tree) =>
    zipFile(
      items(tree).map((entry) => ({
        name: textOf(field(entry, 'name')).slice(0, 1000),
        bytes: npyFile(
          textOf(field(entry, 'header')).slice(0, 60_000),
          bytesOf(field(entry, 'values')),
          number(field(entry, 'version')) & 3,
        ),
        deflated: field(entry, 'deflated') === true,
      })),
    ),
});
