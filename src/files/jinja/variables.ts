/** The variables of a template: a scope sees those of the one around it, and sets its own. */
import { Undefined } from './values.ts';

export class Variables {
  private readonly own = new Map<string, unknown>();
  private readonly around: Variables | undefined;

  constructor(around?: Variables) {
    this.around = around;
  }

  set(name: string, value: unknown): void {
    this.own.set(name, value);
  }

  get(name: string): unknown {
    for (let scope: Variables | undefined = this; scope !== undefined; scope = scope.around)
      if (scope.own.has(name)) return scope.own.get(name);
    return new Undefined(`'${name}' is undefined`);
  }
}
