/**
 * Which candidates are sampled, by the log-odds alone. It saves completions and costs power only: whoever is not
 * sampled counts as one more candidate that shows nothing.
 */
import type { Interval } from '../../methods/statistics/bootstrap.ts';
import { centralRange } from '../../methods/steering/grayZone.ts';
import type { TestedDirection } from './direction.ts';
import type { ForcedEffects } from './forcedEffects.ts';
import type { SteeringWork } from './work.ts';

/** Changes of the log-odds within which a candidate is not sampled. */
export interface Gate {
  readonly remove: Interval;
  readonly away: Interval;
  readonly toward: Interval;
}

export interface Gated {
  readonly gate: Gate;
  /** candidates whose log-odds stand out when they are removed */
  readonly removed: readonly TestedDirection[];
  /** candidates whose log-odds stand out on both sides when they are added */
  readonly added: readonly TestedDirection[];
}

/** `full`: every candidate is sampled. */
export function throughGate(
  { controls, candidates, options }: Pick<SteeringWork, 'controls' | 'candidates' | 'options'>,
  forced: ForcedEffects,
): Gated {
  const places = {
    remove: ['away', 'remove'],
    away: ['away', 'add'],
    toward: ['toward', 'add'],
  } as const;
  const logOdds = (place: keyof Gate, direction: TestedDirection) => {
    const [side, operation] = places[place];
    return forced.of(side, operation, direction)!.log_odds;
  };
  const rangeOf = (place: keyof Gate) =>
    centralRange(
      controls.map((one) => logOdds(place, one)),
      options.gateShare,
    );
  const gate = { remove: rangeOf('remove'), away: rangeOf('away'), toward: rangeOf('toward') };
  const standsOut = (place: keyof Gate) => (direction: TestedDirection) => {
    const found = logOdds(place, direction);
    return found < gate[place].low || found > gate[place].high;
  };
  if (options.full) return { gate, removed: candidates, added: candidates };
  return {
    gate,
    removed: candidates.filter(standsOut('remove')),
    added: candidates.filter(standsOut('away')).filter(standsOut('toward')),
  };
}
