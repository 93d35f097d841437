/** A run says first what its causal test will take, and asks on a terminal where that is more than an hour. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import { putAll } from '../support/tinyFolder.ts';
import { putStudy, smallSteering } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-asks-'));
let study: string;
beforeAll(async () => {
  const tiny = await putAll(join(folder, 'tiny'));
  study = putStudy(join(folder, 'study'), tiny, {
    prompts: { file: 'prompts.jsonl', discovery: 8, evaluation: 2, calibration: 1 },
    steering: { ...smallSteering, completions: 1_000_000_000, doses: [0.1] },
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const script = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');
const quoted = (text: string) => `'${text}'`;

describe.skipIf(!script)('on a terminal (needs util-linux script)', () => {
  it('asks, and runs nothing where the answer is no', async () => {
    const program = resolve(import.meta.dirname, '../../scripts/culprit.mjs');
    const line = [process.execPath, program, 'run', study].map(quoted).join(' ');
    const child = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let sent = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      sent += text;
      if (sent.includes('[y/N]') && !child.stdin.writableEnded) child.stdin.end('n\n');
    });
    const [code] = await once(child, 'close');
    expect(sent).toMatch(/The causal test will take about [\d,]+ h \d+ min: about [\d,]+ completions/);
    expect(sent).toContain('culprit: nothing was run: --until fidelity leaves the causal test for later');
    expect(code).toBe(2);
    expect(existsSync(join(study, 'completions.jsonl'))).toBe(false);
  });
});

it('says it where nobody can answer, and begins', async () => {
  const { child, ended } = start(['run', study]);
  let said = '';
  child.stderr!.on('data', (text: string) => {
    said += text;
    if (said.includes('Sampling')) child.kill('SIGINT');
  });
  const { signal } = await ended;
  expect(signal).toBe('SIGINT');
  expect(said).toMatch(/^The causal test will take about [^\n]+\n/);
});

it('says nothing of it for a run that ends before it', async () => {
  const { stderr, code } = await culpritHere(['run', study, '--until', 'sample']);
  expect({ code, asked: stderr.includes('causal test') }).toEqual({ code: 0, asked: false });
});
