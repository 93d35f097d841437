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

const added: Selector[] = [];

/** Culprit's own selectors, then those that were added. */
export const allSelectors = (): readonly Selector[] => [...selectors, ...added];

/**
 * Adds a selector to this process: `steering.selectors` of study.yaml takes its name from then on. A study's key has
 * its name only: one that chooses otherwise than before needs another name. Throws RangeError where the
 * name is taken by another.
 */
export function addSelector(selector: Selector): void {
  const found = allSelectors().find(({ name }) => name === selector.name);
  if (found === selector) return;
  if (found)
    throw new RangeError(`selector ${selector.name}: expected a name of its own, found one that is taken`);
  added.push(selector);
}

/** The selector of a name. Throws RangeError where the list has none. */
export function selectorNamed(name: string, list: readonly Selector[] = allSelectors()): Selector {
  const found = list.find((selector) => selector.name === name);
  if (found) return found;
  throw new RangeError(
    `selector: expected one of ${namesOf(list).join(', ')}, found ${JSON.stringify(name)}`,
  );
}
