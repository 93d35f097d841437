/**
 * The comparison directions of a causal test, from what attribution left behind and from the completions of the
 * pairs: docs/method.md section 5.
 */

import { ranking } from '../../methods/attribution/attribute.ts';
import { directionsOf, scoreMatrix } from '../../methods/attribution/score.ts';
import { shuffledDictionary } from '../../methods/attribution/shuffledDictionary.ts';
import { signAlong } from '../../methods/attribution/sign.ts';
import { fitLogistic } from '../../methods/judging/logistic.ts';
import { firstEigenvectors, meanDifference, unitOf } from '../../methods/steering/comparisons.ts';
import type { SiteMoments } from '../../methods/steering/siteMoments.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';

export interface ComparisonEvidence {
  readonly runtime: Runtime;
  readonly sae: Sae;
  /** M [d, d] and the mean contrastive gradient [d] of the attribution */
  readonly m: Float32Array;
  readonly gradient: Float32Array;
  /** of the same texts, those of positives and negatives in turn */
  readonly subject: SiteMoments;
  readonly reference: SiteMoments;
  /** which of the texts' completions are positive */
  readonly positive: readonly boolean[];
  readonly seed: number;
}

export interface ComparisonDirection {
  readonly name: string;
  /** `control`: it comes from a dictionary, but means nothing for the behaviour */
  readonly role: 'comparison' | 'control';
  readonly about: string;
  readonly sign: 1 | -1;
  readonly vector: Float32Array;
  /** the latent of the dictionary that it is of; null for none */
  readonly latent: number | null;
}

const shuffledName = 'shuffled dictionary';

/** How many eigenvectors of M are tested. */
const eigenvectors = 2;

/** Its sign is σ by the gradient where none is given. */
type GivenDirection = [name: string, about: string, vector: ArrayLike<number>, sign?: 1];

/** Those that have a direction; one of zeros, such as a difference of equal means, is left out. */
export async function comparisonDirections(evidence: ComparisonEvidence): Promise<ComparisonDirection[]> {
  const { gradient, m, subject, reference, positive, seed } = evidence;
  const given: GivenDirection[] = [
    [
      'contrastive gradient',
      'against the gradient of the positives’ loss less the negatives’: the shortest way, to first order',
      gradient.map((x) => -x),
      1,
    ],
    ...firstEigenvectors(m, eigenvectors, seed).map(
      (vector, k): GivenDirection => [
        `eigenvector ${k + 1}`,
        'the direction of greatest Δ of all, whatever the dictionary',
        vector,
      ],
    ),
    ...ofCompletions(subject.completions, positive),
    [
      'mean difference of models',
      'mean activation of the subject less that of the reference on the same texts',
      subject.mean.map((x, i) => x - reference.mean[i]!),
      1,
    ],
    [
      shuffledName,
      'the first by Δ of a dictionary whose columns are in random order',
      await firstOfShuffled(evidence),
    ],
  ];
  return given.flatMap(([name, about, raw, sign]) => {
    const vector = unitOf(raw);
    if (vector === undefined) return [];
    const role = name === shuffledName ? 'control' : 'comparison';
    return [{ name, role, about, vector, latent: null, sign: sign ?? signAlong(gradient, vector) }];
  });
}

/** What tells positive from negative completions; nothing where either kind has none but sinks. */
function ofCompletions(
  completions: SiteMoments['completions'],
  positive: readonly boolean[],
): GivenDirection[] {
  const told = completions.flatMap((mean, n) =>
    mean === undefined ? [] : [{ mean, isPositive: positive[n]! }],
  );
  const of = (is: boolean) => told.filter(({ isPositive }) => isPositive === is).map(({ mean }) => mean);
  if (of(true).length === 0 || of(false).length === 0) return [];
  const probe = fitLogistic(
    told.map(({ mean }) => mean),
    told.map(({ isPositive }) => isPositive),
  );
  return [
    [
      'mean difference of completions',
      'mean activation of the pairs’ positive completions less that of the negative ones',
      meanDifference(of(true), of(false)),
      1,
    ],
    ['probe', 'logistic regression of positive against negative completions', probe.weights, 1],
  ];
}

async function firstOfShuffled({ runtime, sae, m, seed }: ComparisonEvidence): Promise<Float32Array> {
  const dictionary = shuffledDictionary(sae, seed);
  const [first] = ranking(await scoreMatrix(runtime, m, dictionary));
  return directionsOf(dictionary, [first!]);
}
