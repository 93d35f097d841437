/** `-` in place of a file that is read. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { culpritHere } from '../support/cliHere.ts';
import { putAll, type TinyFolder } from '../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-dash-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(join(folder, 'tiny'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const program = resolve(import.meta.dirname, '../../scripts/culprit.mjs');
const temporary = join(folder, 'temporary');

/** The command with `input` on its standard input, and a temporary folder of its own. */
function fed(input: string | Uint8Array, ...args: string[]) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    input,
    env,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

const attribute = (out: string) => {
  const given = ['--model', tiny.model, '--sae', tiny.sae, '--out', join(folder, out), '--quiet'];
  return ['attribute', ...given, '--rows', '3'];
};
const withoutTime = (text: string) => text.replace(/took [\d.]+ s/, '').replaceAll(/\/(?:file|fed)\b/g, '');

it('pairs, as from a file, and nothing is left of it', async () => {
  const rest = ['--baseline', tiny.baseline];
  const file = await culpritHere([...attribute('file'), ...rest, '--pairs', tiny.pairs]);
  const found = fed(readFileSync(tiny.pairs), ...attribute('fed'), ...rest, '--pairs', '-');
  expect(found).toMatchObject({ code: 0, stderr: '' });
  expect(withoutTime(found.stdout)).toBe(withoutTime(file.stdout));
  expect(readdirSync(folder).filter((name) => name.startsWith('culprit-input-'))).toEqual([]);
});

it('a baseline and a corpus, each by how it begins', () => {
  const rest = ['--pairs', tiny.pairs];
  expect(fed(readFileSync(tiny.baseline), ...attribute('a'), ...rest, '--baseline', '-').code).toBe(0);
  const texts = 'The hen sat.\n\nIt ate.\n';
  expect(fed(texts, ...attribute('b'), ...rest, '--baseline-corpus', '-')).toMatchObject({
    code: 0,
    stderr: '',
  });
});

it('is named in what is wrong with it', () => {
  const rest = ['--baseline', tiny.baseline, '--pairs', '-'];
  expect(fed('{"prompt": 3}\n', ...attribute('c'), ...rest)).toEqual({
    code: 2,
    stdout: '',
    stderr: 'culprit: standard input:1: prompt: expected string or array, found 3\n',
  });
  expect(fed('', ...attribute('d'), ...rest).stderr).toBe(
    'culprit: standard input: expected a file, found nothing\n',
  );
});

it('is refused twice, and where only a name is kept', async () => {
  const twice = await culpritHere([...attribute('e'), '--pairs', '-', '--baseline', '-']);
  expect(twice).toMatchObject({
    code: 2,
    stderr: 'culprit: -: expected standard input in one place, found it at --pairs and --baseline\n',
  });
  const named = await culpritHere(['init', temporary, '--prompts', '-']);
  expect(named.stderr).toMatch(/^culprit: --prompts -: expected a file, whose name goes into study\.yaml/);
  expect(named.code).toBe(2);
});
