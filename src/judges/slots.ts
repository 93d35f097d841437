/**
 * Sentence templates: `{Hold|Keep} it for {ten|twenty} minutes.` stands for every way to fill its slots.
 * Knows no world and no randomness of its own.
 */
interface Chooser {
  choice<T>(items: readonly T[]): T;
}

const slot = /\{([^{}]*)\}/g;

/** Every filling of `template`, in the order of its slots. */
export function fillings(template: string): string[] {
  const [first] = template.matchAll(slot);
  if (first === undefined) return [template];
  const before = template.slice(0, first.index);
  const after = fillings(template.slice(first.index + first[0].length));
  return first[1]!.split('|').flatMap((word) => after.map((rest) => before + word + rest));
}

/** How many fillings there are. */
export const fillingCount = (template: string): number =>
  [...template.matchAll(slot)].reduce((count, [, words]) => count * words!.split('|').length, 1);

/** One filling of `template`, all as likely. */
export function filled(template: string, random: Chooser): string {
  return template.replace(slot, (_, words: string) => random.choice(words.split('|')));
}
