/** One run at a time in a study's folder, among real processes. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { lockHolder, lockStudy, rightToRemove } from '../../../src/study/store/lock.ts';
import { thisProcess } from '../../../src/study/store/processes.ts';
import { bundle } from '../../support/bundle.ts';
import { type DiskCall, guardDisk, leaveToAnother, until } from '../../support/deadDisk.ts';
import { temporaryFolder } from '../../support/folder.ts';
import type { Answer, Told } from '../../support/lockRacer.ts';

const at = temporaryFolder();
const clock = () => new Date('2026-01-02T03:04:05.000Z');
const lockFile = (folder = at()) => join(folder, '.work', 'run.lock');
const left = (folder = at()) => readdirSync(join(folder, '.work'));
const hasProc = existsSync('/proc/self/stat');

let modules = '';
let program = '';
/** The lock of a process that was killed. */
let dead = '';
const children: ChildProcess[] = [];

function racer(...args: string[]): ChildProcess {
  const child = fork(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}

async function ask(child: ChildProcess, told: Told): Promise<Answer> {
  const answered = once(child, 'message');
  child.send(told);
  return ((await answered) as [Answer])[0];
}

beforeAll(async () => {
  modules = mkdtempSync(join(tmpdir(), 'culprit-bundle-'));
  program = fileURLToPath((await bundle(['../test/support/lockRacer.ts'], modules))[0]!);
  const folder = join(modules, 'study');
  mkdirSync(folder);
  const victim = racer();
  expect(await ask(victim, { take: folder, at: 0 })).toEqual({ won: true });
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  dead = join(modules, 'dead.lock');
  copyFileSync(lockFile(folder), dead);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(modules, { recursive: true, force: true }));

const taking = () => lockStudy(at(), clock);

/** Leaves a lock in the folder as a process that differs from this one in some fields would. */
async function plant(fields: object): Promise<void> {
  mkdirSync(at('.work'), { recursive: true });
  const owner = { ...(await thisProcess()), nonce: 'other', since: '2026-01-01T00:00:00.000Z', ...fields };
  writeFileSync(lockFile(), JSON.stringify(owner));
}

async function expectRefused(message: string): Promise<void> {
  const before = left();
  await expect(taking()).rejects.toThrow(new InputError(message));
  expect(left()).toEqual(before);
}

async function expectTaken(): Promise<void> {
  const release = await taking();
  expect(left()).toEqual(['run.lock']);
  expect(await lockHolder(at())).toEqual({ pid: process.pid, since: '2026-01-02T03:04:05.000Z' });
  await release();
  expect(left()).toEqual([]);
  expect(await lockHolder(at())).toBeUndefined();
}

it('is taken, refused to a second, given back and taken again', async () => {
  expect(await lockHolder(at())).toBeUndefined();
  const release = await taking();
  await expectRefused(
    `another run (process ${process.pid}, since 2026-01-02T03:04:05.000Z) is working in ${at()}`,
  );
  await release();
  await release();
  await expectTaken();
});

it('is not given back by one who lost it', async () => {
  const release = await taking();
  rmSync(lockFile());
  const other = await taking();
  await release();
  expect(left()).toEqual(['run.lock']);
  await other();
});

it('that is a link to nowhere is refused, not waited for', async () => {
  mkdirSync(at('.work'), { recursive: true });
  symlinkSync(at('nowhere'), lockFile());
  await expect(taking()).rejects.toThrow(
    `${lockFile()}: expected the name of a process, found a link that leads nowhere: delete it if nothing is running`,
  );
});

it('of a process that ended without a word is told on the next start', async () => {
  await plant({ pid: 2 ** 22 + 1 });
  const notes: string[] = [];
  const release = await lockStudy(at(), clock, (line) => notes.push(line));
  expect(notes).toEqual([
    expect.stringMatching(/process 4194305, since 2026-01-01T00:00:00.000Z\) was ended from outside/),
  ]);
  await release();
  await (await lockStudy(at(), clock, (line) => notes.push(line)))();
  expect(notes).toHaveLength(1);
});

it('of a process killed with -9 is taken over at once, and what it left half-written goes', async () => {
  const victim = racer();
  await ask(victim, { take: at(), at: 0 });
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  const elsewhere = `.x.00000000-${victim.pid}-00000000.tmp`;
  writeFileSync(at(elsewhere), 'half-written by a process of another machine');
  copyFileSync(lockFile(), `${lockFile()}.ticket-1`);
  copyFileSync(lockFile(), `${lockFile()}.over-2`);
  await expectTaken();
  expect(readdirSync(at()).sort()).toEqual([elsewhere, '.work'].sort());
});

it('holds through a computation that blocks its owner, whatever its age', async () => {
  const owner = racer();
  await ask(owner, { take: at(), at: 0 });
  owner.kill('SIGSTOP');
  utimesSync(lockFile(), 1, 1);
  await expect(taking()).rejects.toThrow(`another run (process ${owner.pid}, since `);
  owner.kill('SIGCONT');
  expect(await ask(owner, 'release')).toEqual({ released: true });
  await expectTaken();
});

it.skipIf(!hasProc)(
  'of an earlier process of the same number, or before a restart, is taken over',
  async () => {
    await plant({ started: '1' });
    await expectTaken();
    await plant({ boot: 'before' });
    await expectTaken();
  },
);

it.skipIf(!hasProc)('of a process that ended unnoticed by its parent is taken over', async () => {
  const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(parent);
  const pid = Number(await new Promise((done) => parent.stdout.once('data', done)));
  await plant({ pid, started: startedAt(pid) });
  while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) await sleep(5);
  await expectTaken();
});

const startedAt = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19];

it('of another machine is left alone, with what to do', async () => {
  await plant({ host: 'another', pid: 7 });
  await expectRefused(
    `another run (process 7 of another machine, since 2026-01-01T00:00:00.000Z) is working in ${at()}; if it is not, delete ${lockFile()}`,
  );
  await plant({ started: undefined });
  await expectRefused(
    `another run (process ${process.pid}, since 2026-01-01T00:00:00.000Z) is working in ${at()}; if it is not, delete ${lockFile()}`,
  );
});

it.each(['', '{', '{"pid":0}'])('that is damaged (%j) is told', async (text) => {
  await plant({});
  writeFileSync(lockFile(), text);
  await expectRefused(
    `${lockFile()}: expected the name of a process, found something else: delete the file if nothing is running`,
  );
});

it('is taken over after any number of processes were killed while they took it over', async () => {
  await plant({ pid: 99_999_999 });
  const restore = await guardDisk();
  try {
    for (let kills = 1; kills <= 20; kills++) {
      const isTakeover = ({ call, path }: DiskCall) => call === 'rm' && !path.includes('ticket');
      expect(await until(isTakeover, taking)).toMatchObject({ call: 'rm' });
      await leaveToAnother(at());
      expect(left().filter((name) => name.includes('.over-'))).toHaveLength(kills);
    }
  } finally {
    restore();
  }
  await expectTaken();
});

it('needs a folder', async () => {
  await expect(lockStudy(at('none'), clock)).rejects.toThrow(`${at('none')}: no such file or folder`);
});

it('goes to exactly one of those that start in the same instant, over a dead lock or none', async () => {
  const racers = [racer(), racer(), racer(), racer()];
  for (let round = 0; round < 60; round++) {
    const folder = at(`${round}`);
    mkdirSync(join(folder, '.work'), { recursive: true });
    if (round % 3 > 0) copyFileSync(dead, lockFile(folder));
    const owner = JSON.parse(readFileSync(dead, 'utf8')) as { nonce: string };
    // As one killed while it took a dead lock over leaves it.
    if (round % 3 > 1) copyFileSync(dead, rightToRemove(lockFile(folder), owner));
    const start = Date.now() + 5;
    const answers = await Promise.all(racers.map((child) => ask(child, { take: folder, at: start })));
    const winners = racers.filter((_, i) => 'won' in answers[i]!);
    expect(winners).toHaveLength(1);
    for (const told of answers)
      if ('refused' in told) expect(told.refused).toMatch(/^another run \(process \d+, since /);
    expect(left(folder)).toEqual(['run.lock']);
    await ask(winners[0]!, 'release');
    expect(left(folder)).toEqual([]);
  }
});

it('is never held by two, where all fight to take over dead locks', async () => {
  const answers = await Promise.all(
    Array.from({ length: 4 }, async () => ((await once(racer(at(), dead, '250'), 'message')) as [Answer])[0]),
  );
  const totals = { wins: 0, clashes: 0 };
  for (const told of answers) {
    if (!('wins' in told)) throw new Error('expected counts');
    totals.wins += told.wins;
    totals.clashes += told.clashes;
  }
  expect(totals.clashes).toBe(0);
  expect(totals.wins).toBeGreaterThan(50);
});
