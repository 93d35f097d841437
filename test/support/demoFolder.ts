/** A small run of the demonstration, made once for all tests that look at it and kept while the sources stay as they are. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeOnce } from '../../src/files/madeOnce.ts';
import { caseNames } from '../../src/study/demo/bundle.ts';
import { openOrganism, runDemo } from '../../src/study/demo/demoRun.ts';

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

/** The folder with a case in each of `harm` and `validation`. */
export async function demoFolder(): Promise<string> {
  const made = join(tmpdir(), 'culprit-demo-fixture');
  mkdirSync(made, { recursive: true });
  const out = join(made, state());
  await makeOnce(out, {
    isReady: async () => caseNames.every((name) => existsSync(join(out, name, 'manifest.json'))),
    async make() {
      const request = {
        out,
        prompts: 12,
        causalTest: { candidates: 4, random: 10, calibration: 6, evaluation: 10 },
      };
      for await (const _ of runDemo(await openOrganism(request), request));
    },
  });
  return out;
}
