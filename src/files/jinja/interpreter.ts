/** Runs a template's statements over its variables, scope by scope as Jinja's compiler has them. */
import { attributeOf, callValue, itemOf } from './attributes.ts';
import { JinjaError } from './errors.ts';
import { isFilter, runFilter } from './filters.ts';
import { checkAttribute, globals } from './globals.ts';
import { eachOf } from './listFilters.ts';
import { Loop } from './loop.ts';
import { makeMacro } from './macro.ts';
import type {
  Arguments,
  CallNode,
  Expression,
  FilterNode,
  ForNode,
  Statement,
  Statements,
  Target,
} from './nodes.ts';
import { binary, comparisonHolds, minus, plus, sliced } from './operators.ts';
import { runTest } from './tests.ts';
import { str } from './text.ts';
import {
  type Dict,
  dictKey,
  Float,
  isTrue,
  iterate,
  type Keywords,
  Lazy,
  listOf,
  Namespace,
  Tuple,
  typeName,
  Undefined,
} from './values.ts';
import { Variables } from './variables.ts';

/** How a statement ends: by itself, or by leaving the loop around it or one round of it. */
type End = 'break' | 'continue' | undefined;

/** The text of a template. `variables` come before the functions that every template has. */
export function runTemplate(statements: Statements, variables: ReadonlyMap<string, unknown>): string {
  const root = new Variables();
  for (const [name, value] of [...globals, ...variables]) root.set(name, value);
  const top = new Variables(root);
  return new Interpreter(top).text(statements, top);
}

export class Interpreter {
  private readonly top: Variables;

  constructor(top: Variables) {
    this.top = top;
  }

  /** What the statements print, in a scope of their own or not as the caller says. */
  text(statements: Statements, scope: Variables): string {
    const out: string[] = [];
    if (this.run(statements, scope, out) !== undefined)
      throw new JinjaError('break or continue outside a loop');
    return out.join('');
  }

  private run(statements: Statements, scope: Variables, out: string[]): End {
    for (const statement of statements) {
      const end = this.statement(statement, scope, out);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  private statement(node: Statement, scope: Variables, out: string[]): End {
    switch (node.type) {
      case 'text':
        out.push(node.text);
        return undefined;
      case 'output':
        out.push(str(this.value(node.value, scope)));
        return undefined;
      case 'set':
        this.assign(node.target, this.value(node.value, scope), scope);
        return undefined;
      case 'setBlock': {
        const inner: string[] = [];
        const end = this.run(node.body, new Variables(scope), inner);
        if (end !== undefined) return end;
        const text = inner.join('');
        this.assign(node.target, node.filter ? this.filtered(node.filter, scope, text) : text, scope);
        return undefined;
      }
      case 'if': {
        const branch = node.branches.find(({ test }) => isTrue(this.value(test, scope)));
        return this.run(branch?.body ?? node.otherwise, scope, out);
      }
      case 'for':
        return this.loop(node, this.value(node.iterable, scope), scope, out, 0);
      case 'macro':
        scope.set(node.name, makeMacro(this, node, scope));
        return undefined;
      case 'callBlock':
        out.push(this.called(node, scope));
        return undefined;
      case 'filterBlock': {
        const inner: string[] = [];
        const end = this.run(node.body, new Variables(scope), inner);
        if (end === undefined) out.push(str(this.filtered(node.filter, scope, inner.join(''))));
        return end;
      }
      case 'with': {
        const inner = new Variables(scope);
        const values = node.assignments.map(([, value]) => this.value(value, scope));
        node.assignments.forEach(([target], i) => void this.assign(target, values[i], inner));
        return this.run(node.body, inner, out);
      }
      case 'block':
        out.push(this.text(node.body, new Variables(this.top)));
        return undefined;
      case 'generation':
        out.push(this.text(node.body, new Variables(scope)));
        return undefined;
      case 'break':
      case 'continue':
        return node.type;
    }
  }

  private loop(node: ForNode, iterable: unknown, scope: Variables, out: string[], depth: number): End {
    const recurse = (inner: unknown, at: number) => {
      const text: string[] = [];
      this.loop(node, inner, scope, text, at);
      return text.join('');
    };
    const chosen = node.test === undefined ? iterable : new Lazy(this.chosen(node, iterable, scope));
    const loop = new Loop(chosen, depth, node.recursive ? recurse : undefined);
    let whole = false;
    while (loop.next()) {
      const inner = new Variables(scope);
      inner.set('loop', loop.value);
      this.assign(node.target, loop.current, inner);
      const end = this.run(node.body, inner, out);
      if (end === 'break') break;
      if (end === undefined) whole = true;
    }
    // As in Jinja, a loop has only run once a round of it came to its end.
    return whole ? undefined : this.run(node.otherwise, new Variables(scope), out);
  }

  private *chosen(node: ForNode, iterable: unknown, scope: Variables): Generator<unknown> {
    for (const item of iterate(iterable)) {
      const inner = new Variables(scope);
      this.assign(node.target, item, inner);
      if (isTrue(this.value(node.test!, inner))) yield item;
    }
  }

  private called(node: Extract<Statement, { type: 'callBlock' }>, scope: Variables): string {
    const caller = makeMacro(this, { ...node, type: 'macro', name: 'caller' }, scope);
    return str(this.call(node.call, scope, new Map([['caller', caller]])));
  }

  private assign(target: Target, value: unknown, scope: Variables): void {
    if (target.type === 'name') scope.set(target.name, value);
    else if (target.type === 'namespace') {
      const namespace = scope.get(target.name);
      if (!(namespace instanceof Namespace))
        throw new JinjaError('cannot assign attribute on non-namespace object');
      checkAttribute(target.attribute);
      namespace.attributes.set(target.attribute, value);
    } else {
      const values = listOf(value);
      if (values.length !== target.targets.length)
        throw new JinjaError(`expected ${target.targets.length} values to unpack, found ${values.length}`);
      target.targets.forEach((each, i) => void this.assign(each, values[i], scope));
    }
  }

  private filtered(node: FilterNode, scope: Variables, text: string): unknown {
    const operand = node.operand;
    const inner = operand?.type === 'filter' ? this.filtered(operand, scope, text) : text;
    return this.filter(node, inner, scope);
  }

  private filter(node: FilterNode, value: unknown, scope: Variables): unknown {
    const { args, keywords } = this.arguments(node.args, scope);
    return this.filterBy(node.name, value, args, keywords);
  }

  private readonly filterBy = (
    name: string,
    value: unknown,
    args: readonly unknown[],
    keywords: Keywords,
  ): unknown =>
    runFilter(name, value, args, keywords, {
      each: (...given) => new Lazy(eachOf(...given, { filter: this.filterBy, test: testBy })),
    });

  private call(node: CallNode, scope: Variables, more: Keywords = new Map()): unknown {
    const callee = this.value(node.callee, scope);
    const { args, keywords } = this.arguments(node.args, scope);
    return callValue(callee, args, new Map([...keywords, ...more]));
  }

  private arguments(
    node: Arguments,
    scope: Variables,
  ): { readonly args: unknown[]; readonly keywords: Map<string, unknown> } {
    const args = node.positional.map((each) => this.value(each, scope));
    if (node.rest) args.push(...listOf(this.value(node.rest, scope)));
    const keywords = new Map<string, unknown>();
    const add = (name: string, value: unknown) => {
      if (keywords.has(name)) throw new JinjaError(`got multiple values for keyword argument '${name}'`);
      keywords.set(name, value);
    };
    for (const [name, value] of node.keywords) add(name, this.value(value, scope));
    if (node.options) {
      const options = this.value(node.options, scope);
      if (!(options instanceof Map))
        throw new JinjaError(`argument after ** must be a mapping, not ${typeName(options)}`);
      for (const [name, value] of options) add(str(name), value);
    }
    return { args, keywords };
  }

  value(node: Expression, scope: Variables): unknown {
    switch (node.type) {
      case 'none':
        return null;
      case 'boolean':
      case 'string':
      case 'integer':
        return node.value;
      case 'float':
        return new Float(node.value);
      case 'name':
        return scope.get(node.name);
      case 'list':
        return node.items.map((item) => this.value(item, scope));
      case 'tuple':
        return new Tuple(node.items.map((item) => this.value(item, scope)));
      case 'dict': {
        const dict: Dict = new Map();
        for (const [key, value] of node.pairs)
          dict.set(dictKey(this.value(key, scope), dict), this.value(value, scope));
        return dict;
      }
      case 'attribute':
        return attributeOf(this.value(node.object, scope), node.name);
      case 'item': {
        const object = this.value(node.object, scope);
        return node.index.type === 'slice'
          ? sliced(
              object,
              node.index.bounds.map((bound) => bound && this.value(bound, scope)),
            )
          : itemOf(object, this.value(node.index, scope));
      }
      case 'slice':
        throw new JinjaError('a slice among other indices is not supported');
      case 'call':
        return this.call(node, scope);
      case 'filter':
        return this.filter(node, this.value(node.operand!, scope), scope);
      case 'test': {
        const operand = this.value(node.operand, scope);
        const { args, keywords } = this.arguments(node.args, scope);
        return testBy(node.name, operand, [...args, ...keywords.values()]);
      }
      case 'not':
        return !isTrue(this.value(node.operand, scope));
      case 'negative':
        return minus(this.value(node.operand, scope));
      case 'positive':
        return plus(this.value(node.operand, scope));
      case 'and':
      case 'or': {
        const left = this.value(node.left, scope);
        return isTrue(left) === (node.type === 'or') ? left : this.value(node.right, scope);
      }
      case 'binary':
        return binary(node.operator, this.value(node.left, scope), this.value(node.right, scope));
      case 'concatenation':
        return node.parts.map((part) => str(this.value(part, scope))).join('');
      case 'comparison':
        return this.comparison(node, scope);
      case 'conditional':
        if (isTrue(this.value(node.test, scope))) return this.value(node.yes, scope);
        return node.no
          ? this.value(node.no, scope)
          : new Undefined('the inline if-expression evaluated to false and no else section was defined.');
    }
  }

  private comparison(node: Extract<Expression, { type: 'comparison' }>, scope: Variables): boolean {
    let left = this.value(node.first, scope);
    for (const { operator, operand } of node.rest) {
      const right = this.value(operand, scope);
      if (!comparisonHolds(operator, left, right)) return false;
      left = right;
    }
    return true;
  }
}

const testBy = (name: string, value: unknown, args: readonly unknown[]): boolean =>
  runTest(name, value, args, isFilter);
