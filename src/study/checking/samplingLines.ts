/** Lines about sampling: dose 0, dose 1, a batch against one by one. */
import type { SamplingSanity } from '../../methods/check/sampling.ts';
import type { CheckLine } from '../../results.ts';
import { fails, found, type Look, skipped } from './lines.ts';

const dosed: Look = {
  name: 'dose',
  about:
    'Steering at dose 0 changes no bit of an answer; at dose 1 along a random direction it changes some.',
  unit: 'tokens that differ',
  expected: 'none at dose 0, some at dose 1',
};

const batched: Look = {
  name: 'batch',
  about: 'Answers that were sampled together are, to the bit, those that are sampled one by one.',
  unit: 'tokens',
  expected: 'none differ',
};

export function samplingLines({ tokens, alone, doseZero, doseOne }: SamplingSanity): CheckLine[] {
  const doses = { 'dose 0': doseZero, 'dose 1': doseOne };
  const dose =
    doseZero > 0
      ? fails('steering by nothing changes the answer: a causal test would measure that; please report it')
      : doseOne === 0
        ? fails('steering changes nothing: the site is not read by what comes after it; please report it')
        : undefined;
  const together =
    alone > 0 ? fails('an answer depends on what is sampled beside it; please report it') : undefined;
  return [found(dosed, doses, dose), found(batched, { tokens, differ: alone }, together)];
}

export const withoutSampling = (why: string): CheckLine[] => [skipped(dosed, why), skipped(batched, why)];
