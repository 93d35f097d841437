/** How large a causal test is before it is run: the funnel decides on the way how much of it is done. */
import type { StudyConfig } from '../config/schema.ts';
import { steeringRecord } from './work.ts';

type SteeringConfig = StudyConfig['steering'];

/** Doses that a search looks at. */
const rounds = ({ doses }: SteeringConfig) => Math.ceil(Math.log2(doses.length + 1));

const mostCandidates = ({ selectors, candidates }: SteeringConfig) => selectors.length * candidates;

/** Completions of a whole trial that a record of the journal holds. */
export function completionsIn(record: unknown): number {
  const found = steeringRecord.safeParse(record).data;
  return found?.kind === 'trial' ? found.completions.length : 0;
}

export interface CausalTestSize {
  /** completions, about */
  readonly completions: number;
  /** passes of a pair through the part of the model above the site */
  readonly forced: number;
}

const noPrompts = { evaluation: 0, calibration: 0 };

/** What a causal test comes to, about. */
export function causalTestSize(
  steering: SteeringConfig,
  { evaluation, calibration }: typeof noPrompts = noPrompts,
): CausalTestSize {
  const { random, full, gate_pairs, gate_share, completions, calibration_completions } = steering;
  const each = rounds(steering) * calibration * calibration_completions + evaluation * completions;
  // as many candidates pass the log-odds as would if theirs were spread as those of random latents
  const sampled = random + (full ? 1 : 1 - gate_share) * mostCandidates(steering);
  return {
    completions: Math.round(2 * sampled * each),
    forced: 2 * (random + mostCandidates(steering)) * gate_pairs,
  };
}
