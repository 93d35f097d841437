/**
 * What a file of kept answers tells of money: what was paid in all, and what was paid on a question that has
 * no answer yet. Knows not what was asked.
 */
import { z } from 'zod';
import type { Spent } from '../../judges/budget.ts';
import { gradeRecord } from '../../results.ts';
import type { Journal } from '../store/journal.ts';

interface Paid {
  readonly calls: number;
  readonly price: number;
}

export const costSchema = gradeRecord.shape.cost;

/** What was paid on a question that got no answer. */
export const lostEntry = z.object({ id: z.string(), lost: z.literal(true), cost: costSchema });
type LostEntry = z.output<typeof lostEntry>;

interface PaidEntry {
  readonly id: string;
  readonly cost: Paid;
}

/** The entry of what was spent before this file was begun. */
const spentBefore = 'before';

export function paidIn(records: Iterable<PaidEntry>): Required<Spent> {
  const paid = { calls: 0, price: 0, dearest: 0 };
  for (const { id, cost } of records) {
    paid.calls += cost.calls;
    paid.price += cost.price;
    if (id !== spentBefore) paid.dearest = Math.max(paid.dearest, cost.price);
  }
  return paid;
}

export const lostRecord = (id: string, { calls, price }: Paid): LostEntry => ({
  id,
  lost: true,
  cost: { calls, input_tokens: 0, output_tokens: 0, price },
});

/** The entry of what other records tell of costs beyond those of these; undefined where that is nothing. */
export function spentEntry(records: Iterable<PaidEntry>, spent: Spent): LostEntry | undefined {
  const paid = paidIn(records);
  const [calls, price] = [spent.calls - paid.calls, Math.max(0, spent.price - paid.price)];
  return calls > 0 ? lostRecord(spentBefore, { calls, price }) : undefined;
}

/** Keeps what was paid on questions; what one has cost that gets an answer after all stands with that. */
export function lostCosts<E extends PaidEntry>(journal: Journal<E | LostEntry>) {
  const own = new Map<string, string>();
  let next = journal.records.size;
  return {
    async add(item: { readonly id: string }, cost: Paid): Promise<void> {
      const id = `lost/${next++}`;
      own.set(item.id, id);
      await journal.append([lostRecord(id, cost)]);
    },
    found(item: { readonly id: string }): LostEntry[] {
      const id = own.get(item.id);
      own.delete(item.id);
      return id === undefined ? [] : [lostRecord(id, { calls: 0, price: 0 })];
    },
  };
}
