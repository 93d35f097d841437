/**
 * What a latent's two effects amount to: which latents act as a cause would, and which are confirmed. The
 * one place that decides it.
 */
import { bothSides, type Side } from './steered.ts';
import type { RankedSteeringRow } from './steering.ts';

/** The sign of α, and of the effect of a cause: down when steered away, up when steered toward. */
export const signOf: Readonly<Record<Side, 1 | -1>> = { away: -1, toward: 1 };

/** One latent's rows. */
export interface LatentEffects {
  readonly latent: number;
  readonly role: RankedSteeringRow['role'];
  /** 1 the first, by selector */
  readonly ranks: Readonly<Record<string, number>>;
  readonly away: RankedSteeringRow | undefined;
  readonly toward: RankedSteeringRow | undefined;
}

/** The gray zone of each direction. */
export type Zone = Readonly<Record<Side, { readonly low: number; readonly high: number }>>;

/** In the order of the rows. */
export function effectsOf(rows: readonly RankedSteeringRow[]): LatentEffects[] {
  const byLatent = new Map<number, LatentEffects>();
  for (const row of rows) {
    const { latent, role, ranks, side } = row;
    const before = byLatent.get(latent) ?? { latent, role, ranks, away: undefined, toward: undefined };
    byLatent.set(latent, { ...before, [side]: row });
  }
  return [...byLatent.values()];
}

/**
 * Whether an effect (a change in the share of positives, −1 to 1) has left the gray zone as that of a cause
 * does: away below both the zone and 0, toward above both. One that was not measured (null, NaN or
 * undefined) has not.
 */
export function actsAsCause(
  effect: number | null | undefined,
  { low, high }: { readonly low: number; readonly high: number },
  side: Side,
): boolean {
  if (effect == null) return false;
  return signOf[side] < 0 ? effect < Math.min(0, low) : effect > Math.max(0, high);
}

/** The same of one row of a latent. */
export const rowActsAsCause = (row: RankedSteeringRow | undefined, zone: Zone): boolean =>
  row !== undefined && actsAsCause(row.effect, zone[row.side], row.side);

/** What steering says of a latent; `other`: it left the gray zone, but not as a cause would. */
export const verdicts = ['both', 'away', 'toward', 'other', 'within', 'not sampled'] as const;
export type LatentVerdict = (typeof verdicts)[number];

export function verdictOf(one: LatentEffects, zone: Zone): LatentVerdict {
  const [away, toward] = bothSides.map((side) => rowActsAsCause(one[side], zone));
  if (away && toward) return 'both';
  if (away) return 'away';
  if (toward) return 'toward';
  const rows = bothSides.flatMap((side) => one[side] ?? []);
  if (rows.some(({ outside }) => outside)) return 'other';
  return rows.some(({ effect }) => effect !== null) ? 'within' : 'not sampled';
}

/** Both effects together, as a cause would move the behaviour. */
const sizeOf = ({ away, toward }: LatentEffects) => (toward?.effect ?? 0) - (away?.effect ?? 0);

/** Candidates of this verdict, greatest effects first. */
export function withVerdict(
  all: readonly LatentEffects[],
  zone: Zone,
  verdict: LatentVerdict,
): LatentEffects[] {
  return all
    .filter((one) => one.role === 'candidate' && verdictOf(one, zone) === verdict)
    .sort((a, b) => sizeOf(b) - sizeOf(a) || a.latent - b.latent);
}

export interface Strongest {
  readonly latent: number;
  readonly side: Side;
  readonly row: RankedSteeringRow;
}

/** The candidate that acts as a cause on one side with the greatest effect; undefined where none does. */
export function strongestOnOneSide(all: readonly LatentEffects[], zone: Zone): Strongest | undefined {
  const found = all
    .filter(({ role }) => role === 'candidate')
    .flatMap((one) =>
      bothSides.flatMap((side) => {
        const row = one[side];
        return row && rowActsAsCause(row, zone) ? [{ latent: one.latent, side, row }] : [];
      }),
    );
  return found.sort((a, b) => Math.abs(b.row.effect!) - Math.abs(a.row.effect!))[0];
}

/** A candidate that acts as a cause in both directions. */
export interface ConfirmedLatent {
  readonly away: RankedSteeringRow;
  readonly toward: RankedSteeringRow;
}

/** The confirmed latents, those with the greatest two effects together first. */
export const confirmedLatents = (rows: readonly RankedSteeringRow[], zone: Zone): ConfirmedLatent[] =>
  withVerdict(effectsOf(rows), zone, 'both').map(({ away, toward }) => ({ away: away!, toward: toward! }));
