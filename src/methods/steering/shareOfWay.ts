/**
 * How far a change takes a model to the other one: docs/method.md section 5. Knows neither models nor texts.
 */
import { bootstrap, type Interval } from '../statistics/bootstrap.ts';
import { positiveShare, type Tally, total } from './effect.ts';

/** One prompt: the model left alone, changed, and the model that it is compared with left alone. */
export interface WayTallies {
  readonly from: Tally;
  readonly changed: Tally;
  readonly to: Tally;
}

/**
 * N = (p_from − p_changed) / (p_from − p_to) over all prompts, shares of the coherent: 0 for a change without
 * effect, 1 for one that goes all the way, above 1 beyond it. NaN where the two models do not differ or a share
 * is of nothing.
 */
export function shareOfWay(prompts: readonly WayTallies[]): number {
  const share = (of: keyof WayTallies) => positiveShare(total(prompts.map((prompt) => prompt[of])));
  const from = share('from');
  const whole = from - share('to');
  return whole === 0 ? Number.NaN : (from - share('changed')) / whole;
}

/** 95 % bootstrap interval of it, resampling prompts. Wide where the two models hardly differ. */
export const wayInterval = (prompts: readonly WayTallies[], seed: number): Interval =>
  bootstrap(
    prompts.map((prompt) => [prompt]),
    (drawn) => ({ way: shareOfWay(drawn) }),
    { seed },
  ).way;
