/**
 * A program that takes a study's lock as its parent tells it, or fights for it on its own: lockRacer, or
 * lockRacer FOLDER DEAD ROUNDS.
 */
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockStudy } from '../../src/study/store/lock.ts';

export type Told = { readonly take: string; readonly at: number } | 'release';
export type Answer =
  | { readonly won: true }
  | { readonly refused: string }
  | { readonly released: true }
  | { readonly wins: number; readonly clashes: number };

const answer = (what: Answer) => process.send!(what);
const clock = () => new Date();

async function attempt(folder: string): Promise<(() => Promise<void>) | string> {
  try {
    return await lockStudy(folder, clock);
  } catch (error) {
    if (error instanceof Error && error.name === 'InputError') return error.message;
    throw error;
  }
}

let release = async () => {};
process.on('message', async (told: Told) => {
  if (told === 'release') {
    await release();
    answer({ released: true });
  } else {
    await sleep(Math.max(0, told.at - Date.now()));
    const taken = await attempt(told.take);
    if (typeof taken === 'string') answer({ refused: taken });
    else {
      release = taken;
      answer({ won: true });
    }
  }
});

/**
 * Takes the lock so many times, leaving it behind as the dead process that wrote `dead` would; counts how
 * often it was not alone.
 */
async function fight(folder: string, dead: string, rounds: number): Promise<void> {
  let clashes = 0;
  let wins = 0;
  for (let n = 0; n < rounds; n++) {
    if (typeof (await attempt(folder)) === 'string') continue;
    wins++;
    const alone = join(folder, 'alone');
    const file = await open(alone, 'wx').catch(() => undefined);
    if (file === undefined) clashes++;
    await file?.close();
    await sleep(1);
    await rm(alone, { force: true });
    const copy = `${dead}.${process.pid}`;
    await copyFile(dead, copy);
    await rename(copy, join(folder, '.work', 'run.lock'));
  }
  answer({ wins, clashes });
}

const [folder, dead, rounds] = process.argv.slice(2);
if (folder && dead) await fight(folder, dead, Number(rounds));
