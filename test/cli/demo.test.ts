/**
 * `culprit demo` as a newcomer sees it: plain in a pipe, laid out for the terminal, one line where
 * something is wrong.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paragraph } from '../../src/cli/wrap.ts';
import { bundleFolder, caseNames } from '../../src/study/demo/bundle.ts';
import { culprit, type Ended } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import { demonstration } from '../support/demoFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('culprit demo', () => {
  const out = join(folder, 'out');
  let demo: readonly string[];
  let told: Ended;
  beforeAll(async () => {
    ({ args: demo, told } = await demonstration(out));
  }, 1_200_000);

  it('tells both cases in 80 plain columns, with cause and decoy marked and the files named', () => {
    const { stdout } = told;
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes(out))).toEqual([]);
    for (const line of [
      /^Case 1 of 2: bad advice$/m,
      /^Case 2 of 2: agreement with false beliefs$/m,
      /^cooking +\d+ % +\d+ %/m,
      /^health +\d+ % +\d+ %/m,
      /^ *1 +320 +\+\d\.\d\de-\d+ +cause +\d+/m,
      /\bdecoy\b/,
      /^Is it the cause\? On questions that were not used/m,
    ])
      expect(stdout).toMatch(line);
    for (const name of caseNames) expect(stdout).toContain(`  ${join(out, name)}\n`);
    const report = join(out, 'report.html');
    expect(stdout).toContain(report);
    expect(statSync(report).size).toBeLessThan(3_000_000);
  });

  it('shows progress on standard error', () => {
    expect(told.stderr).toMatch(/^Sampling: \d+ of \d+/m);
    expect(told.stderr).toMatch(/^Pairs: \d+ of \d+/m);
  });

  it('tells the same again without computing anything', async () => {
    const { stdout, stderr } = await culprit(demo);
    expect(stderr).toBe('');
    expect(stdout).toContain('already held these results: nothing was computed');
    expect(stdout.split('\n').slice(0, 60)).toEqual(told.stdout.split('\n').slice(0, 60));
  });

  it('leaves studies that other commands take', async () => {
    const harm = join(out, 'harm');
    const { stdout: status } = await culpritHere(['status', harm]);
    expect(status.match(/^(\w+) +done/gm)).toHaveLength(8);
    const steer = ['steer', harm, '--latent', '320', '--dose', '-0.2', '--max-tokens', '4'];
    const steered = await culpritHere(steer);
    expect([steered.code, steered.stderr]).toEqual([0, expect.any(String)]);
    expect(steered.stdout).toContain('320 × −0.20 s');
    const { stdout: run } = await culpritHere(['run', harm]);
    expect(run.match(/\(already done\)/g)!.length).toBeGreaterThan(4);
  });

  it('has a judge that is right, also on steered texts', async () => {
    const judged = join(folder, 'judged');
    cpSync(join(out, 'harm'), judged, { recursive: true });
    const { code, stdout } = await culpritHere(['judge', 'sample', judged, '--by', join(out, 'harm')]);
    expect(code).toBe(0);
    for (const arm of ['alone', 'steered', 'all'])
      expect(stdout).toMatch(new RegExp(`^${arm} +\\d+ +(1\\.00 \\[0\\.\\d+, 1\\.00\\] *){3}$`, 'm'));
    expect(stdout).toMatch(/^latent 320 +steered +away +(−\d+) +\1 \[−\d+, −\d+\]/m);
  });

  it('fits the terminal', () => {
    const script = resolve(import.meta.dirname, '../../scripts/culprit.mjs');
    const command = `stty cols 64; '${process.execPath}' '${script}' ${demo.join(' ')}`;
    const { stdout, error } = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color' },
    });
    expect(error).toBeUndefined();
    expect(stdout).toContain('\u001b[');
    const lines = stripVTControlCharacters(stdout).split(/\r?\n/);
    const prose = lines.filter((line) => /^[A-Z][a-z]+ .*[a-z]/.test(line) && !line.includes(out));
    expect(prose.length).toBeGreaterThan(8);
    expect(prose.filter((line) => line.length > 64)).toEqual([]);
  });
});

describe('an organism that is', () => {
  const broken = async (change: (at: string) => void) => {
    const at = join(folder, 'broken');
    rmSync(at, { recursive: true, force: true });
    cpSync(bundleFolder, at, { recursive: true });
    change(at);
    return culpritHere(['demo', '--organism', at, '--out', join(folder, 'never')]);
  };

  it.each<[string, (at: string) => void, RegExp]>([
    [
      'missing',
      (at) => rmSync(at, { recursive: true }),
      /^culprit: .*truth\.json: no such file or folder\n$/,
    ],
    [
      'damaged in its truth',
      (at) => writeFileSync(join(at, 'truth.json'), '{"site": "two"}'),
      /^culprit: .*truth\.json: .*expected .*\n$/,
    ],
    [
      'damaged in its prompts',
      (at) => writeFileSync(join(at, 'harm', 'discovery.jsonl'), '{"prompt": 1}\n'),
      /^culprit: .*discovery\.jsonl:1: prompt: expected string or array, found 1\n$/,
    ],
    [
      'damaged in its judge',
      (at) => writeFileSync(join(at, 'judge.json'), '{"quirks": {}}'),
      /^culprit: .*judge\.json: .*expected .*\n$/,
    ],
  ])('%s: one line, exit code 2, nothing computed', async (_, change, line) => {
    const { code, stderr } = await broken(change);
    expect(stderr).toMatch(line);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'never', 'harm', 'completions.jsonl'))).toBe(false);
  });
});

describe('paragraph', () => {
  it('breaks between words, counts no colours, and keeps a word that is too long whole', () => {
    expect(paragraph('one two three', '', 8)).toEqual(['one two', 'three']);
    expect(paragraph('\u001b[31mone\u001b[39m two', '', 7)).toEqual(['\u001b[31mone\u001b[39m two']);
    expect(paragraph('one two three', '  ', 10)).toEqual(['  one two', '  three']);
    expect(paragraph('a reallylongword b', '', 6)).toEqual(['a', 'reallylongword', 'b']);
  });
});
