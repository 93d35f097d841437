/**
 * Values as background colours: diverging around zero, or from zero up. The colours themselves are the
 * theme's.
 */

export interface Scale {
  readonly kind: 'diverging' | 'sequential';
  /** the value that has the full colour; greater ones have it too */
  readonly max: number;
}

type Values = readonly (number | null | undefined)[];

const greatest = (sets: readonly Values[]) =>
  sets.reduce((max, set) => set.reduce<number>((m, x) => Math.max(m, Math.abs(x ?? 0)), max), 0);

/** A scale that reaches the greatest of all these values. */
export const scaleOf = (kind: Scale['kind'], ...sets: readonly Values[]): Scale => ({
  kind,
  max: greatest(sets),
});

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
