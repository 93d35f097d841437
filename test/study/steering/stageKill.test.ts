/** The causal test of a study, killed at any moment: it goes on where it stopped, and ends the same. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { culprit, start } from '../../support/cli.ts';
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
      steering: { ...smallSteering, candidates: 6, random: 8, completions: 6, max_tokens: 12, full: true },
    });
  let undisturbed: string;
  let lines: number;

  const journalLines = (study: string): number => {
    const work = join(study, '.work');
    const name = existsSync(work)
      ? readdirSync(work).find((one) => /^steer-\w+\.jsonl$/.test(one))
      : undefined;
    return name === undefined ? 0 : read(work, name).toString().split('\n').length - 1;
  };

  beforeAll(async () => {
    undisturbed = make('undisturbed');
    const { child, ended } = start(['run', undisturbed]);
    lines = 0;
    while (child.exitCode === null) {
      lines = Math.max(lines, journalLines(undisturbed));
      await sleep(10);
    }
    expect((await ended).code).toBe(0);
    expect(lines).toBeGreaterThan(30);
  });

  it('again and again in its midst, it ends with the same bytes, and loses no finished trial', async () => {
    const study = make('killed');
    const d = draw(Number(process.env.FC_SEED ?? 20261124));
    const moments = Array.from({ length: 6 }, () => d.below(lines - 8)).sort((a, b) => a - b);
    let kills = 0;
    let before = 0;
    for (const moment of moments) {
      const { child, ended } = start(['run', study]);
      while (journalLines(study) <= Math.max(moment, before) && child.exitCode === null) await sleep(1);
      if (child.exitCode !== null) break;
      child.kill('SIGKILL');
      await ended;
      kills++;
      const now = journalLines(study);
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    expect(kills).toBeGreaterThan(2);
    for (const name of files) expect(existsSync(join(study, name))).toBe(false);
    const { code, stderr } = await culprit(['run', study]);
    expect(stderr).not.toContain('unexpected');
    expect(code).toBe(0);
    for (const name of files) expect(read(study, name).equals(read(undisturbed, name)), name).toBe(true);
  });
});
