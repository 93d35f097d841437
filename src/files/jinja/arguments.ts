/** Arguments of a function or filter, by the names of its parameters. */
import { JinjaError } from './errors.ts';
import type { Keywords } from './values.ts';

/**
 * The values of `names`, from the arguments and then the keywords; undefined for one that was not given.
 * Throws JinjaError for too many, and for a keyword that is none of them.
 */
export function bound(
  what: string,
  names: readonly string[],
  args: readonly unknown[],
  keywords: Keywords,
): (unknown | undefined)[] {
  if (args.length > names.length)
    throw new JinjaError(`${what}: expected at most ${names.length} arguments, found ${args.length}`);
  const values = names.map((_, i) => args[i]);
  for (const [name, value] of keywords) {
    const at = names.indexOf(name);
    if (at < 0) throw new JinjaError(`${what}: unexpected keyword argument '${name}'`);
    if (values[at] !== undefined) throw new JinjaError(`${what}: multiple values for argument '${name}'`);
    values[at] = value;
  }
  return values;
}
