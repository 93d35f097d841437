/** `culprit report` and `culprit view` as a user has them: what they say, and how they say what is wrong. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { culprit } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import { put, putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { putStudy } from '../support/tinyStudy.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-'));
const at = (...parts: string[]) => join(root, ...parts);
/** Whether the build, which the first command makes where it is missing, has the app. */
const isBuilt = () => existsSync(join(import.meta.dirname, '../../dist/web/app.js'));
let tiny: TinyFolder;

beforeAll(async () => {
  tiny = await putAll(root);
  putStudy(at('study'), tiny);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it.each([
  [['report'], /^culprit: report: expected <study>, found none; see `culprit report --help`\n$/],
  [['report', 'nowhere'], /^culprit: nowhere: no such file or folder\n$/],
  [['report', at()], /^culprit: \S+: expected a study \(a folder with study\.yaml\) or .*, found neither\n$/],
  [['report', 'x', '--max-size', '0'], /Expected a size in MB, above 0; see `culprit report --help`\n$/],
  [['report', 'x', '--max-size', 'big'], /Expected a size in MB, above 0; see `culprit report --help`\n$/],
  [['view'], /^culprit: view: expected <study>, found none; see `culprit view --help`\n$/],
  [['view', 'nowhere'], /^culprit: .*(no such file or folder|expected the built web app)/],
  [['view', 'x', '--port', '70000'], /Expected a port, 1 to 65535; see `culprit view --help`\n$/],
])('%j is refused in one line', async (args, line) => {
  const { code, stdout, stderr } = await culpritHere(args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd()).not.toContain('\n');
});

it('writes the page beside the results and tells its size, or says that the app was not built', async () => {
  const { code, stdout, stderr } = await culprit(['report', at('study')]);
  if (!isBuilt()) {
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/expected the built web app, found no index\.html/),
    ]);
    expect(existsSync(at('study', 'report.html'))).toBe(false);
    return;
  }
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^\n\S+report\.html: \d\.\d MB, opens in any browser, also offline\n$/);
  expect(readFileSync(at('study', 'report.html'), 'utf8')).toContain('id="culprit-data"');
});

it('leaves an older report where it cannot make a new one', async () => {
  put(at('out', 'old.html'), 'old');
  const { code } = await culprit([
    'report',
    at('study'),
    '--out',
    at('out', 'old.html'),
    '--max-size',
    '0.001',
  ]);
  expect([code, readFileSync(at('out', 'old.html'), 'utf8')]).toEqual([2, 'old']);
});
