/** Every selector, in the order in which they are listed to readers. Names follow from it. */
import { activationDifference } from './activationDifference.ts';
import { deltaActivationSelector } from './deltaActivation.ts';
import { deltaAttribution } from './deltaAttribution.ts';
import { exactAblation } from './exactAblation.ts';
import { frequencyDifference } from './frequencyDifference.ts';
import { gradientCosine } from './gradientCosine.ts';
import { random } from './random.ts';
import type { Selector } from './selector.ts';

export const selectors = [
  deltaAttribution,
  deltaActivationSelector,
  activationDifference,
  frequencyDifference,
  gradientCosine,
  exactAblation,
  random,
] as const satisfies readonly Selector[];

export type SelectorName = (typeof selectors)[number]['name'];

/** The names of a list's selectors, in its order. */
export function namesOf<const List extends readonly Selector[]>(list: List) {
  return list.map(({ name }) => name) as { readonly [I in keyof List]: List[I]['name'] };
}

export const selectorNames = namesOf(selectors);

/** The selector of a name. Throws RangeError where the list has none. */
export function selectorNamed(name: string, list: readonly Selector[] = selectors): Selector {
  const found = list.find((selector) => selector.name === name);
  if (found) return found;
  throw new RangeError(
    `selector: expected one of ${namesOf(list).join(', ')}, found ${JSON.stringify(name)}`,
  );
}
