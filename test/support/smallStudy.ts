/** A study of one stage, whose units cost next to nothing, for the tests of a study's store. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { finishStage, stageIsDone } from '../../src/study/store/finishStage.ts';
import { journalFile } from '../../src/study/store/folder.ts';
import { openJournal, writeInOrder } from '../../src/study/store/journal.ts';
import { lockStudy } from '../../src/study/store/lock.ts';
import type { Stage } from '../../src/study/store/stageState.ts';

const unit = z.object({ id: z.string(), text: z.string(), values: z.array(z.number()) });

/** What unit n comes to: of many lengths, some longer than a page of the disk. */
const unitOf = (n: number): z.output<typeof unit> => ({
  id: `unit/${n}`,
  text: 'é"\n'.repeat((n * 37) % 400),
  values: Array.from({ length: (n * 13) % 50 }, (_, i) => Math.sin(n + i)),
});

export const small: Stage = {
  name: 'sample',
  key: '0123456789abcdef',
  outputs: ['completions.jsonl'],
  inputs: {},
  options: { temperature: 1 },
};

/** What a run tells: `made` as it begins a unit, `kept` once an append of it has returned. */
export type Tell = (event: 'made' | 'kept', id: string) => void;

export interface SmallRun {
  readonly units: number;
  /** How many appends overlap. */
  readonly lanes: number;
  /** The order of the units: of those left, the one at a number below their count is next. */
  readonly below: (count: number) => number;
  readonly tell: Tell;
  readonly note?: (line: string) => void;
}

/** Runs the study in a folder from where it stands to its end. */
export async function runSmallStudy(
  folder: string,
  { units, lanes, below, tell, note }: SmallRun,
): Promise<void> {
  const clock = () => new Date();
  const release = await lockStudy(folder, clock);
  try {
    if (await stageIsDone(folder, small)) return;
    const path = journalFile(folder, small);
    const journal = await openJournal(path, unit, ({ id }) => id, { clock, note: note ?? (() => {}) });
    const all = Array.from({ length: units }, (_, n) => n);
    const left = all.filter((n) => !journal.records.has(`unit/${n}`));
    const lane = async () => {
      while (left.length > 0) {
        const [n] = left.splice(below(left.length), 1);
        const record = unitOf(n!);
        tell('made', record.id);
        // Or a fast disk would have all units before anyone can kill the run.
        await sleep(4);
        await journal.append([record]);
        tell('kept', record.id);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    const order = all.map((n) => `unit/${n}`);
    const outcome = { counts: { units }, seconds: { sample: journal.seconds } };
    await finishStage(folder, small, outcome, { clock, versions: {} }, () =>
      writeInOrder(journal, order, join(folder, 'completions.jsonl')),
    );
  } finally {
    await release();
  }
}
