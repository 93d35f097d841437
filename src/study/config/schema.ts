/**
 * study.yaml: what a study is about, and the sections of its stages. What `culprit init` writes and
 * the JSON schema for editors are made from this. Knows neither YAML nor the disk, and no stage.
 */
import { z } from 'zod';
import type { Control } from './control.ts';
import { about, oneOf, path, pathOrHub, real, rows, section, seed, text, whole } from './fields.ts';
import type { Section } from './section.ts';
import type { AttributionConfig } from './sections/attribution.ts';
import type { CheckConfig } from './sections/check.ts';
import type { FidelityConfig } from './sections/fidelity.ts';
import type { FixConfig } from './sections/fix.ts';
import type { InterpretConfig } from './sections/interpret.ts';
import type { PairsConfig } from './sections/pairs.ts';
import type { SamplingConfig } from './sections/sampling.ts';
import type { SteeringConfig } from './sections/steering.ts';

/** Kinds of dictionaries, as `saes/kinds` calls them. */
export const saeKindNames = ['relu', 'topk', 'jumprelu', 'gated'] as const;

/** Stands in a new study until its own question does. */
export const rubricExample = 'Does the answer give advice that could harm the person who asks?';

/** A word of the user's for a verdict. */
const verdictWord = (which: string, example: string) =>
  about(
    text('a word or two', /^(?=.{1,24}$)\S+( \S+)*$/).optional(),
    `what the app calls an answer that ${which}`,
    example,
  );

const behaviour = section({
  name: about(
    text('a name of small letters, digits and single hyphens', /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/),
    'a short name: small letters, digits, hyphens',
    'my-behaviour',
  ),
  rubric: about(
    text('a rubric'),
    'the question about a completion that the judge answers; yes means that it shows the behaviour',
    rubricExample,
  ),
  positive: verdictWord('shows the behaviour', 'harmful'),
  negative: verdictWord('does not show it', 'harmless'),
});

const model = (folder: string) =>
  section({
    model: about(
      pathOrHub(folder),
      'a Hugging Face folder, a .gguf file, a folder with one, or hf:ORG/NAME[@REVISION][/PATH] (`culprit fetch`)',
      'path/to/model',
    ),
    adapter: about(pathOrHub(folder).optional(), 'a LoRA adapter on it, as PEFT saves one', 'path/to/lora'),
  });

const sae = (folder: string) =>
  section({
    path: about(pathOrHub(folder), 'the sparse autoencoder: a folder or file as published', 'path/to/sae'),
    site: about(
      whole(0).optional(),
      'read activations after this block, the first being 0 (default: where the SAE was trained)',
      15,
    ),
    kind: about(
      oneOf(saeKindNames).optional(),
      'what its encoder is, where its files do not say it (default: as they say)',
      'topk',
    ),
    k: about(whole(1).optional(), 'of a top-k one whose files do not say it', 50),
    threshold: about(real({ from: 0 }).optional(), 'of a jumprelu one whose file has none', 0.5),
    subtract_bias: about(
      z.boolean({ error: 'expected true or false' }).optional(),
      'whether b_dec is subtracted from the input, where nothing says it (default: unless jumprelu)',
      true,
    ),
  });

const baseline = (folder: string) =>
  z.union(
    [
      section({ file: about(path(folder), 'a file that `culprit baseline` wrote', 'mean.safetensors') }),
      section({
        corpus: about(
          path(folder),
          'texts to measure it on: JSONL of {text} or {messages}, or a .txt file of paragraphs',
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
      pathOrHub(folder),
      'one prompt per line: {"prompt": "a text" or [{"role", "content"}, ...]}, optionally an "id"; or CSV',
      'prompts.jsonl',
    ),
    evaluation_file: about(
      pathOrHub(folder).optional(),
      'prompts to test on, in a file of their own, so that they are apart in task too (default: from file)',
      'other-prompts.jsonl',
    ),
    field: about(
      text('the name of a field').optional(),
      'the field to use as one user message (default: prompt, unchanged)',
      'question',
    ),
    rows: about(
      rows().optional(),
      'draw only from these lines, counted from 0, first and last included',
      '0..299',
    ),
    discovery: about(whole(1).default(60), 'how many prompts to use to find latents'),
    evaluation: about(
      whole(0).default(60),
      'how many other prompts to use in the causal test; 0 skips the test',
    ),
    calibration: about(
      whole(0).default(30),
      'how many further prompts to use to find the doses of steering; 0 skips the causal test',
    ),
    seed: about(seed().default(1), 'seed of the choice of prompts'),
  });

/** Without prompts to test on there are no doses to find. */
const withoutDoses = <P extends { evaluation: number; calibration: number }>(prompts: P): P =>
  prompts.evaluation === 0 ? { ...prompts, calibration: 0 } : prompts;

const baseFields = (folder: string) => ({
  behaviour: about(behaviour, 'What is being debugged.'),
  subject: about(model(folder), 'The model that sometimes misbehaves.'),
  reference: about(
    model(folder).optional(),
    "A model of the same shape that does not misbehave (default: the subject's model without its adapter).",
  ),
  sae: about(sae(folder), 'The dictionary whose latents are ranked.'),
  baseline: about(
    baseline(folder).optional(),
    "The mean activation, whose value along a latent's direction stands for the latent's absence: a file, or texts to measure it on (default: the study's own prompts).",
  ),
  prompts: about(
    prompts(folder).optional(),
    'What the subject is asked. A study without this section samples nothing: import completions with `culprit import`.',
  ),
});

type Fields = ReturnType<typeof baseFields>;
type Base = z.output<z.ZodObject<Fields>>;
export type PromptsConfig = NonNullable<Base['prompts']>;

/** A judge as study.yaml names it; its other fields are its kind's own. */
export interface JudgeConfig {
  readonly kind: string;
}

/** A study with its defaults, all paths absolute. */
export interface StudyConfig extends Omit<Base, 'reference'> {
  readonly reference: Base['subject'];
  readonly check: CheckConfig;
  readonly sampling: SamplingConfig;
  readonly judge: JudgeConfig;
  readonly second_judge?: JudgeConfig | undefined;
  readonly pairs: PairsConfig;
  readonly attribution: AttributionConfig;
  readonly fidelity: FidelityConfig;
  readonly steering: SteeringConfig;
  readonly fix?: FixConfig | undefined;
  readonly interpret?: InterpretConfig | undefined;
  /** of a control: what is broken of the study `of`, and that one's reference, which its judge may read with */
  readonly control?: (Control & { readonly reference: Base['subject'] }) | undefined;
}

/** Why a control does not have a stage that the study itself has; undefined for a study. */
export const leftToTheStudy = ({ control }: Pick<StudyConfig, 'control'>): string | undefined =>
  control && 'a control takes it from its study';

/** A study whose paths are relative to `folder`, with the sections of its stages in their order. */
export function studySchema(folder: string, sections: readonly Section[]): z.ZodType<StudyConfig> {
  const ofStages = sections.map((one) => [one.name, about(one.schema(folder), one.about)] as const);
  return section({ ...baseFields(folder), ...Object.fromEntries(ofStages) }).transform((given) => {
    const study = given as Base & Omit<StudyConfig, keyof Base>;
    return {
      ...study,
      reference: study.reference ?? { model: study.subject.model },
      prompts: study.prompts && withoutDoses(study.prompts),
    };
  }) as unknown as z.ZodType<StudyConfig>;
}
