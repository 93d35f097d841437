/**
 * What a direction's effects amount to: which act as a cause would, and which are confirmed. The one place that
 * decides it.
 */
import type { Operation, Side } from './steered.ts';
import type { EffectVerdictName, RankedSteeringRow } from './steering.ts';

/** The sign of α, and of the effect of a cause: down on the subject, up on the reference. */
export const signOf: Readonly<Record<Side, 1 | -1>> = { away: -1, toward: 1 };

/** One direction's rows. */
export interface DirectionEffects {
  readonly direction: string;
  readonly latent: number | null;
  readonly role: RankedSteeringRow['role'];
  /** 1 the first, by selector */
  readonly ranks: Readonly<Record<string, number>>;
  readonly remove: RankedSteeringRow | undefined;
  readonly away: RankedSteeringRow | undefined;
  readonly toward: RankedSteeringRow | undefined;
  readonly patch: RankedSteeringRow | undefined;
  /** what a study asked for beside these */
  readonly further?: Readonly<Partial<Record<FurtherPlace, RankedSteeringRow>>>;
}

/** The same of a latent. */
export interface LatentEffects extends DirectionEffects {
  readonly latent: number;
}

/** Where a row stands: of `add` its side, else its operation. */
export const placeOfRow = ({ operation, side }: Pick<RankedSteeringRow, 'operation' | 'side'>) =>
  operation === 'add' ? side : operation;

type AnyPlace = ReturnType<typeof placeOfRow>;
export const effectPlaces = ['remove', 'away', 'toward', 'patch'] as const satisfies readonly AnyPlace[];
export type EffectPlace = (typeof effectPlaces)[number];

/** Places of what is done on demand: they stand beside the test, and confirm nothing. */
export const furtherPlaces = [
  'subtract',
  'remove_all',
  'remove_prompt',
  'remove_completion',
  'system',
] as const satisfies readonly AnyPlace[];
export type FurtherPlace = Exclude<AnyPlace, EffectPlace>;

/** What was done there, in words behind the direction's name. */
export const furtherWords: Readonly<Record<FurtherPlace, string>> = {
  subtract: 'by the encoder',
  remove_all: 'at all tokens',
  remove_prompt: 'at the prompt',
  remove_completion: 'at the completion',
  system: 'in the prompt',
};

const isFurther = (place: AnyPlace): place is FurtherPlace =>
  (furtherPlaces as readonly AnyPlace[]).includes(place);

/** Rows gathered by direction, in the order of the rows. */
export function directionEffects(rows: readonly RankedSteeringRow[]): DirectionEffects[] {
  const found = new Map<string, DirectionEffects>();
  for (const row of rows) {
    const { direction, latent, role, ranks } = row;
    const none = { remove: undefined, away: undefined, toward: undefined, patch: undefined };
    const before = found.get(direction) ?? { direction, latent, role, ranks, ...none };
    const place = placeOfRow(row);
    found.set(direction, {
      ...before,
      ...(isFurther(place) ? { further: { ...before.further, [place]: row } } : { [place]: row }),
    });
  }
  return [...found.values()];
}

const isLatent = (one: DirectionEffects): one is LatentEffects => one.latent !== null;

/** The latents among them, candidates and random ones. */
export const effectsOf = (rows: readonly RankedSteeringRow[]): LatentEffects[] =>
  directionEffects(rows).filter(isLatent);

/** The gray zone of each operation and side. */
export type Zone = Readonly<
  Record<'remove' | Side, { readonly low: number; readonly high: number }> & {
    patch: { readonly low: number; readonly high: number } | null;
  } & { readonly [P in FurtherPlace]?: { readonly low: number; readonly high: number } | undefined }
>;

/**
 * Whether an effect (a change in the share of positives, −1 to 1) has left the gray zone as that of a cause
 * does: on the subject below both the zone and 0, on the reference above both. One that was not measured (null,
 * NaN or undefined) has not.
 */
export function actsAsCause(
  effect: number | null | undefined,
  { low, high }: { readonly low: number; readonly high: number },
  side: Side,
): boolean {
  if (effect == null) return false;
  return signOf[side] < 0 ? effect < Math.min(0, low) : effect > Math.max(0, high);
}

/** The same of one row. */
export function rowActsAsCause(row: RankedSteeringRow | undefined, zone: Zone): boolean {
  const range = row && zone[placeOfRow(row)];
  return row !== undefined && range != null && actsAsCause(row.effect, range, row.side);
}

/** Whether it leaves the gray zone as a cause does on both sides when it is added. */
export const leavesBothWays = ({ away, toward }: DirectionEffects, zone: Zone): boolean =>
  rowActsAsCause(away, zone) && rowActsAsCause(toward, zone);

/** The row that says what the test of one operation came to. */
function rowUnder(one: DirectionEffects, operation: Operation): RankedSteeringRow | undefined {
  if (operation === 'add') return one.away ?? one.toward;
  return isFurther(operation) ? one.further?.[operation] : one[operation];
}

/** What the test of one operation says of a direction. */
export const verdictUnder = (one: DirectionEffects, operation: Operation): EffectVerdictName =>
  rowUnder(one, operation)?.verdict ?? 'not sampled';

/** From the strongest to the weakest. */
const strength = ['confirmed', 'suggestive', 'not shown', 'not sampled'] as const;

/** The two tests that confirm a cause: what Δ estimates, and the source's. */
export const confirmingOperations = ['remove', 'add'] as const satisfies readonly Operation[];

/** The stronger verdict of the two. */
export function verdictOf(one: DirectionEffects): EffectVerdictName {
  const found = confirmingOperations.map((operation) => strength.indexOf(verdictUnder(one, operation)));
  return strength[Math.min(...found)]!;
}

/** The operations whose test confirms it. */
export const confirmedBy = (one: DirectionEffects): Operation[] =>
  confirmingOperations.filter((operation) => verdictUnder(one, operation) === 'confirmed');

/** Family-wise p of an operation's test; 1 where it was not sampled. */
export const familyWiseP = (one: DirectionEffects, operation: Operation): number =>
  rowUnder(one, operation)?.family_wise_p ?? 1;

/** The less of the two tests' family-wise p. */
export const leastFamilyWiseP = (one: DirectionEffects): number =>
  Math.min(...confirmingOperations.map((operation) => familyWiseP(one, operation)));

/** How far it moves the share of positives as a cause does, over its arms together. */
const sizeOf = (one: DirectionEffects) =>
  effectPlaces.reduce((sum, place) => {
    const row = one[place];
    return sum + (row?.effect == null ? 0 : signOf[row.side] * row.effect);
  }, 0);

/** Those with the least family-wise p first, then those with the greatest effects. */
export const strongestFirst = <E extends DirectionEffects>(all: readonly E[]): E[] =>
  [...all].sort((a, b) => leastFamilyWiseP(a) - leastFamilyWiseP(b) || sizeOf(b) - sizeOf(a));

/** Candidates of this verdict, strongest first. */
export const withVerdict = (all: readonly LatentEffects[], verdict: EffectVerdictName): LatentEffects[] =>
  strongestFirst(all.filter((one) => one.role === 'candidate' && verdictOf(one) === verdict));

/** The confirmed latents, strongest first. */
export const confirmedLatents = (rows: readonly RankedSteeringRow[]): LatentEffects[] =>
  withVerdict(effectsOf(rows), 'confirmed');

/**
 * The direction that needs no dictionary with the greatest effect on one place, where it is greater than the
 * latent's; undefined where none is.
 */
export function strongerComparison(
  all: readonly DirectionEffects[],
  { direction, ...own }: DirectionEffects,
  place: EffectPlace,
): DirectionEffects | undefined {
  const size = (one: Pick<DirectionEffects, EffectPlace>) => {
    const row = one[place];
    return row?.effect == null ? Number.NEGATIVE_INFINITY : signOf[row.side] * row.effect;
  };
  return all
    .filter((one) => one.role === 'comparison' && one.direction !== direction && size(one) > size(own))
    .sort((a, b) => size(b) - size(a))[0];
}

/** What was done beside removal and steering, and came to an effect. */
export interface FurtherEffect {
  readonly one: DirectionEffects;
  readonly place: FurtherPlace;
  readonly row: RankedSteeringRow & { readonly effect: number };
}

const hasEffect = (row: RankedSteeringRow | undefined): row is FurtherEffect['row'] => row?.effect != null;

/** In the order of the directions given; none for random ones. */
export const furtherEffects = (all: readonly DirectionEffects[]): FurtherEffect[] =>
  all
    .filter(({ role }) => role !== 'random' && role !== 'gaussian')
    .flatMap((one) =>
      furtherPlaces.flatMap((place) => {
        const row = one.further?.[place];
        return hasEffect(row) ? [{ one, place, row }] : [];
      }),
    );
