/** What the examples come to for each latent: measures, and the first examples token by token. */

import { quantile } from '../../methods/statistics/bootstrap.ts';
import {
  greatestFirst,
  labelAuc,
  type TraceMeasures,
  traceMeasures,
  type ValuedExample,
} from '../../methods/tracing/traceMeasures.ts';
import { type ExampleReading, tokensAlong } from '../../methods/tracing/trainingExample.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import {
  type TracedExample,
  type TracedLatent,
  type TraceMeasured,
  type TraceRecord,
  type TraceValue,
  traceValues,
} from '../../results.ts';
import type { ChosenDirections } from '../monitor/chosenDirections.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { OpenStudy } from '../open/study.ts';
import { exampleReader, type TracedExamples, type TraceReading } from './readExamples.ts';
import type { TrainingExample, TrainingExamples } from './trainingExamples.ts';

export interface Traced {
  readonly data: TrainingExamples;
  readonly read: TracedExamples;
  readonly directions: ChosenDirections;
  readonly reading: TraceReading;
  /** examples of each latent, by each value, that are told token by token */
  readonly shown: number;
  readonly seed: number;
}

const known = (x: number): number | null => (Number.isNaN(x) ? null : x);

/** The examples with what they have along the k-th direction; one without a token of the set has none. */
function valued({ data, read }: Traced, k: number, value: TraceValue): ValuedExample[] {
  return data.examples.flatMap(({ group, positive }, n) => {
    const { loss, values } = read.read[n]!;
    const own = values[k]![value];
    return Number.isNaN(own) ? [] : [{ value: own, group, positive, loss }];
  });
}

/** Examples of the k-th direction, greatest value first, equal texts once. */
function firstOf({ data, read, shown }: Traced, k: number, value: TraceValue): TrainingExample[] {
  const own = (n: number) => read.read[n]!.values[k]![value];
  const found: TrainingExample[] = [];
  const texts = new Set<string>();
  for (const n of greatestFirst(
    [...data.examples.keys()].filter((n) => !Number.isNaN(own(n))),
    own,
  )) {
    if (found.length >= shown) break;
    const example = data.examples[n]!;
    const text = JSON.stringify([example.prompt, example.completion]);
    if (!texts.has(text)) found.push(example);
    texts.add(text);
  }
  return found;
}

function measuredAs(
  { topShare, withLoss, labels }: TraceMeasures,
  randomAucs: readonly number[],
  first: readonly TrainingExample[],
): TraceMeasured {
  const auc = labels?.auc;
  const sorted = [...randomAucs].sort((a, b) => a - b);
  const isCompared = auc !== undefined && sorted.length > 0;
  return {
    top_share: known(topShare),
    with_loss: known(withLoss),
    auc: auc === undefined ? null : { value: auc.value, low: known(auc.low), high: known(auc.high) },
    head: labels?.head ?? null,
    random_auc: isCompared
      ? { median: quantile(sorted, 0.5), low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) }
      : null,
    random_as_high: isCompared ? sorted.filter((x) => x >= auc.value).length : null,
    first: first.map(({ id }) => id),
  };
}

/** AUCs of the random latents, each on the side on which it is at least a half: what one drawn with the labels reaches. */
function randomAucs(traced: Traced, value: TraceValue): number[] {
  const { latents, random } = traced.reading;
  return random
    .map((_, k) => labelAuc(valued(traced, latents.length + k, value)))
    .filter((x) => !Number.isNaN(x))
    .map((x) => Math.max(x, 1 - x));
}

/** The first of each latent by each value. */
type First = Readonly<Record<TraceValue, readonly TrainingExample[]>>;

export async function tracedLatents(
  study: OpenStudy,
  traced: Traced,
): Promise<Pick<TraceRecord, 'latents' | 'random' | 'loss_auc'>> {
  const { data, read, directions, reading, seed } = traced;
  const { rows, confirmed } = directions.chosen;
  const random = { push: randomAucs(traced, 'push'), activation: randomAucs(traced, 'activation') };
  const firsts = rows.map(
    (_, k): First => ({ push: firstOf(traced, k, 'push'), activation: firstOf(traced, k, 'activation') }),
  );
  const examples = await shownExamples(study, traced, firsts);
  const latents = rows.map(({ latent, sign, rank }, k): TracedLatent => {
    const measured = (value: TraceValue) =>
      measuredAs(traceMeasures(valued(traced, k, value), seed), random[value], firsts[k]![value]);
    return {
      latent,
      sign,
      rank,
      confirmed: confirmed?.includes(latent) ?? false,
      push: measured('push'),
      activation: measured('activation'),
      examples: examples[k]!,
    };
  });
  const losses = data.examples.map(({ group, positive }, n) => {
    const { loss } = read.read[n]!;
    return { value: loss, group, positive, loss };
  });
  return { latents, random: reading.random.length, loss_auc: known(labelAuc(losses)) };
}

/** The first examples of each latent, token by token; one that is first for several is read once. */
async function shownExamples(
  study: OpenStudy,
  traced: Traced,
  firsts: readonly First[],
): Promise<TracedExample[][]> {
  const own = firsts.map((first) => new Set(traceValues.flatMap((value) => first[value])));
  const all = new Set(own.flatMap((examples) => [...examples]));
  const found = own.map(() => new Map<TrainingExample, TracedExample>());
  if (all.size > 0) {
    const stage = study.progress.stage('Strongest examples, token by token', all.size);
    const reader = await exampleReader(study, traced.reading);
    try {
      const work = async (example: TrainingExample) => {
        const { reading, ids } = await reader.read(example);
        for (const [k, examples] of own.entries())
          if (examples.has(example))
            found[k]!.set(example, shownExample(traced, example, k, reading, tokenTexts(ids, reader)));
      };
      for await (const _ of inGroups(all, passesAtOnce(study.runtime(), reader.model), work)) stage.advance();
    } finally {
      stage.end();
      await reader.release();
    }
  }
  return own.map((examples, k) => Array.from(examples, (example) => found[k]!.get(example)!));
}

const tokenTexts = (ids: readonly number[], { codec }: { readonly codec: OpenModel['codec'] }) =>
  ids.map((id) => codec.tokenizer.tokenText(id));

function shownExample(
  { data, read, reading }: Traced,
  example: TrainingExample,
  k: number,
  found: ExampleReading,
  texts: readonly string[],
): TracedExample {
  const along = tokensAlong(found, reading.latents[k]!, reading.baseline);
  const byPlace = new Map(found.positions.map((place, r) => [place, along[r]!]));
  const { push, activation } = read.read[data.examples.indexOf(example)]!.values[k]!;
  return {
    id: example.id,
    row: example.row,
    prompt: example.prompt,
    completion: example.completion,
    label: labelOf(example),
    push,
    activation,
    tokens: texts.map((text, place) => {
      const own = byPlace.get(place);
      return { text, push: own?.push ?? null, activation: own?.activation ?? null };
    }),
  };
}

export const labelOf = ({ positive }: Pick<TrainingExample, 'positive'>): TracedExample['label'] =>
  positive === undefined ? null : positive ? 'positive' : 'negative';
