/** One prompt of the causal test that shows what its answer says, and how many show it. */
import type { SteeredCompletion } from '../../../results.ts';
import { samplesOf } from '../../parts/samples.tsx';
import { kindOf } from '../../parts/verdict.tsx';
import type { LatentTrials } from '../../study.ts';
import type { TestedLatent } from './answer.ts';

export interface Example {
  readonly promptId: string;
  readonly alone: SteeredCompletion;
  readonly changed: SteeredCompletion;
  readonly dose: number;
  /** of how many answers the verdict turned as the test asks, and the other way; of how many there are */
  readonly turned: number;
  readonly back: number;
  /** of how many a coherent answer became incoherent */
  readonly broken: number;
  readonly of: number;
}

/**
 * The first prompt of the file whose verdict turned, of those that ended by themselves where there are any. Undefined
 * where none did.
 */
export function exampleOf({ along, alone }: LatentTrials, place: TestedLatent['place']): Example | undefined {
  const found = samplesOf(along, alone, place);
  if (found === undefined) return undefined;
  const pairs = found.samples.flatMap(({ prompt, steered, alone: beside }) =>
    beside === undefined ? [] : [{ promptId: prompt, alone: beside, changed: steered }],
  );
  const [from, to] =
    place === 'toward' ? (['negative', 'positive'] as const) : (['positive', 'negative'] as const);
  const goes = (one: (typeof pairs)[number], a: string, b: string) =>
    kindOf(one.alone) === a && kindOf(one.changed) === b;
  const turned = pairs.filter((one) => goes(one, from, to));
  const ended = turned.filter(({ alone: a, changed: b }) => a.stop !== 'length' && b.stop !== 'length');
  const first = ended[0] ?? turned[0];
  return (
    first && {
      ...first,
      dose: found.dose,
      turned: turned.length,
      back: pairs.filter((one) => goes(one, to, from)).length,
      broken: pairs.filter(
        (one) => kindOf(one.alone) !== 'incoherent' && kindOf(one.changed) === 'incoherent',
      ).length,
      of: pairs.length,
    }
  );
}

/** How many characters two texts have in common at their beginning, whole words only. */
export function commonStart(a: string, b: string): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  if (n === a.length && n === b.length) return n;
  while (n > 0 && !/\s/.test(a[n - 1]!)) n--;
  return n;
}
