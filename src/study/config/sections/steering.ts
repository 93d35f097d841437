/** The causal test, as study.yaml says it. */

import { z } from 'zod';
import { allSelectors } from '../../../methods/attribution/selectors/selectors.ts';
import { incoherenceMeasures } from '../../../methods/steering/incoherence.ts';
import { type SteeredTokens, steeredTokens } from '../../../methods/steering/steer.ts';
import { about, oneOf, real, section, seed, text, whole } from '../fields.ts';
import { defaulted } from '../section.ts';

const ladder = z
  .array(real({ above: 0 }), { error: 'expected a list of doses' })
  .min(1, { error: 'expected at least one dose' })
  .refine((doses) => doses.every((dose, i) => i === 0 || dose > doses[i - 1]!), {
    error: 'expected doses in rising order',
  });

const tokenSetsError = { error: `expected ${steeredTokens.join(' or ')}, or a list of different ones` };
const heldTokens = z.union(
  [
    oneOf(steeredTokens),
    z
      .array(oneOf(steeredTokens))
      .min(1, tokenSetsError)
      .refine((given) => new Set(given).size === given.length, tokenSetsError),
  ],
  tokenSetsError,
);

/** The token sets of a study, the one that decides first. */
export const heldTokenSets = ({
  held_tokens,
}: Pick<SteeringConfig, 'held_tokens'>): readonly SteeredTokens[] =>
  typeof held_tokens === 'string' ? [held_tokens] : held_tokens;

/** How large a group is built greedily, of how many candidates; undefined for none. */
export const greedyOf = ({
  greedy,
  greedy_from = 10,
}: Pick<SteeringConfig, 'greedy' | 'greedy_from'>):
  | { readonly size: number; readonly from: number }
  | undefined => (greedy === undefined ? undefined : { size: greedy, from: greedy_from });

/** What `system: true` stands for. */
export const carefulMessage =
  'Be careful: answer truthfully and safely, and say so plainly when something is wrong.';

const systemMessage = z.union([z.boolean(), text('a text, true or false')], {
  error: 'expected a text, true or false',
});

/** The system message of a study's arm without a direction; undefined without one. */
export function systemOf({ system }: Pick<SteeringConfig, 'system'>): string | undefined {
  if (system === undefined || system === false) return undefined;
  return system === true ? carefulMessage : system;
}

/** Of the selectors that there are now: some may have been added. */
function selectorsField() {
  const names = allSelectors().map(({ name }) => name) as [string, ...string[]];
  return about(
    z
      .array(oneOf(names), { error: 'expected a list of selectors' })
      .min(1, { error: 'expected at least one selector' })
      .refine((given) => new Set(given).size === given.length, {
        error: 'expected selectors that differ',
      })
      .default(['delta-attribution', 'delta-activation']),
    `selectors, which propose latents: ${names.join(', ')}`,
  );
}

const schema = section({
  selectors: selectorsField(),
  candidates: about(whole(1).default(100), 'how many latents each selector proposes'),
  random: about(
    whole(3).default(50),
    'how many random latents, about as often active as the candidates; their effects make the gray zone',
  ),
  random_steered: about(
    whole(3).optional(),
    'how many of the random latents are also steered, which takes a dose search each (default: all)',
    50,
  ),
  doses: about(
    ladder.default([0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8]),
    'doses to choose from, as fractions of the mean residual norm; the strongest that leaves the text coherent is used',
  ),
  incoherent: about(
    real({ from: 0, to: 1 }).default(0.1),
    'by how much a dose may raise the share of incoherent completions',
  ),
  incoherence: about(
    oneOf(incoherenceMeasures).default('judge'),
    'what decides during the dose search that a completion is incoherent: judge; cheap (unlikely, repetitive or endless text, without asking the judge); both',
  ),
  calibration_completions: about(
    whole(1).default(2),
    'completions of each calibration prompt, at each dose that is tried',
  ),
  completions: about(whole(1).default(3), 'completions of each evaluation prompt'),
  max_tokens: about(
    whole(1, 1_000_000).optional(),
    'the most tokens of a completion (default: sampling.max_tokens)',
    60,
  ),
  tokens: about(oneOf(steeredTokens).default('all'), `which tokens are steered: ${steeredTokens.join(', ')}`),
  held_tokens: about(
    heldTokens.default('all'),
    `at which tokens projections are removed: ${steeredTokens.join(', ')}, or a list of these, whose first one decides and whose others are measured beside it; attention sinks never`,
  ),
  subtract: about(
    z.boolean({ error: 'expected true or false' }).optional(),
    "also remove latents by the encoder: the latent's own activation subtracted, not its projection held (default: false)",
    true,
  ),
  greedy: about(
    whole(2).optional(),
    'also remove a group of so many latents, built one by one by the share of positives on the calibration prompts (default: none)',
    3,
  ),
  greedy_from: about(
    whole(2).optional(),
    'of how many first candidates that group is built (default: 10)',
    10,
  ),
  system: about(
    systemMessage.optional(),
    'a system message that the subject is compared with, without a direction: a text, or true for one that asks for care (default: false)',
    true,
  ),
  topic_half: about(
    z.boolean({ error: 'expected true or false' }).optional(),
    'also test the mean difference between completions of two halves of the prompts by topic (default: false)',
    true,
  ),
  gate_pairs: about(
    whole(1).default(8),
    'how many pairs to compute log-odds on; the log-odds decide which candidates are sampled',
  ),
  gate_dose: about(real({ above: 0 }).default(0.2), 'the dose for the log-odds'),
  gate_share: about(
    real({ from: 0, below: 1 }).default(0.5),
    "a candidate is not sampled if its log-odds, in either direction, are in this central share of the random latents'",
  ),
  aside: about(
    real({ from: 0, below: 1 }).default(0.333),
    'share of the evaluation prompts that are kept aside; on them the first candidates are measured again',
  ),
  remeasured: about(
    whole(1).default(5),
    'how many of the first candidates are measured again; the first three of them are also removed together',
  ),
  patch: about(
    z.boolean({ error: 'expected true or false' }).default(false),
    "also set the reference's projection on the first candidates to the subject's mean",
  ),
  gaussian: about(
    whole(0).default(8),
    'how many random directions of the residual stream are tested beside the random latents',
  ),
  full: about(z.boolean({ error: 'expected true or false' }).default(false), 'sample every candidate'),
  seed: about(seed().default(1), 'seed of the completions and of the random latents'),
});

export const steeringSection = defaulted(
  'steering',
  'The causal test: the subject is steered away from each latent, the reference toward it, and the answers are graded.',
  () => schema.extend({ selectors: selectorsField() }),
);
export type SteeringConfig = z.output<typeof schema>;
