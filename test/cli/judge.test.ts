/** What `culprit judge compare` prints. The judge that a file names is made up. */
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { judgeCommand } from '../../src/cli/judge.ts';
import { temporaryFolder } from '../support/folder.ts';
import { put } from '../support/tinyFolder.ts';

const path = temporaryFolder();
afterEach(() => vi.restoreAllMocks());

const rows = Array.from({ length: 8 }, (_, i) => ({
  id: `c${i}`,
  prompt: `p${i >> 1}`,
  completion: `An answer of\nsome length, which is number ${i} of them all, and goes on.`,
  label: i % 2,
}));

/** The text that the command writes to standard output. */
async function printed(args: readonly string[]): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    text += piece;
    return true;
  });
  const openJudge = () => Promise.reject(new Error('not asked for'));
  await judgeCommand(openJudge).parseAsync(['compare', ...args], { from: 'user' });
  return stripVTControlCharacters(text);
}

describe('culprit judge compare', () => {
  it('prints agreement, counts and disagreements', async () => {
    const file = put(path('labelled.jsonl'), rows);
    const grades = rows.map(({ id, label }, i) => ({
      id,
      score: i === 3 ? 0.05 : label * 0.9,
      label: label && i !== 3 ? 'positive' : 'negative',
    }));
    const text = await printed([
      file,
      '--a',
      `grades:${put(path('g.jsonl'), grades)}`,
      '--b',
      'label',
      '--resamples',
      '200',
    ]);
    expect(text).toMatch(/^Agreement of two judges on 8 completions of 4 prompts$/m);
    expect(text).toMatch(/^b: label; rated 8 of 8, 0 of them incoherent$/m);
    expect(text).toMatch(/^accuracy +0\.875 +0\.\d{3} to 1\.000$/m);
    expect(text).toMatch(/^kappa +0\.750 /m);
    expect(text).toMatch(/^a positive +3 +0$/m);
    expect(text).toMatch(/^a negative +1 +4$/m);
    expect(text).toMatch(/^c3 +0\.05 +1\.00 +An answer of some length, which is number\.\.\.$/m);
    expect(text.split('\n').filter((line) => line.length > 80 && !line.startsWith('a: '))).toEqual([]);
  });

  it('says what is undefined', async () => {
    const same = put(
      path('same.jsonl'),
      rows.map((row) => ({ ...row, label: 1 })),
    );
    const text = await printed([same, '--a', 'label', '--b', 'label', '--resamples', '20']);
    expect(text).toMatch(/^kappa +undefined$/m);
    expect(text).toMatch(/^accuracy +1\.000/m);
    expect(text).not.toMatch(/furthest apart/);
  });
});

it('help fits 80 columns and names every option that its example takes', () => {
  const compare = judgeCommand(() => Promise.reject(new Error())).commands.find(
    (command) => command.name() === 'compare',
  )!;
  let help = '';
  compare.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 });
  compare.outputHelp();
  expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
  for (const option of ['--a', '--b', '--rows', '--resamples', '--seed'])
    expect(help).toMatch(new RegExp(`^  ${option} <`, 'm'));
});
