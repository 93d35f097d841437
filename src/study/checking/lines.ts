/** Lines of a check, built of what was found. */
import type { CheckLine, CheckStatus } from '../../results.ts';

/** What a line looks at, before anything is found. */
export interface Look {
  readonly name: string;
  readonly about: string;
  readonly unit?: string;
  readonly expected: string;
}

type Numbers = Readonly<Record<string, number>>;

const finite = (numbers: Numbers) =>
  Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );

function lineOf(look: Look, status: CheckStatus, numbers: Numbers, what_to_do: string | null): CheckLine {
  const { name, about, unit = '', expected } = look;
  return { name, about, status, numbers: finite(numbers), unit, expected, what_to_do };
}

/** A line that was looked at: `trouble` says what is wrong, and what to do. */
export function found(
  look: Look,
  numbers: Numbers,
  trouble?: { readonly status: 'warn' | 'fail'; readonly what: string } | undefined,
): CheckLine {
  return lineOf(look, trouble?.status ?? 'pass', numbers, trouble?.what ?? null);
}

/** A line that could not be looked at. */
export const skipped = (look: Look, why: string): CheckLine => lineOf(look, 'skipped', {}, why);

export const fails = (what: string) => ({ status: 'fail', what }) as const;
export const warns = (what: string) => ({ status: 'warn', what }) as const;

export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
