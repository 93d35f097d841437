/**
 * What a judge or an explainer may spend, and what it has spent. Knows no server.
 *
 * `maxCalls` is never exceeded: each completion under way holds the calls that it needs at least. `maxCost`
 * cannot be as exact, since a call's price is known once it is paid: a completion is begun only where the
 * limit leaves room for it and for those under way, each taken to cost as much as the dearest so far. Where
 * there is no room to repeat a failed call, its completion is left for a later run.
 */

/** Calls, their price, and the price of the dearest completion so far (default 0). */
export interface Spent {
  readonly calls: number;
  readonly price: number;
  readonly dearest?: number | undefined;
}

export interface BudgetOptions {
  readonly maxCalls?: number | undefined;
  readonly maxCost?: number | undefined;
  /** what was spent before, by earlier runs of a study */
  readonly spent?: Spent | undefined;
}

/** One completion's part of the budget. */
export interface Share {
  /** Counts one more call; false where there is no room for it. */
  call(): boolean;
  pay(price: number): void;
  /** What it has taken so far. */
  spent(): { readonly calls: number; readonly price: number };
  /** Gives back what was held and not needed. */
  end(): void;
}

export interface Budget {
  /** A share for a completion that needs `needed` calls at least; undefined where there is no room for it. */
  begin(needed: number): Share | undefined;
  /** Which limit leaves no room. */
  usedUp(): string;
}

/** `field` names the limits in what is said: `judge` for `judge.max_calls`; `unit`, what a share is for. */
export function budget(
  { maxCalls, maxCost, spent }: BudgetOptions,
  { field, unit }: { readonly field: string; readonly unit: string },
): Budget {
  let calls = spent?.calls ?? 0;
  /** calls that the completions under way still hold */
  let held = 0;
  /** price of the completions that are done */
  let settled = spent?.price ?? 0;
  let underWay = 0;
  let dearest = spent?.dearest ?? 0;

  const roomForCalls = (needed: number) => maxCalls === undefined || calls + held + needed <= maxCalls;
  const roomForCost = () =>
    maxCost === undefined || (settled < maxCost && settled + (underWay + 1) * dearest <= maxCost);

  function begin(needed: number): Share | undefined {
    if (!roomForCalls(needed) || !roomForCost()) return undefined;
    let left = needed;
    let paid = 0;
    let called = 0;
    held += needed;
    underWay++;
    return {
      call() {
        if (left === 0 && !roomForCalls(1)) return false;
        if (left > 0) {
          left--;
          held--;
        }
        calls++;
        called++;
        return true;
      },
      pay(price) {
        paid += price;
        dearest = Math.max(dearest, paid);
      },
      spent: () => ({ calls: called, price: paid }),
      end() {
        held -= left;
        settled += paid;
        underWay--;
      },
    };
  }
  const usedUp = () =>
    roomForCost()
      ? `${field}.max_calls ${maxCalls} is used up`
      : `${field}.max_cost ${maxCost} is used up: ${unit} costs up to ${rounded(dearest)}`;
  return { begin, usedUp };
}

const rounded = (price: number) => Number(price.toPrecision(3));
