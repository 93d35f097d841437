/** One direction's model left alone: what its completions set for all that is steered. Knows no direction. */
import { InputError } from '../../errors.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { incoherentShare, type Tally, total } from '../../methods/steering/effect.ts';
import type { Side, SteeredCompletion, TrialPart } from '../../results.ts';
import { type Coherence, coherenceBy } from './coherence.ts';
import type { TrialRunner } from './trials.ts';
import type { SteeringOptions } from './work.ts';

/** What steering is measured against. */
export interface Unsteered {
  readonly coherence: Coherence;
  /** share of incoherent completions, at most, of a dose */
  readonly limit: number;
  /** of the evaluation prompts, by id */
  readonly byPrompt: ReadonlyMap<string, Tally>;
}

/** Tallies of completions of evaluation prompts, by prompt id. */
export const tallyByPrompt = (
  completions: readonly SteeredCompletion[],
  { evaluation }: Coherence,
): Map<string, Tally> =>
  new Map([...grouped(completions, ({ prompt_id }) => prompt_id)].map(([id, own]) => [id, evaluation(own)]));

/** Tallies of the model left alone on one part's prompts, by prompt id; none for a part without prompts. */
export async function leftAloneOn(
  runner: Pick<TrialRunner, 'run'>,
  side: Side,
  part: TrialPart,
  coherence: Coherence,
): Promise<Map<string, Tally>> {
  const [record] = await runner.run([{ arm: undefined, part }], `Without steering, ${side}`);
  return tallyByPrompt(record!.completions, coherence);
}

/** Throws InputError where none of the evaluation prompts' completions is coherent. */
export async function leftAlone(
  runner: TrialRunner,
  side: Side,
  { incoherence, incoherent }: Pick<SteeringOptions, 'incoherence' | 'incoherent'>,
): Promise<Unsteered> {
  const [calibrated] = await runner.run(
    [{ arm: undefined, part: 'calibration' }],
    `Without steering, ${side}`,
  );
  const coherence = coherenceBy(incoherence, calibrated!.completions);
  const byPrompt = await leftAloneOn(runner, side, 'evaluation', coherence);
  checkCoherent(total([...byPrompt.values()]), side);
  const tally = coherence.calibration(calibrated!.completions);
  return { coherence, limit: doseLimit(incoherent, tally), byPrompt };
}

/**
 * The share of incoherent completions that a dose may have: that of the model left alone and `incoherent`
 * more, but never all of them.
 */
export const doseLimit = (incoherent: number, alone: Tally): number =>
  Math.min(incoherent + incoherentShare(alone), 1 - 1 / alone.completions);

function checkCoherent({ coherent, completions }: Tally, side: Side): void {
  if (coherent > 0) return;
  throw new InputError(
    `steering ${side}: no gray zone: all ${completions} unsteered completions of the evaluation prompts are incoherent`,
  );
}
