/**
 * Values as background colours: diverging around zero, or from zero up. The colours themselves are the
 * theme's.
 */

export interface Scale {
  readonly kind: 'diverging' | 'sequential';
  /** the value that has the full colour; greater ones have it too */
  readonly max: number;
  /** how many of the values that it was made for are greater; default none */
  readonly beyond?: number;
}

type Values = readonly (number | null | undefined)[];

/** A few that stand above this multiple of what 19 of 20 stay below would leave the rest without colour. */
const mostAbove = 2.5;

/** A scale that reaches the greatest of all these values, or, where a few stand far above the rest, less. */
export function scaleOf(kind: Scale['kind'], ...sets: readonly Values[]): Scale {
  const sizes = sets
    .flatMap((set) => set.map((x) => Math.abs(x ?? 0)))
    .filter((x) => x > 0)
    .sort((a, b) => a - b);
  const greatest = sizes.at(-1) ?? 0;
  const usual = sizes[Math.ceil(0.95 * (sizes.length - 1))] ?? 0;
  // without the greatest itself, of texts that have fewer than 20 tokens
  const below = sizes.length > 2 ? Math.min(usual, sizes.at(-2)!) : usual;
  const max = Math.min(greatest, mostAbove * below);
  return { kind, max, beyond: sizes.filter((x) => x > max).length };
}

/** Less than this share of a scale is not worth a colour. */
const least = 0.02;

export type Hue = 'above' | 'below' | 'amount';

/** The colour of a share of a scale, 0 to 1, as CSS. */
export const colourOf = (hue: Hue, share: number) =>
  `color-mix(in srgb, var(--shade-${hue}) ${(100 * share).toFixed(1)}%, transparent)`;

/** The background of a value; undefined where there is none to show. */
export function shade(scale: Scale, value: number | null | undefined): string | undefined {
  if (value === null || value === undefined || scale.max === 0) return undefined;
  const share = Math.min(1, Math.abs(value) / scale.max);
  if (share < least) return undefined;
  if (scale.kind === 'diverging') return colourOf(value > 0 ? 'above' : 'below', share);
  return value > 0 ? colourOf('amount', share) : undefined;
}
