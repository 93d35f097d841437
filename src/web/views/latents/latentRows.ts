/** Every latent of a study with all that is known of it, a row each. */
import {
  type EffectVerdictName,
  effectsOf,
  type LatentRow,
  type RankedSteeringRow,
  type SteeringStage,
  steeringStages,
  verdictOf,
} from '../../../results.ts';
import type { SteeringRecords } from '../../study.ts';

export interface LatentTableRow extends LatentRow {
  /** by selector; absent where it did not propose the latent */
  readonly ranks: Readonly<Record<string, number>>;
  readonly remove: RankedSteeringRow | undefined;
  readonly away: RankedSteeringRow | undefined;
  readonly toward: RankedSteeringRow | undefined;
  /**
   * how far it went in the causal test, at most; `random` for those of the gray zone; undefined for those
   * not steered
   */
  readonly stage: SteeringStage | 'random' | undefined;
  /** undefined for random ones and those not steered */
  readonly verdict: EffectVerdictName | undefined;
  /** what it seems to mean; undefined where it has no page */
  readonly meaning: string | undefined;
}

function furthest(rows: readonly (RankedSteeringRow | undefined)[]): SteeringStage | undefined {
  const reached = rows.flatMap((row) => (row ? steeringStages.indexOf(row.stage) : []));
  return reached.length === 0 ? undefined : steeringStages[Math.max(...reached)];
}

/** By rank. */
export function tableRows(
  latents: readonly LatentRow[],
  steering: SteeringRecords | undefined,
  meanings: ReadonlyMap<number, string>,
): LatentTableRow[] {
  const steered = new Map(effectsOf(steering?.rows ?? []).map((one) => [one.latent, one]));
  const rows = latents.map((row) => {
    const effects = steered.get(row.latent);
    const { remove, away, toward, ranks = {} } = effects ?? {};
    return {
      ...row,
      ranks,
      remove,
      away,
      toward,
      stage: effects?.role === 'random' ? ('random' as const) : furthest([remove, away, toward]),
      verdict: effects?.role === 'candidate' ? verdictOf(effects) : undefined,
      meaning: meanings.get(row.latent),
    };
  });
  return rows.sort((a, b) => a.rank - b.rank);
}

/** Selectors that proposed any, in the causal test's order. */
export const selectorsOf = (steering: SteeringRecords | undefined): string[] =>
  steering?.summary.selectors.map(({ selector }) => selector) ?? [];
