/** How far a study is, as `culprit status` tells it. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { finishStage } from '../../../src/study/store/finishStage.ts';
import { journalFile } from '../../../src/study/store/folder.ts';
import { openJournal } from '../../../src/study/store/journal.ts';
import { lockStudy } from '../../../src/study/store/lock.ts';
import type { Stage } from '../../../src/study/store/stageState.ts';
import { readStatus } from '../../../src/study/store/status.ts';
import { temporaryFolder } from '../../support/folder.ts';

const at = temporaryFolder();
const stage = (name: string): Stage => ({
  name,
  key: `key of ${name}`,
  outputs: [`${name}.out`],
  inputs: {},
  options: {},
});
const plan = [
  { name: 'sample', units: 100, stage: stage('sample') },
  { name: 'grade', units: 1200, stage: stage('grade') },
  { name: 'pair', units: 1 },
];

it('of a study not begun: all is left, and no time is known', async () => {
  expect(await readStatus(at(), plan)).toEqual({
    running: undefined,
    stages: [
      { name: 'sample', finished: false, done: 0, left: 100 },
      { name: 'grade', finished: false, done: 0, left: 1200 },
      { name: 'pair', finished: false, done: 0, left: 1 },
    ],
  });
});

it('of a study at work, while a line is being written, which it leaves alone', async () => {
  let now = 0;
  const clock = () => new Date(now);
  const release = await lockStudy(at(), clock);
  await finishStage(at(), stage('sample'), { counts: {}, seconds: {} }, { clock, versions: {} }, async () =>
    writeFileSync(at('sample.out'), ''),
  );
  const path = journalFile(at(), stage('grade'));
  const journal = await openJournal(path, z.string(), (id) => id, { clock, note: expect.unreachable });
  now = 6_000;
  await journal.append(['a', 'b']);
  now = 9_000;
  await journal.append(['c', 'b']);
  appendFileSync(path, '{"id":"d","sec');
  const before = readFileSync(path, 'utf8');
  const [sample, grade] = (await readStatus(at(), plan)).stages;
  expect(sample).toEqual({ name: 'sample', finished: true, done: 100, left: 0, secondsLeft: 0 });
  expect(grade).toEqual({
    ...{ name: 'grade', finished: false, done: 3, left: 1197 },
    ...{ secondsPerUnit: 2.25, secondsLeft: 2.25 * 1197 },
  });
  expect(readFileSync(path, 'utf8')).toBe(before);
  const holder = { pid: process.pid, since: '1970-01-01T00:00:00.000Z' };
  expect((await readStatus(at(), plan)).running).toEqual(holder);
  await release();
  expect((await readStatus(at(), plan)).running).toBeUndefined();
});

it('counts what a record says that it holds', async () => {
  mkdirSync(at('.work'));
  const line = (id: string, record: number) => `${JSON.stringify({ id, seconds: 2, record })}\n`;
  writeFileSync(journalFile(at(), stage('grade')), line('a', 10) + line('b', 0) + line('c', 2));
  const { stages } = await readStatus(at(), [{ ...plan[1]!, unitsIn: Number }]);
  expect(stages[0]).toMatchObject({ done: 12, left: 1188, secondsPerUnit: 0.5, secondsLeft: 594 });
});

it('tells what stands in the way, and never more units than there are', async () => {
  mkdirSync(at('.work'));
  writeFileSync(at('sample.out'), 'of the user');
  const path = journalFile(at(), stage('grade'));
  const line = (id: number) => `${JSON.stringify({ id: `${id}`, seconds: 1, record: id })}\n`;
  writeFileSync(path, [1, 2, 3].map(line).join(''));
  const { stages } = await readStatus(at(), [plan[0]!, { ...plan[1]!, units: 2 }]);
  expect(stages[0]).toMatchObject({ finished: false, done: 0, left: 100 });
  expect(stages[0]!.problem).toMatch(
    /sample\.out: exists, but stage sample has not made it: add --accept sample /,
  );
  expect(stages[1]).toMatchObject({ done: 2, left: 0, secondsLeft: 0 });
});
