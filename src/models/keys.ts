/**
 * What a reader does with each key of a model's config or metadata: it applies it, knows that it has no effect
 * on what a forward pass computes, or refuses it by name. Knows no family.
 */
import { InputError } from '../errors.ts';

/** A key that would change the arithmetic in a way that is not read here. */
export interface RefusedKey {
  /** what it stands for, for the message and the documentation */
  readonly means: string;
  /** values with which it changes nothing, beside null and empty ones; a list of them counts as one */
  readonly unless?: readonly unknown[];
  /** a switch: while that key of the same config is false, this one changes nothing */
  readonly whileOff?: string;
}

/** Keys by what is done with them. A name that ends in `*` stands for all that begin so. */
export interface KeyTable {
  readonly applied?: readonly string[];
  readonly withoutEffect?: readonly string[];
  readonly refused?: Readonly<Record<string, RefusedKey>>;
}

const isNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (typeof value === 'object' && !ArrayBuffer.isView(value) && Object.keys(value).length === 0);

function isNeutral(value: unknown, unless: readonly unknown[]): boolean {
  if (isNothing(value) || unless.includes(value)) return true;
  const list = Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as unknown[]) : [];
  return list.length > 0 && list.every((one) => unless.includes(one));
}

/** A value of a config on one short line. */
export function shownValue(value: unknown): string {
  const plain = ArrayBuffer.isView(value) ? Array.from(value as unknown as unknown[]) : value;
  const text = JSON.stringify(plain, (_, v) => (typeof v === 'bigint' ? Number(v) : v)) ?? 'undefined';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A name from a file, as it stands where that is one short word. */
export const shownName = (name: string): string => (/^[\w.-]{1,120}$/.test(name) ? name : shownValue(name));

const matches = (pattern: string, key: string) =>
  pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;

type Use = 'applied' | 'without effect' | RefusedKey | undefined;

function useIn({ applied = [], withoutEffect = [], refused = {} }: KeyTable, key: string): Use {
  if (applied.some((one) => matches(one, key))) return 'applied';
  const refusal = Object.entries(refused).find(([one]) => matches(one, key))?.[1];
  if (refusal !== undefined) return refusal;
  return withoutEffect.some((one) => matches(one, key)) ? 'without effect' : undefined;
}

/**
 * Throws InputError where `given` has a key that is refused with its value, or one that no table has and that
 * `isSuspect`. The first table that has a key decides.
 */
export function checkKeys(
  given: ReadonlyMap<string, unknown>,
  tables: readonly KeyTable[],
  isSuspect: (key: string, value: unknown) => boolean,
  where: string,
): void {
  for (const [key, value] of given) {
    const use = tables.map((table) => useIn(table, key)).find((one) => one !== undefined);
    if (use === undefined) {
      if (isNothing(value) || value === false || !isSuspect(key, value)) continue;
      throw new InputError(
        `${where}: ${shownName(key)}: not known here, and may change what the model computes: expected no such key, found ${shownValue(value)}`,
      );
    }
    if (use === 'applied' || use === 'without effect') continue;
    const { means, unless = [], whileOff } = use;
    if (whileOff !== undefined && given.get(whileOff) === false) continue;
    if (isNeutral(value, unless)) continue;
    const expected = unless.length > 0 ? unless.map(shownValue).join(' or ') : 'no such key';
    throw new InputError(
      `${where}: ${shownName(key)}: not supported here (${means}): expected ${expected}, found ${shownValue(value)}`,
    );
  }
}
