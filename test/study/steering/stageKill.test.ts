/** The causal test of a study, killed at any moment: it goes on where it stopped, and ends the same. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from '../../support/cli.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { draw } from '../../support/opCases.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, smallSteering } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-stage-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = ['steering.parquet', 'steering.json', 'steered.jsonl', 'steering.svg', 'steering.png'] as const;
const read = (study: string, name: string) => readFileSync(join(study, name));

describe('killed with SIGKILL', () => {
  // small batches and many trials, so that the causal test has many moments to be killed at
  const make = (name: string) =>
    putStudy(join(folder, name), tiny, {
      prompts: causalTestPrompts,
      sampling: { completions: 6, max_tokens: 12, seed: 5, stop: [...'bcdfghjklmnpqrstvwxz'], rows: 2 },
      steering: {
        ...smallSteering,
        candidates: 6,
        random: 8,
        remeasured: 3,
        completions: 6,
        max_tokens: 12,
        full: true,
      },
    });
  let undisturbed: string;
  /** of the journal: what was chosen, and every trial and log-odds */
  let lines: number;
  /** of these the last: trials on the prompts kept aside */
  let aside: number;

  const journal = (study: string): string => {
    const work = join(study, '.work');
    const name = existsSync(work)
      ? readdirSync(work).find((one) => /^steer-\w+\.jsonl$/.test(one))
      : undefined;
    return name === undefined ? '' : read(work, name).toString();
  };
  const journalLines = (study: string) => journal(study).split('\n').length - 1;

  beforeAll(async () => {
    undisturbed = make('undisturbed');
    expect((await culpritHere(['run', undisturbed])).code).toBe(0);
    const steered = read(undisturbed, 'steered.jsonl').toString().trimEnd().split('\n');
    lines = 1 + steered.length;
    aside = steered.filter((line) => line.includes('"part":"aside"')).length;
    expect(lines).toBeGreaterThan(100);
    expect(aside).toBeGreaterThan(12);
  });

  it('again and again in its midst, it ends with the same bytes, and loses no finished trial', async () => {
    const study = make('killed');
    const d = draw(Number(process.env.FC_SEED ?? 20261124));
    const moments = Array.from({ length: 2 }, () => d.below(lines - aside)).sort((a, b) => a - b);
    // once the first trial on the prompts kept aside is there
    moments.push(lines - aside + 1);
    let kills = 0;
    let midway = false;
    let before = 0;
    for (const moment of moments) {
      const { child, ended } = start(['run', study]);
      while (journalLines(study) <= Math.max(moment, before) && child.exitCode === null) await sleep(1);
      if (child.exitCode !== null) break;
      child.kill('SIGKILL');
      await ended;
      kills++;
      midway ||= journal(study).includes('"part":"aside"');
      const now = journalLines(study);
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    expect(kills).toBeGreaterThan(2);
    expect(midway).toBe(true);
    for (const name of files) expect(existsSync(join(study, name))).toBe(false);
    const { code, stderr } = await culpritHere(['run', study]);
    expect(stderr).not.toContain('unexpected');
    expect(code).toBe(0);
    for (const name of files) expect(read(study, name).equals(read(undisturbed, name)), name).toBe(true);
  });
});
