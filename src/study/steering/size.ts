/** How large a causal test is before it is run: the funnel decides on the way how much of it is done. */
import type { StudyConfig } from '../config/schema.ts';
import { greedyOf, heldTokenSets, systemOf } from '../config/sections/steering.ts';
import { groupSize } from './direction.ts';
import { greedyRemovals } from './greedyGroup.ts';
import { keptAside } from './trialParts.ts';
import { steeringRecord } from './work.ts';

type SteeringConfig = StudyConfig['steering'];

/** Doses that a search looks at. */
const rounds = ({ doses }: SteeringConfig) => Math.ceil(Math.log2(doses.length + 1));

const mostCandidates = ({ selectors, candidates }: SteeringConfig) => selectors.length * candidates;

/** Completions of a whole trial that a record of the journal holds; undefined where it is of no trial. */
export function completionsIn(record: unknown): number | undefined {
  const found = steeringRecord.safeParse(record).data;
  if (found?.kind === 'trial') return found.completions.length;
  return found?.kind === 'verdict' ? 0 : undefined;
}

export interface CausalTestSize {
  /** completions, about */
  readonly completions: number;
  /** passes of a pair through the part of the model above the site */
  readonly forced: number;
}

/** Directions of `comparisonDirections` and `unrelatedDirections`. */
const mostComparisons = 9;

const noPrompts = { evaluation: 0, calibration: 0 };

/** What a causal test comes to, about. */
export function causalTestSize(
  steering: SteeringConfig,
  { evaluation, calibration }: typeof noPrompts = noPrompts,
): CausalTestSize {
  const { random, gaussian, full, patch, gate_pairs, gate_share, completions, calibration_completions } =
    steering;
  const candidates = mostCandidates(steering);
  const aside = keptAside(evaluation, steering.aside);
  const first = Math.min(candidates, steering.remeasured);
  const evaluated = (evaluation - aside) * completions;
  const searched = rounds(steering) * calibration * calibration_completions;
  // as many candidates pass the log-odds as would if theirs were spread as those of random latents
  const sampled = (full ? 1 : 1 - gate_share) * candidates;
  const comparisons = mostComparisons + (steering.topic_half ? 1 : 0);
  const others = gaussian + comparisons;
  const greedy = greedyOf(steering);
  const pool = Math.min(candidates, greedy?.from ?? 0);
  const built = Math.max(0, Math.min(pool, greedy?.size ?? 0) - 1);
  const groups = groupSize(first) - 1 + built;
  const sought = greedyRemovals(greedy?.size ?? 0, pool) * calibration * calibration_completions;
  const removed = random + sampled + others + groups;
  const steered = Math.min(random, steering.random_steered ?? random);
  const added = 2 * ((steered + sampled + gaussian) * (evaluated + searched) + comparisons * evaluated);
  const patched = patch ? random + first + others : 0;
  const furtherSets = heldTokenSets(steering).length - 1;
  const subtracted = steering.subtract ? random + sampled : 0;
  const system = systemOf(steering) === undefined ? 0 : 1;
  const further = furtherSets * removed + subtracted + system;
  const furtherAgain = furtherSets * (first + groups) + (steering.subtract ? first : 0) + system;
  const again = ((patch ? 4 : 3) * first + built + furtherAgain) * aside * completions;
  return {
    completions: Math.round((removed + patched + further) * evaluated + added + again + sought),
    forced: 3 * (random + candidates + others) * gate_pairs,
  };
}
