/** Several journals as one that is only read: what was paid in all of them together. */
import type { SteeringRecord } from '../steering/work.ts';
import type { Journal } from '../store/journal.ts';

/** Records of one id in two journals are two; a verdict names the trial of its own journal. */
export function joinedJournal(journals: readonly Journal<SteeringRecord>[]): Journal<SteeringRecord> {
  const records = new Map<string, SteeringRecord>();
  for (const [n, journal] of journals.entries())
    for (const [id, record] of journal.records)
      records.set(
        `${n} ${id}`,
        record.kind === 'verdict' ? { ...record, trial: `${n} ${record.trial}` } : record,
      );
  return {
    path: journals.map(({ path }) => path).join(', '),
    records,
    seconds: journals.reduce((sum, { seconds }) => sum + seconds, 0),
    begin() {},
    append() {
      throw new TypeError('joinedJournal: expected to be read only');
    },
  };
}
