/**
 * The comparison directions of a causal test, from what attribution left behind and from the completions of the
 * pairs: docs/method.md section 5.
 */

import { InputError } from '../../errors.ts';
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

/**
 * A direction of one's own that the causal test takes beside those here, and holds latents against: it is removed
 * and steered along as they are.
 */
export interface OwnDirection {
  /** unique among the directions of a causal test */
  readonly name: string;
  /** what it is, in a phrase */
  readonly about: string;
  /**
   * The direction [d], of any length; of zeros, it is left out. The same evidence gives the same direction.
   */
  vector(evidence: ComparisonEvidence): Promise<ArrayLike<number>> | ArrayLike<number>;
  /** +1 where adding the direction makes the positives likelier; default: by the gradient */
  readonly sign?: 1;
}

const own: OwnDirection[] = [];

/** The names of the directions that were added, in their order. */
export const ownDirectionNames = (): string[] => own.map(({ name }) => name);

/**
 * Adds a direction to this process: causal tests take it from then on. A study's key has its name only: one that
 * points elsewhere than before needs another name. Throws RangeError where the name is taken by another.
 */
export function addDirection(direction: OwnDirection): void {
  const { name } = direction;
  const found = own.find((one) => one.name === name);
  if (found === direction) return;
  if (found) throw new RangeError(`direction ${name}: expected a name of its own, found one that is taken`);
  own.push(direction);
}

async function given({ name, about, vector, sign }: OwnDirection, evidence: ComparisonEvidence) {
  const raw = await vector(evidence);
  const { length } = evidence.gradient;
  if (raw.length !== length)
    throw new InputError(`direction ${name}: expected ${length} numbers, found ${raw.length}`);
  if (!Array.from(raw).every(Number.isFinite))
    throw new InputError(`direction ${name}: expected finite numbers, found others`);
  return [name, about, raw, sign] as const;
}

const shuffledName = 'shuffled dictionary';

/** How many eigenvectors of M are tested. */
const eigenvectors = 2;

/** Its sign is σ by the gradient where none is given. */
type GivenDirection = readonly [name: string, about: string, vector: ArrayLike<number>, sign?: 1 | undefined];

/** Those that have a direction; one of zeros, such as a difference of equal means, is left out. */
export async function comparisonDirections(evidence: ComparisonEvidence): Promise<ComparisonDirection[]> {
  const { gradient, m, subject, reference, positive, seed } = evidence;
  const all: GivenDirection[] = [
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
  for (const direction of own) all.push(await given(direction, evidence));
  const names = all.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new InputError(`direction ${twice}: expected a name of its own, found one that is taken`);
  return all.flatMap(([name, about, raw, sign]) => {
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
