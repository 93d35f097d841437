/**
 * The causal test: both directions of every latent, as far as the funnel takes it. First the log-odds of all,
 * on subject and reference; then the candidates that stand out there in both directions are sampled, and all
 * random latents.
 */

import type { Interval } from '../../methods/statistics/bootstrap.ts';
import { centralRange } from '../../methods/steering/grayZone.ts';
import type { ForcedRecord, Side } from '../../results.ts';
import { forcedEffects } from './forcedEffects.ts';
import { type SideOutcome, steerSide } from './side.ts';
import type { SteeringWork } from './work.ts';

/** Changes of the log-odds within which a candidate is not sampled. */
export type Gate = Readonly<Record<Side, Interval>>;

export interface CausalTest {
  readonly sides: Readonly<Record<Side, SideOutcome>>;
  /** undefined where every candidate was sampled */
  readonly gate: Gate | undefined;
}

/** Runs what the journal lacks. Throws JudgeStopped where the judge's budget is spent. */
export async function testCausally(work: SteeringWork): Promise<CausalTest> {
  const { controls, candidates, options } = work;
  const latents = [...controls, ...candidates];
  const forced: Record<Side, Map<number, ForcedRecord>> = {
    away: await forcedEffects(work, 'away', latents),
    toward: await forcedEffects(work, 'toward', latents),
  };
  const gateOf = (side: Side) =>
    centralRange(
      controls.map((latent) => forced[side].get(latent)!.log_odds),
      options.gateShare,
    );
  const gate: Gate = { away: gateOf('away'), toward: gateOf('toward') };
  const standsOut = (latent: number, side: Side) => {
    const { log_odds } = forced[side].get(latent)!;
    return log_odds < gate[side].low || log_odds > gate[side].high;
  };
  const chosen = candidates.filter(
    (latent) => options.full || (standsOut(latent, 'away') && standsOut(latent, 'toward')),
  );
  const side = (side: Side) => steerSide(work, side, forced[side], new Set(chosen));
  return {
    sides: { away: await side('away'), toward: await side('toward') },
    gate: options.full ? undefined : gate,
  };
}
