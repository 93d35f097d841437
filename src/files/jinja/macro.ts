/** Macros and what `caller` calls. Source: Macro in jinja2/runtime.py. */
import { JinjaError } from './errors.ts';
import type { Expression, MacroNode, Statements } from './nodes.ts';
import { Macro, Tuple, Undefined } from './values.ts';
import { Variables } from './variables.ts';

/** The names that a macro gets arguments by only where its body reads them. */
const special = ['caller', 'kwargs', 'varargs'] as const;

/** What runs a macro's body and its defaults. */
interface Runner {
  value(node: Expression, scope: Variables): unknown;
  text(statements: Statements, scope: Variables): string;
}

/** A macro that sees the variables of `around`, where it was defined. */
export function makeMacro(runner: Runner, node: MacroNode, around: Variables): Macro {
  const { names, defaults } = node.signature;
  const reads = new Set(special.filter((name) => !names.includes(name) && readsName(node.body, name)));
  const where = `macro '${node.name}'`;
  return new Macro(node.name, (args, given) => {
    const keywords = new Map(given);
    const scope = new Variables(around);
    const firstDefault = names.length - defaults.length;
    names.forEach((name, i) => {
      scope.set(
        name,
        i < args.length || keywords.has(name)
          ? argument(name, i, args, keywords)
          : new Undefined(`parameter '${name}' was not provided`),
      );
    });
    names.forEach((name, i) => {
      const isGiven = i < args.length || given.has(name);
      if (!isGiven && i >= firstDefault) scope.set(name, runner.value(defaults[i - firstDefault]!, scope));
    });
    if (reads.has('caller')) {
      scope.set('caller', keywords.get('caller') ?? new Undefined('No caller defined'));
      keywords.delete('caller');
    }
    if (reads.has('kwargs')) scope.set('kwargs', new Map(keywords));
    else if (keywords.size > 0)
      throw new JinjaError(`${where} takes no keyword argument '${[...keywords.keys()][0]}'`);
    if (reads.has('varargs')) scope.set('varargs', new Tuple(args.slice(names.length)));
    else if (args.length > names.length)
      throw new JinjaError(`${where} takes not more than ${names.length} argument(s)`);
    return runner.text(node.body, scope);
  });
}

function argument(
  name: string,
  i: number,
  args: readonly unknown[],
  keywords: Map<string, unknown>,
): unknown {
  if (i < args.length) return args[i];
  const value = keywords.get(name);
  keywords.delete(name);
  return value;
}

/** Whether a name is read somewhere in `node`. */
function readsName(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((inner) => readsName(inner, name));
  if (typeof node !== 'object' || node === null) return false;
  const { type, name: own } = node as { type?: string; name?: string };
  if (type === 'name') return own === name;
  return Object.values(node).some((inner) => readsName(inner, name));
}
