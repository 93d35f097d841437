/** The causal test, as study.yaml says it. */

import { z } from 'zod';
import { selectorNames } from '../../../methods/attribution/selectors/selectors.ts';
import { incoherenceMeasures } from '../../../methods/steering/incoherence.ts';
import { steeredTokens } from '../../../methods/steering/steer.ts';
import { about, oneOf, real, section, seed, whole } from '../fields.ts';
import { defaulted } from '../section.ts';

const ladder = z
  .array(real({ above: 0 }), { error: 'expected a list of doses' })
  .min(1, { error: 'expected at least one dose' })
  .refine((doses) => doses.every((dose, i) => i === 0 || dose > doses[i - 1]!), {
    error: 'expected doses that rise',
  });

const schema = section({
  selectors: about(
    z
      .array(oneOf(selectorNames), { error: 'expected a list of selectors' })
      .min(1, { error: 'expected at least one selector' })
      .refine((names) => new Set(names).size === names.length, {
        error: 'expected selectors that differ',
      })
      .default(['delta-attribution', 'delta-activation']),
    `what proposes latents: ${selectorNames.join(', ')}`,
  ),
  candidates: about(whole(1).default(100), 'latents that each of them proposes'),
  random: about(
    whole(3).default(50),
    'random latents, as often active as the candidates: their effects are the gray zone',
  ),
  doses: about(
    ladder.default([0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8]),
    'doses to choose from, in parts of the mean residual norm; the strongest that leaves text coherent is taken',
  ),
  incoherent: about(
    real({ from: 0, to: 1 }).default(0.1),
    'greatest share of incoherent completions that a dose may add',
  ),
  incoherence: about(
    oneOf(incoherenceMeasures).default('judge'),
    'what calls a completion incoherent when doses are looked for: judge; cheap (unlikely, repeating or endless text, without calls of a judge); both',
  ),
  calibration_completions: about(
    whole(1).default(2),
    'completions of each calibration prompt, at each dose tried',
  ),
  completions: about(whole(1).default(3), 'completions of each evaluation prompt'),
  max_tokens: about(
    whole(1, 1_000_000).optional(),
    'the most tokens of a completion (default: sampling.max_tokens)',
    60,
  ),
  tokens: about(oneOf(steeredTokens).default('all'), `tokens that are steered: ${steeredTokens.join(', ')}`),
  gate_pairs: about(whole(1).default(8), 'pairs whose log-odds tell which candidates are sampled at all'),
  gate_dose: about(real({ above: 0 }).default(0.2), 'the dose that they are measured at'),
  gate_share: about(
    real({ from: 0, below: 1 }).default(0.5),
    "candidates within this central share of the random latents' log-odds, in either direction, are not sampled",
  ),
  first_look: about(
    real({ above: 0, to: 1 }).default(0.5),
    'share of the evaluation prompts after which a clear case is decided, wrongly in at most 5 % of them',
  ),
  full: about(
    z.boolean({ error: 'expected true or false' }).default(false),
    'sample every candidate on every evaluation prompt',
  ),
  seed: about(seed().default(1), 'of completions and of what is drawn at random'),
});

export const steeringSection = defaulted(
  'steering',
  'The causal test: the subject is steered away from each latent, the reference toward it, and what they say is graded.',
  () => schema,
);
export type SteeringConfig = z.output<typeof schema>;
