/** The section of study.yaml that has latents interpreted, and the explainers that it can name. */
import { z } from 'zod';
import { endpointFields, isPriced, temperature, unpriced } from '../endpointFields.ts';
import { about, oneOf, path, pathOrHub, section, whole } from '../fields.ts';
import type { Section } from '../section.ts';

export const chatExplainerSchema = section({
  kind: about(z.literal('chat'), 'chat, an OpenAI-compatible endpoint; or local, a model that culprit runs'),
  ...endpointFields('explains'),
  temperature: temperature('explainer'),
}).refine(isPriced, unpriced);

const local = (folder: string) =>
  section({
    kind: about(
      z.literal('local'),
      'chat, an OpenAI-compatible endpoint; or local, a model that culprit runs',
    ),
    model: about(pathOrHub(folder), 'the model that explains: a folder, a .gguf file, or hf:ORG/NAME'),
    adapter: about(pathOrHub(folder).optional(), 'a LoRA adapter on it, as PEFT saves one'),
  });

const explainer = (folder: string) =>
  z.discriminatedUnion('kind', [chatExplainerSchema, local(folder)], {
    error: 'expected an explainer of one kind: chat, local',
  });

/** The models that can read the texts in which latents are looked for. */
export const readers = ['subject', 'reference'] as const;
export type Reader = (typeof readers)[number];

export const interpretSchema = (folder: string) =>
  section({
    corpus: about(
      z
        .array(path(folder), { error: 'expected a list of paths' })
        .min(1, { error: 'expected at least one path' })
        .optional(),
      "texts to search: JSONL of {text} or {messages}, or .txt files (default: the study's own completions)",
      ['chats.jsonl', 'prose.jsonl'],
    ),
    labels: about(
      z.array(path(folder), { error: 'expected a list of paths' }).optional(),
      "Neuronpedia's explanations of the SAE's latents: batch-N.jsonl.gz, a feature's JSON, or folders",
      ['labels'],
    ),
    reader: about(oneOf(readers).default('subject'), 'which model reads the texts: subject or reference'),
    tokens: about(whole(1).default(200_000), 'read this many tokens of the texts'),
    passage_tokens: about(whole(1).default(256), 'cut each passage to this many tokens'),
    latents: about(
      whole(1).default(20),
      'how many of the first latents by delta to report, besides the confirmed ones',
    ),
    explainer: about(
      explainer(folder).optional(),
      'a model that describes each latent in one sentence; the sentence is tested on other passages',
      {
        kind: 'chat',
        base_url: 'http://localhost:8080/v1',
        model: 'explainer-model',
        max_cost: 5,
        price: { input: 0.15, output: 0.6 },
      },
    ),
  });

export type InterpretConfig = z.output<ReturnType<typeof interpretSchema>>;
export type ChatExplainerConfig = z.output<typeof chatExplainerSchema>;
export type ExplainerConfig = NonNullable<InterpretConfig['explainer']>;

/** What holds where nothing is said. */
export const interpretDefaults: InterpretConfig = interpretSchema('.').parse({});

export const interpretSection: Section = {
  name: 'interpret',
  about:
    'What the first latents mean. With this section it is the last stage of `culprit run`; without it, run `culprit interpret`.',
  schema: (folder) => interpretSchema(folder).optional(),
};
