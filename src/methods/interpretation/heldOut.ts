/**
 * A latent's passages in two: those that an explainer is shown, and those that its explanation is tried on.
 * No passage and no text is in both. Knows no explainer.
 */
import type { LatentPassages, PassageWindow } from '../../results.ts';
import { shuffled } from '../statistics/groups.ts';
import { generatorOf } from '../statistics/random.ts';

/** Windows shown: with the greatest activations, and without any. */
const shownCounts = { active: 10, zero: 5 };
/**
 * Windows held out: further ones with the greatest activations, of each part of the range, and without any.
 */
const heldCounts = { top: 5, part: 3, zero: 15 };
/** Fewer held-out windows with, or without, activity tell nothing. */
const fewest = 5;
/** A token is marked from this part of its window's greatest activation on. */
const markedFrom = 0.3;

interface Windows {
  readonly active: readonly PassageWindow[];
  readonly zero: readonly PassageWindow[];
}

export interface PassageSets {
  readonly shown: Windows;
  readonly held: Windows;
}

/**
 * Of the windows with the greatest activations, strongest first, the first is shown, the second held out,
 * and so on; held out are windows of each part of the range too. A window whose passage or text is in a set
 * already is left out.
 */
export function passageSets({ top, quantiles, zero }: LatentPassages): PassageSets {
  const passages = new Set<string>();
  const texts = new Set<string>();
  const isNew = ({ corpus, line, ids }: PassageWindow) => {
    const [passage, text] = [`${corpus}:${line}`, ids.join()];
    if (passages.has(passage) || texts.has(text)) return false;
    passages.add(passage);
    texts.add(text);
    return true;
  };
  const some = (windows: readonly PassageWindow[], count: number) => {
    const found: PassageWindow[] = [];
    for (const window of windows) if (found.length < count && isNew(window)) found.push(window);
    return found;
  };
  const first = some(top, shownCounts.active + heldCounts.top);
  const isFurther = (i: number) => i % 2 === 1 && i < 2 * heldCounts.top;
  const parts = quantiles.toReversed().flatMap((part) => some(part.passages, heldCounts.part));
  return {
    shown: { active: first.filter((_, i) => !isFurther(i)), zero: some(zero, shownCounts.zero) },
    held: {
      active: [...first.filter((_, i) => isFurther(i)), ...parts],
      zero: some(zero, heldCounts.zero),
    },
  };
}

/** A window as an explanation is tried on it. */
export interface Trial {
  readonly window: PassageWindow;
  /** which of its tokens are marked; none where that is not asked */
  readonly marks: readonly boolean[];
  /** what the answer should be */
  readonly truth: boolean;
}

const valueAt = ({ activations }: PassageWindow, t: number) => activations[t] ?? 0;

/** The tokens where a latent is active, those of weak activity left out. */
export function activeTokens(window: PassageWindow): boolean[] {
  const greatest = Math.max(...window.ids.map((_, t) => valueAt(window, t)));
  return window.ids.map((_, t) => valueAt(window, t) > 0 && valueAt(window, t) >= markedFrom * greatest);
}

/**
 * As many tokens, or as many as there are, among those where it is not active; undefined where it is active
 * at all.
 */
function wrongTokens(window: PassageWindow, seed: number): boolean[] | undefined {
  const count = activeTokens(window).filter(Boolean).length;
  const inactive = window.ids.flatMap((_, t) => (window.activations[t] === 0 ? [t] : []));
  if (inactive.length === 0) return undefined;
  const marked = new Set(shuffled(inactive, generatorOf(seed)).slice(0, count));
  return window.ids.map((_, t) => marked.has(t));
}

const enough = (trials: readonly Trial[]) =>
  [true, false].every((kind) => trials.filter(({ truth }) => truth === kind).length >= fewest);

/** Is the latent active in the window? In the seed's order; none where there are too few. */
export function detectionTrials({ held }: PassageSets, seed: number): Trial[] {
  const of = (windows: readonly PassageWindow[], truth: boolean) =>
    windows.map((window): Trial => ({ window, marks: window.ids.map(() => false), truth }));
  const trials = [...of(held.active, true), ...of(held.zero, false)];
  return enough(trials) ? shuffled(trials, generatorOf(seed)) : [];
}

/**
 * Are the marked tokens those where the latent is active? Each window twice, rightly and wrongly marked, in
 * lists that are asked apart, so that no question holds both. In the seed's order; none where there are too
 * few.
 */
export function fuzzingTrials({ held }: PassageSets, seed: number): Trial[][] {
  const both = held.active.flatMap((window, i) => {
    const wrong = wrongTokens(window, seed + i);
    return wrong ? [{ window, right: activeTokens(window), wrong }] : [];
  });
  const list = (first: boolean): Trial[] =>
    both.map(({ window, right, wrong }, i) => {
      const truth = (i % 2 === 0) === first;
      return { window, marks: truth ? right : wrong, truth };
    });
  const lists = [list(true), list(false)];
  return enough(lists.flat()) ? lists.map((trials, i) => shuffled(trials, generatorOf(seed + i))) : [];
}
