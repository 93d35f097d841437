/**
 * The demonstration as `npm start` runs it, in little: run once for all tests that look
 * at it, and kept while the sources stay as they are.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeOnce } from '../../src/files/madeOnce.ts';
import { culprit, type Ended } from './cli.ts';

const root = resolve(import.meta.dirname, '../..');

/** Names, sizes and times of all that the run comes from. */
function state(): string {
  const hash = createHash('sha256');
  for (const folder of ['src', 'organism/bundle'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      const { size, mtimeMs } = statSync(join(root, folder, name));
      hash.update(`${name} ${size} ${mtimeMs}\n`);
    }
  return hash.digest('hex').slice(0, 16);
}

export interface Demonstration {
  /** with a study in each of `harm` and `validation` */
  readonly folder: string;
  /** the command that made it */
  readonly args: readonly string[];
  /** what the command said, when it ran first */
  readonly told: Ended;
}

/** Throws where the demonstration does not end as it should. */
export async function demonstration(): Promise<Demonstration> {
  const made = join(tmpdir(), 'culprit-demo-fixture');
  mkdirSync(made, { recursive: true });
  const folder = join(made, state());
  const told = join(folder, 'told.json');
  const args = ['demo', '--out', folder, '--prompts', '40', '--questions', '24', '--random', '12'];
  await makeOnce(folder, {
    isReady: async () => existsSync(told),
    async make() {
      const ended = await culprit(args);
      if (ended.code !== 0) throw new Error(ended.stderr);
      writeFileSync(told, JSON.stringify(ended));
    },
  });
  return { folder, args, told: JSON.parse(readFileSync(told, 'utf8')) };
}
