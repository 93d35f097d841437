/** What `loop` is within a for. Source: LoopContext in jinja2/runtime.py. */
import { JinjaError } from './errors.ts';
import { areEqual, Callable, iterate, lengthOf, Tuple, Undefined, WithAttributes } from './values.ts';

/** A loop over a value, one item after the other, which may be asked for what comes next and how many. */
export class Loop {
  readonly value: WithAttributes;
  private items: Iterator<unknown>;
  private length: number | undefined;
  private index0 = -1;
  private before: unknown;
  private item: unknown;
  /** what was read ahead */
  private ahead: IteratorResult<unknown> | undefined;
  private changed: Tuple | undefined;

  /** `recurse` renders the body over the items of another value. */
  constructor(
    iterable: unknown,
    depth: number,
    recurse: ((iterable: unknown, depth: number) => string) | undefined,
  ) {
    this.items = iterate(iterable);
    this.length = lengthOf(iterable);
    this.value = new WithAttributes(
      'LoopContext',
      (name) => this.attribute(name, depth),
      (args) => {
        if (recurse === undefined)
          throw new JinjaError("The loop must have the 'recursive' marker to be called recursively.");
        return recurse(args[0], depth + 1);
      },
    );
  }

  /** Moves on; whether there is an item. */
  next(): boolean {
    const next = this.ahead ?? this.items.next();
    this.ahead = undefined;
    if (next.done) return false;
    this.index0++;
    this.before = this.item;
    this.item = next.value;
    return true;
  }

  get current(): unknown {
    return this.item;
  }

  private peek(): IteratorResult<unknown> {
    this.ahead ??= this.items.next();
    return this.ahead;
  }

  private count(): number {
    if (this.length !== undefined) return this.length;
    const rest: unknown[] = [];
    for (let item = this.peek(); !item.done; item = this.items.next()) rest.push(item.value);
    this.ahead = undefined;
    this.items = rest[Symbol.iterator]();
    this.length = this.index0 + 1 + rest.length;
    return this.length;
  }

  private attribute(name: string, depth: number): unknown {
    switch (name) {
      case 'index':
        return this.index0 + 1;
      case 'index0':
        return this.index0;
      case 'revindex':
        return this.count() - this.index0;
      case 'revindex0':
        return this.count() - this.index0 - 1;
      case 'first':
        return this.index0 === 0;
      case 'last':
        return this.peek().done === true;
      case 'length':
        return this.count();
      case 'depth':
        return depth + 1;
      case 'depth0':
        return depth;
      case 'previtem':
        return this.index0 === 0 ? new Undefined('there is no previous item') : this.before;
      case 'nextitem':
        return this.peek().done ? new Undefined('there is no next item') : this.peek().value;
      case 'cycle':
        return new Callable(name, (args) => {
          if (args.length === 0) throw new JinjaError('no items for cycling given');
          return args[this.index0 % args.length];
        });
      case 'changed':
        return new Callable(name, (args) => this.hasChanged(new Tuple(args)));
      default:
        return undefined;
    }
  }

  private hasChanged(values: Tuple): boolean {
    if (this.changed !== undefined && areEqual(this.changed, values)) return false;
    this.changed = values;
    return true;
  }
}
