/** Changes of files: of their trees, and of their bytes. An input is a seed and a list of changes. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { generatorOf } from '../src/methods/statistics/random.ts';
import type { Seed } from './format.ts';
import { isFields, isList, Raw, type Tree, Twice } from './tree.ts';

/** A change: which file, what is done, where, and with what; each taken modulo what there is. */
export type Change = readonly [file: number, how: number, at: number, what: number];

export interface Input {
  readonly seed: number;
  readonly changes: readonly Change[];
}

/** The input of a number: the same for the same seed of the fuzzer. */
export function inputOf(seed: number, index: number): Input {
  const generator = generatorOf(seed * 1_000_003 + index);
  const below = (n: number) => uniformInt(generator, 0, n - 1);
  const count = 1 + Math.min(below(4), below(4));
  return {
    seed: below(2 ** 30),
    changes: Array.from({ length: count }, () => [
      below(2 ** 30),
      below(100),
      below(2 ** 30),
      below(2 ** 30),
    ]),
  };
}

/** Values that stand at the edge of something. */
const odd: readonly Tree[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  255,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  0.5,
  -0.5,
  1e-300,
  1e308,
  new Raw('1e999'),
  new Raw('-1e999'),
  new Raw('NaN'),
  new Raw('-0'),
  new Raw('1e-999'),
  '',
  ' ',
  '\n',
  '\0',
  'x',
  '\ud800',
  '\ufeff',
  '__proto__',
  'constructor',
  'toString',
  'length',
  '../../x',
  '/',
  '{}',
  '[',
  '(a+)+$',
  '(',
  '\\',
  '%',
  '{{',
  '{%',
  '|',
  '*',
  'x'.repeat(5000),
  'a'.repeat(40),
  '\u{1f600}'.repeat(10),
  '\u202e',
  [],
  {},
  [[]],
  [null],
  [0, 0, 0],
  { x: 1 },
  new Raw('[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]'),
  new Raw(`${'['.repeat(3000)}${']'.repeat(3000)}`),
  new Raw(`${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`),
  new Raw(`${'['.repeat(100_000)}${']'.repeat(100_000)}`),
  new Raw(`${'('.repeat(3000)}${')'.repeat(3000)}`),
  new Raw(`[${'0,'.repeat(3000)}0]`),
  new Raw('{"__proto__":{"x":1}}'),
];

/** One of them, new: what is put into a tree may be changed there. */
const oddAt = (what: number): Tree => copied(odd[what % odd.length]!);

/** A place in a tree: its holder and the key in it. */
interface Place {
  readonly holder: Tree[] | { [key: string]: Tree };
  readonly key: string | number;
}

/** More places than this are not looked at. */
const mostPlaces = 5000;

function placesIn(root: { root: Tree }): Place[] {
  const places: Place[] = [{ holder: root as unknown as { [key: string]: Tree }, key: 'root' }];
  for (let i = 0; i < places.length && places.length < mostPlaces; i++) {
    const { holder, key } = places[i]!;
    const tree = get(holder, key);
    if (isList(tree)) for (let at = 0; at < tree.length; at++) places.push({ holder: tree, key: at });
    else if (isFields(tree)) for (const name of Object.keys(tree)) places.push({ holder: tree, key: name });
  }
  return places;
}

const get = (holder: Place['holder'], key: string | number): Tree =>
  (holder as Record<string | number, Tree>)[key]!;

/** Own also where the key is `__proto__`. */
function set(holder: Place['holder'], key: string | number, value: Tree): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function changedNumber(value: number | bigint, what: number): Tree {
  const by: readonly (() => Tree)[] = [
    () => (typeof value === 'bigint' ? value + 1n : value + 1),
    () => (typeof value === 'bigint' ? value - 1n : value - 1),
    () => (typeof value === 'bigint' ? -value : -value),
    () => (typeof value === 'bigint' ? value * 2n : value * 2),
    () => Number(value) + 0.5,
    () => (typeof value === 'bigint' ? value * 65536n : value * 65536),
    () => Math.floor(Number(value) / 2),
    () => `${value}`,
    () => (typeof value === 'bigint' ? value ^ (1n << BigInt(what % 64)) : Number(value) + 2 ** (what % 60)),
  ];
  return by[what % by.length]!();
}

function changedText(value: string, what: number): Tree {
  const at = (what >>> 4) % (value.length + 1);
  const sign = oddAt(what);
  const by: readonly (() => Tree)[] = [
    () => value.slice(0, at),
    () => value.slice(at),
    () => value + value,
    () => value.repeat(Math.min(200, Math.ceil(5000 / (value.length + 1)))),
    () => value.slice(0, at) + (typeof sign === 'string' ? sign : '\0') + value.slice(at),
    () => value.toUpperCase(),
    () => [...value].reverse().join(''),
    () => Number(value),
    () => [value],
    () => value.replace(/\d+/, (digits) => `${Number(digits) * 2 ** (what % 40)}`),
  ];
  return by[what % by.length]!();
}

function changedBytes(value: Uint8Array, place: number, what: number): Uint8Array {
  const bytes = Uint8Array.from(value);
  const at = place % (bytes.length || 1);
  const by: readonly (() => Uint8Array)[] = [
    () => bytes.subarray(0, at),
    () => bytes.subarray(at),
    () => Buffer.concat([bytes, bytes]),
    () => Buffer.concat([bytes.subarray(0, at), Buffer.from([what & 255]), bytes.subarray(at)]),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (what & 7))]),
    () => bytes.fill(255, at, at + 1 + (what & 7)),
    () => bytes.fill(0, at, at + 1 + (what & 7)),
    () => bytes.fill(0x7f, at, at + 4),
    () => {
      if (bytes.length > 0) bytes[at]! ^= 1 << (what & 7);
      return bytes;
    },
  ];
  return by[what % by.length]!();
}

/** Greatest number of items or fields that a list grows to by being doubled. */
const mostItems = 2000;

function changeTree(root: { root: Tree }, how: number, at: number, what: number): void {
  const places = placesIn(root);
  const { holder, key } = places[at % places.length]!;
  const other = places[what % places.length]!;
  const value = get(holder, key);
  const by: readonly (() => void)[] = [
    () => set(holder, key, oddAt(what)),
    () => (isList(holder) ? holder.splice(Number(key), 1) : delete holder[key]),
    () => {
      if (isList(holder)) holder.splice(Number(key), 0, copied(value));
      else if (holder !== (root as unknown)) set(holder, key, new Twice(value, oddAt(what)));
    },
    () => {
      if (typeof value === 'number' || typeof value === 'bigint')
        set(holder, key, changedNumber(value, what));
      else if (typeof value === 'string') set(holder, key, changedText(value, what));
      else if (value instanceof Uint8Array) set(holder, key, changedBytes(value, what >>> 4, what));
      else if (isList(value) && value.length < mostItems) set(holder, key, [...value, ...value]);
      else set(holder, key, oddAt(what));
    },
    () => set(holder, key, copied(get(other.holder, other.key))),
    () => set(holder, key, what % 2 === 0 ? [value] : { x: value }),
    () => {
      if (isList(holder)) return holder.push(oddAt(what));
      if (holder === (root as unknown)) return;
      delete holder[key];
      const names = ['__proto__', 'constructor', '', 'x', String(other.key), `${key}x`, 'toString'];
      set(holder, names[what % names.length]!, value);
    },
  ];
  by[how % by.length]!();
}

/** The files of an input. */
export function filesOf(seeds: readonly Seed[], { seed, changes }: Input): Map<string, Uint8Array> {
  const parts = Object.entries(seeds[seed % seeds.length]!);
  const files = new Map<string, Uint8Array>();
  for (const [i, [name, part]] of parts.entries()) {
    const own = changes.filter(([file]) => file % parts.length === i);
    const root = { root: copied(part.tree) };
    for (const [, how, at, what] of own) if (how < 75) changeTree(root, how, at, what);
    let bytes = part.write(root.root);
    for (const [, how, at, what] of own) if (how >= 75) bytes = changedBytes(bytes, at, what);
    files.set(name, bytes);
  }
  return files;
}

function copied(tree: Tree): Tree {
  if (isList(tree)) return tree.map(copied);
  if (!isFields(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, copied(value)]));
}
