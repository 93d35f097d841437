/** The rows of a proof by steering, latent by latent, and which of them act as a cause would. */
import { type Direction, directions, type RankedSteeringRow, type SteeringSummary } from '../results.ts';

/** One latent's rows. */
export interface LatentEffects {
  readonly latent: number;
  readonly role: RankedSteeringRow['role'];
  /** 1 the first, by selector */
  readonly ranks: Readonly<Record<string, number>>;
  readonly away: RankedSteeringRow | undefined;
  readonly toward: RankedSteeringRow | undefined;
}

export type Zone = SteeringSummary['zone'];

/** In the order of the rows. */
export function effectsOf(rows: readonly RankedSteeringRow[]): LatentEffects[] {
  const byLatent = new Map<number, LatentEffects>();
  for (const row of rows) {
    const { latent, role, ranks, direction } = row;
    const before = byLatent.get(latent) ?? { latent, role, ranks, away: undefined, toward: undefined };
    byLatent.set(latent, { ...before, [direction]: row });
  }
  return [...byLatent.values()];
}

/** Whether the behaviour moved as a cause would move it, beyond the gray zone: down when steered away, up when steered toward. */
export function actsAsCause(row: RankedSteeringRow | undefined, zone: Zone): boolean {
  const effect = row?.effect;
  if (row === undefined || effect == null) return false;
  const { low, high } = zone[row.direction];
  return row.direction === 'away' ? effect < Math.min(0, low) : effect > Math.max(0, high);
}

/** What steering says of a latent; `other`: it left the gray zone, but not as a cause would. */
export const verdicts = ['both', 'away', 'toward', 'other', 'within', 'not sampled'] as const;
export type Verdict = (typeof verdicts)[number];

export function verdictOf(one: LatentEffects, zone: Zone): Verdict {
  const [away, toward] = directions.map((direction) => actsAsCause(one[direction], zone));
  if (away && toward) return 'both';
  if (away) return 'away';
  if (toward) return 'toward';
  const rows = directions.flatMap((direction) => one[direction] ?? []);
  if (rows.some(({ outside }) => outside)) return 'other';
  return rows.some(({ effect }) => effect !== null) ? 'within' : 'not sampled';
}

/** Both effects together, as a cause would move the behaviour. */
const sizeOf = ({ away, toward }: LatentEffects) => (toward?.effect ?? 0) - (away?.effect ?? 0);

/** Candidates of this verdict, greatest effects first. */
export function withVerdict(all: readonly LatentEffects[], zone: Zone, verdict: Verdict): LatentEffects[] {
  return all
    .filter((one) => one.role === 'candidate' && verdictOf(one, zone) === verdict)
    .sort((a, b) => sizeOf(b) - sizeOf(a) || a.latent - b.latent);
}

export interface Strongest {
  readonly latent: number;
  readonly direction: Direction;
  readonly row: RankedSteeringRow;
}

/** The candidate that acts as a cause on one side with the greatest effect; undefined where none does. */
export function strongestOnOneSide(all: readonly LatentEffects[], zone: Zone): Strongest | undefined {
  const found = all
    .filter(({ role }) => role === 'candidate')
    .flatMap((one) =>
      directions.flatMap((direction) => {
        const row = one[direction];
        return row && actsAsCause(row, zone) ? [{ latent: one.latent, direction, row }] : [];
      }),
    );
  return found.sort((a, b) => Math.abs(b.row.effect!) - Math.abs(a.row.effect!))[0];
}
