/**
 * A page of a latent as Neuronpedia's records of it. What they hold that a page does not know stays empty.
 * Knows no file.
 */
import type {
  NeuronpediaActivation,
  NeuronpediaExplanation,
  NeuronpediaFeature,
} from '../../files/neuronpedia.ts';
import type { LatentPage, PassageWindow } from '../../results.ts';
import { jsonHash } from '../store/hash.ts';

/** As whose, and under which names, the records go. */
export interface NeuronpediaPlace {
  readonly modelId: string;
  readonly layer: string;
  readonly creatorId: string;
}

/** An id as long as a cuid, the same for the same content. */
const idOf = (content: unknown) => `c${jsonHash(content).slice(0, 24)}`;

/** The middles of bins. */
const middles = (edges: readonly number[]) => edges.slice(1).map((edge, i) => (edges[i]! + edge) / 2);

const placeOf = ({ latent }: LatentPage, { modelId, layer }: NeuronpediaPlace) => ({
  modelId,
  layer,
  index: `${latent}`,
});

/** `15-my-sae` → my-sae. */
const setOf = (layer: string) => /^\d+-(.+)$/.exec(layer)?.[1] ?? null;

export function featureOf(page: LatentPage, place: NeuronpediaPlace): NeuronpediaFeature {
  const { passages, lens, neighbours, site } = page;
  return {
    ...placeOf(page, place),
    creatorId: place.creatorId,
    sourceSetName: setOf(place.layer),
    maxActApprox: passages.max,
    frac_nonzero: passages.active / passages.tokens,
    freq_hist_data_bar_heights: passages.histogram.counts,
    freq_hist_data_bar_values: middles(passages.histogram.edges),
    logits_hist_data_bar_heights: [],
    logits_hist_data_bar_values: [],
    pos_str: lens.dot.top.map(({ token }) => token),
    pos_values: lens.dot.top.map(({ dot }) => dot),
    neg_str: lens.dot.bottom.map(({ token }) => token),
    neg_values: lens.dot.bottom.map(({ dot }) => dot),
    topkCosSimIndices: neighbours.map(({ latent }) => latent),
    topkCosSimValues: neighbours.map(({ cosine }) => cosine),
    neuron_alignment_indices: [],
    neuron_alignment_values: [],
    neuron_alignment_l1: [],
    correlated_neurons_indices: [],
    correlated_neurons_pearson: [],
    correlated_neurons_l1: [],
    correlated_features_indices: [],
    correlated_features_pearson: [],
    correlated_features_l1: [],
    decoder_weights_dist: [],
    hasVector: false,
    vector: [],
    vectorLabel: null,
    vectorDefaultSteerStrength: null,
    hookName: `blocks.${site.replace(/^\D+/, '')}.hook_resid_post`,
  };
}

/** Of which part of the latent's range a text is an example; the greatest have −1 for its least. */
interface Bin {
  readonly binMin: number | null;
  readonly binMax: number | null;
  readonly binContains: number | null;
}

function activationOf(
  window: PassageWindow,
  bin: Bin,
  page: LatentPage,
  place: NeuronpediaPlace,
): NeuronpediaActivation {
  const { corpus, line, start, tokens, activations } = window;
  const values = activations.map((value) => value ?? 0);
  const maxValue = Math.max(...values);
  const of = placeOf(page, place);
  return {
    id: idOf([of, corpus, line, start]),
    ...of,
    creatorId: place.creatorId,
    tokens,
    values,
    maxValue,
    maxValueTokenIndex: values.indexOf(maxValue),
    minValue: Math.min(...values),
    dataSource: page.corpora[corpus] ?? null,
    dataIndex: `${line}`,
    dfaValues: [],
    dfaTargetIndex: null,
    dfaMaxValue: null,
    lossValues: [],
    logitContributions: null,
    ...bin,
    qualifyingTokenIndex: null,
  };
}

/**
 * The page's passages: the greatest, the samples of each part of the range, those without activity; each
 * once.
 */
export function activationsOf(page: LatentPage, place: NeuronpediaPlace): NeuronpediaActivation[] {
  const { top, quantiles, zero, max } = page.passages;
  const made = (windows: readonly PassageWindow[], bin: Bin) =>
    windows.map((window) => activationOf(window, bin, page, place));
  const all = [
    ...made(top, { binMin: -1, binMax: max, binContains: -1 }),
    ...quantiles.flatMap(({ low, high, passages }) =>
      made(passages, { binMin: low, binMax: high, binContains: null }),
    ),
    ...made(zero, { binMin: 0, binMax: 0, binContains: null }),
  ];
  const ids = all.map(({ id }) => id);
  return all.filter(({ id }, i) => ids.indexOf(id) === i);
}

/** How our own explanations were made; their score is that of detection. */
const ownMethod = 'culprit';

export function explanationsOf(page: LatentPage, place: NeuronpediaPlace): NeuronpediaExplanation[] {
  const of = placeOf(page, place);
  const { explanation, labels } = page;
  const own =
    explanation?.text == null
      ? []
      : [
          {
            text: explanation.text,
            by: explanation.by,
            method: ownMethod,
            score: explanation.detection?.balanced_accuracy ?? null,
          },
        ];
  return [...own, ...labels].map(({ text, by, method, score }) => ({
    id: idOf([of, text, by, method]),
    ...of,
    authorId: place.creatorId,
    embedding: null,
    description: text,
    typeName: method,
    explanationModelName: by,
    scores: score === null ? [] : [{ value: score }],
  }));
}
