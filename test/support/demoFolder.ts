/**
 * The demonstration as `npm start` runs it, but smaller: on 40 prompts, 24 questions and beside 12 random
 * latents, where that has 60, 36 and 30. Run once for all tests that look at it, and kept while the sources
 * stay as they are. Each test gets a copy, for to look at a study is to lock it.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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

export const demoSize = { prompts: 40, questions: 24, random: 12 };
const flags = [
  ...['--discovery', `${demoSize.prompts}`],
  ...['--questions', `${demoSize.questions}`],
  ...['--random-latents', `${demoSize.random}`],
];

export interface Demonstration {
  /** the command that would make it here */
  readonly args: readonly string[];
  /** what the command said when it ran first, as if it had been here */
  readonly told: Ended;
}

/**
 * Puts the demonstration into `folder`, with a study in each of `harm` and `validation`. Throws where it does
 * not end as it should.
 */
export async function demonstration(folder: string): Promise<Demonstration> {
  const all = join(tmpdir(), 'culprit-demo-fixture');
  mkdirSync(all, { recursive: true });
  const made = join(all, state());
  const told = join(made, 'told.json');
  const args = (out: string) => ['demo', '--out', out, ...flags];
  await makeOnce(made, {
    isReady: async () => existsSync(told),
    async make() {
      const ended = await culprit(args(made));
      if (ended.code !== 0) throw new Error(ended.stderr);
      writeFileSync(told, JSON.stringify(ended));
    },
  });
  cpSync(made, folder, { recursive: true });
  return { args: args(folder), told: JSON.parse(readFileSync(told, 'utf8').replaceAll(made, folder)) };
}
