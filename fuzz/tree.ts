/**
 * What a file holds, as a tree that can be changed in any place and written even where it is no longer valid.
 * Knows no format.
 */

/** JSON written as it stands: numbers, nesting and words that no value of JavaScript is written as. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An object's field that stands there twice. */
export class Twice {
  readonly first: Tree;
  readonly second: Tree;
  constructor(first: Tree, second: Tree) {
    this.first = first;
    this.second = second;
  }
}

export type Tree =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Raw
  | Twice
  | Tree[]
  | { [key: string]: Tree };

export const isList = (tree: Tree | undefined): tree is Tree[] => Array.isArray(tree);

export const isFields = (tree: Tree | undefined): tree is { [key: string]: Tree } =>
  typeof tree === 'object' &&
  tree !== null &&
  !Array.isArray(tree) &&
  !(tree instanceof Uint8Array || tree instanceof Raw || tree instanceof Twice);

/** As JSON; bytes as a list of numbers. */
export function json(tree: Tree | undefined): string {
  if (tree === undefined) return 'null';
  if (tree instanceof Raw) return tree.text;
  if (tree instanceof Twice) return json(tree.second);
  if (tree instanceof Uint8Array) return `[${tree.join()}]`;
  if (typeof tree === 'bigint') return `${tree}`;
  if (isList(tree)) return `[${tree.map(json).join()}]`;
  if (!isFields(tree)) return JSON.stringify(tree);
  const entries = Object.entries(tree).flatMap(([key, value]) =>
    (value instanceof Twice ? [value.first, value.second] : [value]).map(
      (one) => `${JSON.stringify(key)}:${json(one)}`,
    ),
  );
  return `{${entries.join()}}`;
}

/** The number that a leaf stands for, as an unsigned integer of so many bits. */
export function whole(tree: Tree | undefined, bits: number): bigint {
  if (typeof tree === 'bigint') return BigInt.asUintN(bits, tree);
  const leaf = tree instanceof Raw ? tree.text : tree;
  const number = typeof leaf === 'object' ? Number.NaN : Math.trunc(Number(leaf));
  return Number.isFinite(number) ? BigInt.asUintN(bits, BigInt(number)) : 0n;
}

export const bytesOf = (tree: Tree | undefined): Uint8Array =>
  tree instanceof Uint8Array ? tree : Buffer.from(textOf(tree));

export const textOf = (tree: Tree | undefined): string =>
  typeof tree === 'string' ? tree : tree === undefined ? '' : json(tree);

export const field = (tree: Tree | undefined, key: string): Tree | undefined =>
  isFields(tree) ? tree[key] : undefined;

export const items = (tree: Tree | undefined): Tree[] =>
  isList(tree) ? tree : tree === undefined || tree === null ? [] : [tree];
