/**
 * Outcomes of a causal test made by hand: 20 prompts, each with 12 completions of which 10 are coherent, and how
 * many of the 200 coherent ones are positive.
 */
import type { PromptTallies, Tally } from '../../../src/methods/steering/effect.ts';
import type { ForcedRecord, Operation, Role, Side, SteeredCompletion } from '../../../src/results.ts';
import type { ArmOutcome, MeasuredArm } from '../../../src/study/steering/armOutcome.ts';
import type { CausalTest } from '../../../src/study/steering/causalTest.ts';
import { type TestedDirection, vectorDirection } from '../../../src/study/steering/direction.ts';
import type { Unsteered } from '../../../src/study/steering/unsteered.ts';

const prompts = 20;
const coherent = 10 * prompts;
/** Positives left alone. */
export const alonePositives: Readonly<Record<Side, number>> = { away: 100, toward: 40 };

/** So many positives over all prompts, some prompts with more and some with fewer. */
function spread(positives: number, shift: number): Tally[] {
  const [each, more] = [Math.floor(positives / prompts), positives % prompts];
  return Array.from({ length: prompts }, (_, j) => {
    const apart = ((j + shift) >> 1) % 2 === 0 ? 1 : -1;
    const varied = each >= 1 && each <= 8 ? apart : 0;
    return { completions: 12, coherent: 10, positives: each + Number(j < more) + varied };
  });
}

const aloneOn = (side: Side) => spread(alonePositives[side], 1);

function measuredAs(side: Side, positives: number, tokens: number): MeasuredArm {
  const alone = aloneOn(side);
  const tallies = spread(positives, 0).map((steered, j): PromptTallies => ({ steered, alone: alone[j]! }));
  const effect = (positives - alonePositives[side]) / coherent;
  const completions = [tokens - 1, tokens + 1].map((count) => ({ tokens: count }) as SteeredCompletion);
  return { prompts: tallies, completions, effect, interval: { low: effect - 0.125, high: effect + 0.125 } };
}

export interface Said {
  /** of 200; without it the arm was not sampled */
  readonly positives?: number;
  readonly stage?: ArmOutcome['stage'];
  readonly logOdds?: number;
  readonly aside?: number;
  readonly limitedBy?: ArmOutcome['limitedBy'];
}

export function madeDirection(name: string, role: Role, sign: 1 | -1 = 1): TestedDirection {
  const latent = /^latent (\d+)$/.exec(name)?.[1];
  return vectorDirection(name, role, Float32Array.of(1), {
    latent: latent === undefined ? null : Number(latent),
    sign,
  });
}

export function outcome(
  direction: TestedDirection,
  operation: Operation,
  side: Side,
  { positives, stage, logOdds, aside, limitedBy }: Said,
): ArmOutcome {
  const { name, latent } = direction;
  const signed = side === 'away' ? -1 : 1;
  const forced: ForcedRecord | undefined =
    logOdds === undefined
      ? undefined
      : {
          kind: 'forced',
          id: `${side}/${operation}/${name}`,
          side,
          direction: name,
          latent,
          operation,
          dose: operation === 'add' ? signed * 0.2 : 0,
          content: '',
          estimate: 2 * logOdds,
          log_odds: logOdds,
          damage: 0.5,
        };
  return {
    direction,
    operation,
    side,
    forced,
    stage: stage ?? (positives === undefined ? 'log-odds' : 'sampled'),
    dose: operation === 'add' && positives !== undefined ? signed * 0.4 : undefined,
    tried: [],
    limitedBy,
    measured: positives === undefined ? undefined : measuredAs(side, positives, 8),
    aside: aside === undefined ? undefined : measuredAs(side, aside, 8),
  };
}

function unsteered(side: Side): Unsteered {
  const byPrompt = new Map(aloneOn(side).map((tally, j) => [`eva${j}`, tally]));
  const unasked = () => {
    throw new Error('nothing is graded');
  };
  return { coherence: { calibration: unasked, evaluation: unasked }, limit: 0.15, byPrompt };
}

export const madeTest = (outcomes: readonly ArmOutcome[]): CausalTest => ({
  outcomes,
  unsteered: { away: unsteered('away'), toward: unsteered('toward') },
  gate: undefined,
  forced: [],
  trials: [],
});
