/**
 * A study killed with -9 at random moments and started again ends with the same bytes as one that was left
 * alone.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { culprit, start } from '../../support/cli.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { draw } from '../../support/opCases.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy, sampling } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let tiny: TinyFolder;
let undisturbed: string;
let seconds: number;

const results = [
  'completions.jsonl',
  'grades.jsonl',
  'pairs.jsonl',
  'latents.parquet',
  'attribution.safetensors',
];
/** Small batches, so that a run has many moments to be killed at. */
const over = { sampling: { ...sampling, completions: 10, rows: 4 } };
const make = (name: string) => putStudy(join(folder, name), tiny, over);

beforeAll(async () => {
  tiny = await putAll(folder);
  undisturbed = make('undisturbed');
  const began = performance.now();
  expect((await culprit(['run', undisturbed])).code).toBe(0);
  seconds = (performance.now() - began) / 1000;
});

it('kills at random moments change no byte and lose no finished unit', async () => {
  let attempts = 0;
  let study = make('killed');
  const d = draw(Number(process.env.FC_SEED ?? 20261124));
  let kills = 0;
  while (kills < 4) {
    const { child, ended } = start(['run', study]);
    await Promise.race([sleep(1000 * seconds * (0.2 + 0.8 * (d.below(1000) / 1000))), ended]);
    // A run that ended before its moment: the kills go on in a study of its own.
    if (child.exitCode !== null) {
      study = make(`killed${++attempts}`);
      continue;
    }
    child.kill('SIGKILL');
    await ended;
    kills++;
  }
  const { code, stderr } = await culpritHere(['run', study]);
  expect(stderr).not.toContain('unexpected');
  expect(code).toBe(0);
  for (const name of results)
    expect(readFileSync(join(study, name))).toEqual(readFileSync(join(undisturbed, name)));
});

it('a limit on the size of files is told in one line, by exit code 2', () => {
  const study = make('limited');
  const script = join(import.meta.dirname, '../../../scripts/culprit.mjs');
  const command = `ulimit -f 16; exec "${process.execPath}" "${script}" run "${study}"`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  expect(stderr.trim().split('\n').at(-1)).toMatch(
    /^culprit: .*: the file is larger than the file system allows$/,
  );
  expect(status).toBe(2);
});

it('Ctrl-C says that what is finished is kept, and a second run at once is refused', async () => {
  // Long enough for a second command to start while it runs.
  const long = { sampling: { ...over.sampling, completions: 150 } };
  const study = putStudy(join(folder, 'interrupted'), tiny, long);
  const { child, ended } = start(['run', study]);
  while (!existsSync(join(study, '.work', 'run.lock')) && child.exitCode === null) await sleep(5);
  const second = await culprit(['run', study]);
  expect(second.code).toBe(2);
  expect(second.stderr).toMatch(/^culprit: .*another run \(process \d+/);
  child.kill('SIGINT');
  const first = await ended;
  expect(first.signal).toBe('SIGINT');
  expect(first.stderr).toContain('what is finished is kept, and the same command continues from there');
  expect((await culpritHere(['run', study])).code).toBe(0);
});
