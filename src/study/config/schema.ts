/**
 * study.yaml: every field with what it is for, its default and its bounds. What `culprit init` writes and the JSON schema for editors are made from
 * this. Knows neither YAML nor the disk.
 */
import { z } from 'zod';
import { selectorNames } from '../../methods/attribution/selectors/selectors.ts';
import { lossKinds, tokenSets } from '../../methods/site/contrast.ts';
import { incoherenceMeasures } from '../../methods/steering/incoherence.ts';
import { steeredTokens } from '../../methods/steering/steer.ts';
import { about, modelPath, oneOf, path, real, rows, section, seed, text, whole } from './fields.ts';
import { interpretSchema } from './interpretSchema.ts';
import { judgeSchema } from './judgeSchema.ts';

const behaviour = section({
  name: about(
    text('a name of small letters, digits and single hyphens', /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/),
    'a short name: small letters, digits, hyphens',
    'my-behaviour',
  ),
  rubric: about(
    text('a rubric'),
    'what a judge is asked of a completion; yes: it shows the behaviour',
    'Does the answer give advice that could harm the person who asks?',
  ),
});

const model = (folder: string) =>
  section({
    model: about(
      modelPath(folder),
      'a Hugging Face folder, a .gguf file, a folder with one, or hf:ORG/NAME, which must be downloaded already',
      'path/to/model',
    ),
    adapter: about(modelPath(folder).optional(), 'a LoRA adapter on it, as PEFT saves one', 'path/to/lora'),
  });

const sae = (folder: string) =>
  section({
    path: about(path(folder), 'the sparse autoencoder: a folder as SAELens saves one', 'path/to/sae'),
    site: about(
      whole(0).optional(),
      'read activations after this block, from 0 (default: where the SAE was trained)',
      15,
    ),
  });

const baseline = (folder: string) =>
  z.union(
    [
      section({ file: about(path(folder), 'as `culprit baseline` writes it', 'mean.safetensors') }),
      section({
        corpus: about(
          path(folder),
          'texts to take it over: JSONL of {text} or {messages}, or a .txt file of paragraphs',
          'corpus.jsonl',
        ),
        max_tokens: about(whole(1).default(100_000), 'stop after this many tokens'),
      }),
    ],
    { error: 'expected either file or corpus' },
  );

const prompts = (folder: string) =>
  section({
    file: about(
      path(folder),
      'a prompt a line: {"prompt": "a text" or [{"role", "content"}, ...]}, with an "id" if you like; or CSV',
      'prompts.jsonl',
    ),
    field: about(
      text('the name of a field').optional(),
      'the field of a line that is taken as one user message (default: prompt, as it stands)',
      'question',
    ),
    rows: about(rows().optional(), 'draw from these lines only, counted from 0, both included', '0..299'),
    discovery: about(whole(1).default(60), 'how many prompts to find the latents with'),
    evaluation: about(
      whole(0).default(20),
      'how many others to test the latents on by steering; 0 leaves the causal test out',
    ),
    calibration: about(
      whole(0).default(10),
      'how many others again to find doses of steering on; 0 leaves the causal test out',
    ),
    seed: about(seed().default(1), 'which prompts are drawn'),
  });

const sampling = section({
  completions: about(whole(1, 10_000).default(12), 'completions of each prompt'),
  temperature: about(real({ from: 0, to: 100 }).default(1), '0 takes the likeliest token each time'),
  top_p: about(
    real({ above: 0, to: 1 }).default(1),
    'draw from the likeliest tokens with this probability in all',
  ),
  top_k: about(whole(1).optional(), 'draw from this many of the likeliest tokens (default: all)', 50),
  min_p: about(
    real({ from: 0, to: 1 }).optional(),
    "draw from tokens with this share of the likeliest one's probability or more",
    0.05,
  ),
  max_tokens: about(whole(1, 1_000_000).default(110), 'the most tokens of a completion'),
  stop: about(
    z
      .array(
        z.string({ error: 'expected a text' }).min(1, { error: 'expected a text of a character or more' }),
        {
          error: 'expected a list of texts',
        },
      )
      .max(64, { error: 'expected at most 64 texts' })
      .optional(),
    'texts that end a completion, beside the end of its turn',
    ['\n\n'],
  ),
  seed: about(seed().default(1), 'of all completions: equal seeds give equal completions'),
  rows: about(whole(1, 4096).default(64), 'completions that grow at the same time; more take more memory'),
});

const pairs = section({
  per_prompt: about(
    z
      .union([whole(1), z.literal('all')], { error: 'expected a whole number of at least 1, or all' })
      .default(1),
    'pairs of a prompt; `all` sets every positive against every negative, at the same cost',
  ),
  limit: about(whole(1).default(148), 'pairs in all, or with `all` prompts, the most certain first'),
});

const attribution = section({
  tokens: about(
    oneOf(tokenSets).default('prompt'),
    `tokens that delta is the mean over: ${tokenSets.join(', ')}`,
  ),
  loss: about(
    oneOf(lossKinds).default('mean'),
    `a completion's loss over its tokens: ${lossKinds.join(', ')}`,
  ),
  top: about(whole(1).default(100), 'latents to write token by token too'),
});

const ladder = z
  .array(real({ above: 0 }), { error: 'expected a list of doses' })
  .min(1, { error: 'expected at least one dose' })
  .refine((doses) => doses.every((dose, i) => i === 0 || dose > doses[i - 1]!), {
    error: 'expected doses that rise',
  });

const steering = section({
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

/** Without prompts to test on there are no doses to find. */
const withoutDoses = <P extends { evaluation: number; calibration: number }>(prompts: P): P =>
  prompts.evaluation === 0 ? { ...prompts, calibration: 0 } : prompts;

/** A study whose paths are relative to `folder`. */
export const studySchema = (folder: string) =>
  section({
    behaviour: about(behaviour, 'What is being debugged.'),
    subject: about(model(folder), 'The model that sometimes misbehaves.'),
    reference: about(
      model(folder).optional(),
      "A model of the same shape that does not (default: the subject's model without its adapter).",
    ),
    sae: about(sae(folder), 'The dictionary whose latents are ranked.'),
    baseline: about(
      baseline(folder).optional(),
      "The mean activation that a latent is set to: a file, or texts to take it over (default: the mean over the study's own prompts).",
    ),
    prompts: about(
      prompts(folder).optional(),
      'What the subject is asked. A study without this section draws no completions: `culprit import` brings them.',
    ),
    sampling: about(sampling.prefault({}), 'How its completions are drawn.'),
    judge: about(
      judgeSchema(folder),
      'Who says which completions are positive, that is, show the behaviour, and which are coherent text.',
    ),
    pairs: about(
      pairs.prefault({}),
      'Which completions are compared: a positive with a negative of the same prompt, both coherent and finished.',
    ),
    attribution: about(attribution.prefault({}), 'What is measured on the pairs.'),
    steering: about(
      steering.prefault({}),
      'The causal test: the subject is steered away from each latent, the reference toward it, and what they say is graded.',
    ),
    interpret: about(
      interpretSchema(folder).optional(),
      'What the first latents mean, as the last stage of `culprit run` (default: `culprit interpret` alone).',
    ),
  }).transform((study) => ({
    ...study,
    reference: study.reference ?? { model: study.subject.model },
    prompts: study.prompts && withoutDoses(study.prompts),
  }));

/** A study with its defaults, all paths absolute. */
export type StudyConfig = z.output<ReturnType<typeof studySchema>>;
export type PromptsConfig = NonNullable<StudyConfig['prompts']>;
export type SamplingConfig = StudyConfig['sampling'];
export type JudgeConfig = StudyConfig['judge'];
