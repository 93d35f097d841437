/** What a run says on the terminal of how far it can be believed, and help by `help`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { culpritHere } from '../../support/cliHere.ts';
import { putAll } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the report's warnings stand on the terminal, those of the stages that were run", async () => {
  const tiny = await putAll(folder);
  const study = putStudy(join(folder, 'study'), tiny, {
    sampling: { completions: 2, max_tokens: 1, seed: 5 },
  });
  const { code, stdout } = await culpritHere(['sample', study]);
  expect(code).toBe(0);
  expect(stdout).toContain('Before you believe it');
  expect(stdout.replace(/\s+/g, ' ')).toMatch(
    /- \d+ % of the completions were cut at the token limit and form no pair: a greater sampling\.max_tokens/,
  );
  expect(stdout).not.toContain('gray zones');
});

test.each([
  [['sae', 'train'], /^Usage: culprit sae train/],
  [['run'], /^Usage: culprit run/],
  [[], /^Usage: culprit /],
])('help %s', async (names, usage) => {
  const { code, stdout } = await culpritHere(['help', ...names]);
  expect(stdout).toMatch(usage);
  expect(code).toBe(0);
});

test('help of a command that there is not', async () => {
  const { code, stderr } = await culpritHere(['help', 'sae', 'nonsense']);
  expect(code).toBe(2);
  expect(stderr).toBe('culprit: help: there is no command sae nonsense; see `culprit --help`\n');
});
