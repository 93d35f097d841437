/** How large a proof is before it is run: the funnel decides on the way how much of it is done. */
import type { StudyConfig } from '../config/schema.ts';

type SteeringConfig = StudyConfig['steering'];

/** Doses that a search looks at. */
const rounds = ({ doses }: SteeringConfig) => Math.ceil(Math.log2(doses.length + 1));

const mostCandidates = ({ selectors, candidates }: SteeringConfig) => selectors.length * candidates;

/** Units of the journal, at most: of each latent and direction its log-odds, its doses, few samples and many. */
export function mostUnits(steering: SteeringConfig): number {
  return 1 + 2 * (steering.random + mostCandidates(steering)) * (rounds(steering) + 3) + 2 * 3;
}

/** Share of the candidates that the log-odds let pass, about. */
const passing = 0.4;

export interface ProofSize {
  /** completions, about */
  readonly completions: number;
  /** passes of a pair through the part of the model above the site */
  readonly forced: number;
}

/** What a proof comes to, about. */
export function proofSize(
  steering: SteeringConfig,
  { evaluation, calibration }: { readonly evaluation: number; readonly calibration: number },
): ProofSize {
  const { random, full, gate_pairs, completions, calibration_completions } = steering;
  const each = rounds(steering) * calibration * calibration_completions + evaluation * completions;
  const sampled = random + (full ? 1 : passing) * mostCandidates(steering);
  return {
    completions: 2 * sampled * each,
    forced: 2 * (random + mostCandidates(steering)) * gate_pairs,
  };
}
