/**
 * Neuronpedia's records of features, activations and explanations, as its bulk export (batch-N.jsonl.gz)
 * and its API (/api/feature/MODEL/LAYER/INDEX) have them. Knows no study.
 *
 * Sources: neuronpedia utils/neuronpedia-utils/neuronpedia_utils/export-data.py (the batches' columns),
 * apps/webapp/prisma/schema.prisma (their types) and apps/webapp/lib/db/neuron.ts, getNeuronOptimized (what
 * the API nests); SAEDashboard sae_dashboard/neuronpedia/neuronpedia_export.py (what an import is made of).
 */
import { z } from 'zod';
import { readJson } from './jsonFile.ts';
import { readJsonl } from './jsonl.ts';
import { checked } from './schema.ts';
import { isObject } from './strictJson.ts';

/** Which latent a record is of; exporters write the index as a text or as a number. */
const place = {
  modelId: z.string(),
  layer: z.string(),
  index: z.union([z.string(), z.int()]).transform(String),
};

const orEmpty = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((found) => found ?? []);
const numbers = orEmpty(z.number());
const whole = orEmpty(z.int());
const texts = orEmpty(z.string());
const text = z.string().nullish();
const number = z.number().nullish();

const activationFields = {
  tokens: z.array(z.string()),
  values: z.array(z.number()),
  maxValue: z.number(),
  maxValueTokenIndex: z.int(),
  minValue: z.number(),
  dataSource: text,
  dataIndex: text,
  dfaValues: numbers,
  dfaTargetIndex: z.int().nullish(),
  dfaMaxValue: number,
  lossValues: numbers,
  logitContributions: text,
  binMin: number,
  binMax: number,
  binContains: number,
  qualifyingTokenIndex: z.int().nullish(),
};

const explanationFields = {
  description: z.string(),
  typeName: text,
  explanationModelName: text,
  scores: orEmpty(z.object({ value: z.number() })),
};

/** A line of activations/batch-N.jsonl.gz: a text and how active the latent is at each token. */
export const neuronpediaActivation = z.object({
  id: z.string(),
  ...place,
  creatorId: text,
  ...activationFields,
});
export type NeuronpediaActivation = z.output<typeof neuronpediaActivation>;

/** A line of explanations/batch-N.jsonl.gz. */
export const neuronpediaExplanation = z.object({
  id: text,
  ...place,
  authorId: text,
  embedding: z.union([z.string(), z.array(z.number())]).nullish(),
  ...explanationFields,
});
export type NeuronpediaExplanation = z.output<typeof neuronpediaExplanation>;

/** A line of features/batch-N.jsonl.gz; or the API's answer, which nests the activations and explanations. */
export const neuronpediaFeature = z.object({
  ...place,
  creatorId: text,
  sourceSetName: text,
  maxActApprox: number,
  frac_nonzero: number,
  freq_hist_data_bar_heights: numbers,
  freq_hist_data_bar_values: numbers,
  logits_hist_data_bar_heights: numbers,
  logits_hist_data_bar_values: numbers,
  pos_str: texts,
  pos_values: numbers,
  neg_str: texts,
  neg_values: numbers,
  topkCosSimIndices: whole,
  topkCosSimValues: numbers,
  neuron_alignment_indices: whole,
  neuron_alignment_values: numbers,
  neuron_alignment_l1: numbers,
  correlated_neurons_indices: whole,
  correlated_neurons_pearson: numbers,
  correlated_neurons_l1: numbers,
  correlated_features_indices: whole,
  correlated_features_pearson: numbers,
  correlated_features_l1: numbers,
  decoder_weights_dist: numbers,
  hasVector: z.boolean().nullish(),
  vector: numbers,
  vectorLabel: text,
  vectorDefaultSteerStrength: number,
  hookName: text,
  activations: z.array(z.object({ id: text, ...activationFields })).optional(),
  explanations: z.array(z.object({ id: text, ...explanationFields })).optional(),
});
export type NeuronpediaFeature = z.output<typeof neuronpediaFeature>;

export type NeuronpediaRecord =
  | { readonly kind: 'feature'; readonly value: NeuronpediaFeature }
  | { readonly kind: 'activation'; readonly value: NeuronpediaActivation }
  | { readonly kind: 'explanation'; readonly value: NeuronpediaExplanation };

/** What a record is shows in what only its kind has. */
function recordOf(json: unknown, where: string): NeuronpediaRecord {
  if (isObject(json) && 'description' in json)
    return { kind: 'explanation', value: checked(neuronpediaExplanation, json, where) };
  if (isObject(json) && 'tokens' in json)
    return { kind: 'activation', value: checked(neuronpediaActivation, json, where) };
  return { kind: 'feature', value: checked(neuronpediaFeature, json, where) };
}

/**
 * The records of a .jsonl or .jsonl.gz file, line by line, or of a .json file with one record or an array.
 * `where` is for messages: `file:line`. Throws InputError `where: ...` for what is not such a record.
 */
export async function* readNeuronpedia(
  path: string,
): AsyncGenerator<{ readonly where: string; readonly record: NeuronpediaRecord }> {
  if (path.endsWith('.json')) {
    const json = await readJson(path);
    for (const [i, one] of (Array.isArray(json) ? json : [json]).entries()) {
      const where = Array.isArray(json) ? `${path}: [${i}]` : path;
      yield { where, record: recordOf(one, where) };
    }
    return;
  }
  for await (const { line, value } of readJsonl(path, z.unknown())) {
    const where = `${path}:${line}`;
    yield { where, record: recordOf(value, where) };
  }
}
