/**
 * `a.b`, `a[b]` and calls, as Jinja's ImmutableSandboxedEnvironment has them: `a.b` is the attribute before
 * the item, `a[b]` the item before the attribute, what neither has is undefined, and nothing can be changed.
 */
import { bound } from './arguments.ts';
import { JinjaError } from './errors.ts';
import { indexed } from './operators.ts';
import { stringMethod } from './strings.ts';
import { repr } from './text.ts';
import {
  areEqual,
  Callable,
  type Dict,
  DictView,
  dictKey,
  Group,
  type Keywords,
  Macro,
  Namespace,
  Tuple,
  typeName,
  Undefined,
  WithAttributes,
} from './values.ts';

/** Methods that would change what they are called on. */
const changing = {
  list: ['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove'],
  dict: ['clear', 'pop', 'popitem', 'setdefault', 'update'],
};

export function attributeOf(object: unknown, name: string): unknown {
  const own = ownAttribute(object, name);
  if (own !== undefined) return own;
  const item = itemIn(object, name);
  return item === undefined ? missing(object, name) : item;
}

export function itemOf(object: unknown, index: unknown): unknown {
  const found = itemIn(object, index);
  if (found !== undefined) return found;
  const own = typeof index === 'string' ? ownAttribute(object, index) : undefined;
  return own === undefined ? missing(object, index) : own;
}

/** The value along a path of attributes: `a.b.0`. */
export function memberAt(object: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((found, step) => itemOf(found, step), object);
}

/** The steps of an attribute that a filter is given: digits are indices. */
export function stepsOf(attribute: unknown): (string | number)[] {
  if (attribute === undefined || attribute === null) return [];
  if (typeof attribute === 'string')
    return attribute.split('.').map((step) => (/^\p{Nd}+$/u.test(step) ? Number(step) : step));
  return [attribute as number];
}

function missing(object: unknown, name: unknown): Undefined {
  const kind = object === null ? 'None' : `${typeName(object)} object`;
  return new Undefined(
    typeof name === 'string'
      ? `'${kind}' has no attribute ${repr(name)}`
      : `${kind} has no element ${repr(name)}`,
  );
}

function itemIn(object: unknown, index: unknown): unknown {
  if (object instanceof Undefined) throw new JinjaError(object.hint);
  if (object instanceof Map) return dictItem(object, index);
  if (object instanceof Namespace)
    return typeof index === 'string' ? object.attributes.get(index) : undefined;
  return indexed(object, index);
}

function dictItem(dict: Dict, index: unknown): unknown {
  return index instanceof Undefined ? undefined : dict.get(dictKey(index, dict));
}

function ownAttribute(object: unknown, name: string): unknown {
  if (object instanceof Undefined) throw new JinjaError(object.hint);
  if (name.startsWith('__')) return undefined;
  if (typeof object === 'string') return stringMethod(object, name);
  if (Array.isArray(object)) return listMethod(object, name);
  if (object instanceof Group && (name === 'grouper' || name === 'list'))
    return object.items[name === 'grouper' ? 0 : 1];
  if (object instanceof Tuple) return sequenceMethod(object.items, name);
  if (object instanceof Map) return dictMethod(object, name);
  if (object instanceof Namespace) return object.attributes.get(name);
  if (object instanceof Macro && name === 'name') return object.name;
  if (object instanceof WithAttributes && name !== '__repr__') return object.attribute(name);
  return undefined;
}

const forbidden = (kind: string, name: string): Undefined =>
  new Undefined(`access to attribute '${name}' of '${kind}' object is unsafe.`);

function listMethod(list: readonly unknown[], name: string): unknown {
  if (changing.list.includes(name)) return forbidden('list', name);
  if (name === 'copy') return new Callable(name, () => [...list]);
  return sequenceMethod(list, name);
}

function sequenceMethod(items: readonly unknown[], name: string): unknown {
  if (name === 'count')
    return new Callable(name, ([sought]) => items.filter((item) => areEqual(item, sought)).length);
  if (name !== 'index') return undefined;
  return new Callable(name, ([sought]) => {
    const at = items.findIndex((item) => areEqual(item, sought));
    if (at < 0) throw new JinjaError(`${repr(sought)} is not in list`);
    return at;
  });
}

function dictMethod(dict: Dict, name: string): unknown {
  if (changing.dict.includes(name)) return forbidden('dict', name);
  switch (name) {
    case 'keys':
    case 'values':
    case 'items':
      return new Callable(name, (args, keywords) => {
        bound(name, [], args, keywords);
        return new DictView(name, dict);
      });
    case 'get':
      return new Callable(name, (args, keywords) => {
        const [key, otherwise = null] = bound(name, ['key', 'default'], args, keywords);
        const item = dictItem(dict, key);
        return item === undefined ? otherwise : item;
      });
    case 'copy':
      return new Callable(name, () => new Map(dict));
    default:
      return undefined;
  }
}

/** `callee(args, ...)`. */
export function callValue(callee: unknown, args: readonly unknown[], keywords: Keywords): unknown {
  if (callee instanceof Callable) return callee.call(args, keywords);
  if (callee instanceof WithAttributes && callee.call) return callee.call(args, keywords);
  if (callee instanceof Undefined) throw new JinjaError(callee.hint);
  throw new JinjaError(`'${typeName(callee)}' object is not callable`);
}
