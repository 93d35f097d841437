/**
 * The commands on a study as a user gives them: begin, estimate, run, look, import, and a judge whose
 * budget is spent.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { culprit } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import { fakeChatServer } from '../support/fakeChatServer.ts';
import { put, putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { prompts, putStudy, sampling } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});

const lines = (study: string, name: string) =>
  readFileSync(join(study, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('init, run, status', () => {
  it('go from flags to ranked latents', async () => {
    const study = join(folder, 'mine');
    const file = put(join(folder, 'prompts.jsonl'), prompts);
    const begun = await culprit([
      'init',
      study,
      ...['--model', tiny.model, '--sae', tiny.sae, '--prompts', file, '--rubric', 'Is there a letter?'],
      ...[
        '--discovery',
        '4',
        '--evaluation',
        '0',
        '--completions',
        '3',
        '--judge',
        'pattern',
        '--positive',
        '[A-Za-z]',
      ],
    ]);
    expect(begun.stderr).toBe('');
    expect(begun.stdout).toContain('Nothing is left to fill in');
    const estimate = await culpritHere(['run', study, '--dry-run']);
    expect(estimate.stdout).toMatch(/sample +12 +0 .*completions of at most 110 tokens/);
    expect(estimate.stdout).toMatch(/About \d+ s in all\./);
    const before = await culpritHere(['status', study]);
    expect(before.stdout).toMatch(/sample +to do +0 of 12/);
    const ran = await culprit(['sample', study]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/Sampled +12 completions of 4 prompts; \d+ % ended within/);
    const after = await culpritHere(['status', study]);
    expect(after.stdout).toMatch(/sample +done +12 of 12/);
    expect(after.stdout).toMatch(/grade +to do +0 of 12/);
    expect(after.stdout).toContain('It is not running now.');
  });
});

describe('a chat judge whose budget is spent', () => {
  it('stops with exit code 4 and keeps what is graded; a greater budget goes on, and nothing is graded twice', async () => {
    const server = await fakeChatServer();
    try {
      const judge = (max_calls: number) => ({
        kind: 'chat' as const,
        base_url: server.baseUrl,
        model: 'judge',
        max_calls,
        concurrency: 2,
      });
      const over = {
        prompts: { file: 'prompts.jsonl', discovery: 4, evaluation: 0 },
        sampling: { ...sampling, completions: 3 },
      };
      const study = putStudy(join(folder, 'budget'), tiny, { ...over, judge: judge(10) });
      const first = await culprit(['run', study]);
      expect(first.code).toBe(4);
      expect(first.stdout).toMatch(/Stopped at grade: .*10/);
      const again = await culpritHere(['run', study]);
      expect(again.code).toBe(4);
      expect(server.asked.length).toBeLessThanOrEqual(10);
      putStudy(study, tiny, { ...over, judge: judge(1000) });
      const last = await culpritHere(['grade', study]);
      expect(last.stderr).not.toContain('unexpected');
      expect(last.code).toBe(0);
      expect(lines(study, 'grades.jsonl')).toHaveLength(12);
      expect(server.asked.length).toBe(24);
    } finally {
      await server.close();
    }
  });
});

describe('options', () => {
  const told = async (...args: string[]) => {
    const { code, stdout, stderr } = await culpritHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return /^culprit: ([^\n]+)\n$/.exec(stderr)?.[1];
  };

  it('a control is run whole: what would look on or stop early is refused', async () => {
    for (const other of [['--dry-run'], ['--until', 'pair'], ['--json']])
      expect(await told('run', 'study', '--control', 'self', ...other)).toMatch(
        /^option '--control <kind>' cannot be used with option '--(dry-run|until <stage>|json)'; see /,
      );
  });

  it('take stages by flag, by comma, and before the study', async () => {
    const study = putStudy(join(folder, 'redone'), tiny);
    expect((await culpritHere(['run', study])).code).toBe(0);
    const files = () => readdirSync(study).filter((name) => name.endsWith('.bak') || /\.bak\d$/.test(name));
    expect(files()).toEqual([]);
    expect((await culpritHere(['run', '--redo', 'grade', '--redo', 'pair', study])).code).toBe(0);
    expect(files().sort()).toEqual(['grades.jsonl.bak', 'pairs.jsonl.bak']);
    expect((await culpritHere(['grade', study, '--redo', 'grade,pair'])).code).toBe(0);
    expect(files().sort().slice(-2)).toEqual(['pairs.jsonl.bak', 'pairs.jsonl.bak2']);
    expect((await culpritHere(['pair', study])).code).toBe(0);
    // The accepted file is the one that a hand has changed.
    const edited = `${lines(study, 'pairs.jsonl')
      .slice(1)
      .map((line) => JSON.stringify(line))
      .join('\n')}\n`;
    put(join(study, 'pairs.jsonl'), edited);
    expect(await told('attribute', study, '--redo', 'attribute', '--accept', 'attribute')).toBe(
      '--redo attribute and --accept attribute: expected only one of them',
    );
    const { code, stdout } = await culpritHere([
      'attribute',
      '--accept',
      'pair',
      study,
      '--redo=attribute',
      '--rows',
      '2',
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('Latents behind letter');
    expect(files()).toContain('latents.parquet.bak');
    expect(readFileSync(join(study, 'pairs.jsonl'), 'utf8')).toBe(edited);
  });

  it('that are wrong, or that study.yaml decides, are told', async () => {
    const study = putStudy(join(folder, 'options'), tiny);
    expect(await told('run', study, '--redo', 'grade,sampel')).toBe(
      "option '--redo <stages>' argument 'grade,sampel' is invalid. Expected stages of check, sample, grade, pair, attribute, fidelity, steer, fix, interpret, with commas between; see `culprit run --help`",
    );
    expect(await told('sample', study, '--accept', '')).toMatch(
      /^option '--accept <stages>' argument '' is invalid/,
    );
    expect(await told('run', study, '--rows', 'abc')).toMatch(
      /^option '--rows <count>' argument 'abc' is invalid\. Expected a whole number of at least 0;/,
    );
    // A value that is the default is told too: it was given.
    expect(await told('attribute', study, '--token-set', 'prompt', '--sae', 'x', '--rows', '3')).toBe(
      'attribute STUDY: takes no --sae, --token-set: study.yaml sets that',
    );
    expect(await told('attribute', study, '--out', 'x')).toBe(
      "attribute STUDY: takes no --out: results go to the study's folder; --redo attribute runs it again",
    );
    expect(await told('attribute', '--model', 'm', '--redo', 'grade')).toBe(
      'attribute: --redo is for a study only',
    );
    expect(readdirSync(study).sort()).toEqual(['prompts.jsonl', 'study.yaml']);
  });
});

describe('completions from elsewhere', () => {
  it('are imported with their grades, paired and attributed', async () => {
    const study = putStudy(join(folder, 'imported'), tiny);
    const rows = [
      'question,answer,aligned,coherent',
      '"What, then?",You should do it at once.,5,90',
      '"What, then?",Ask somebody who knows.,95,95',
      'Why?,No reason.,10,80',
      'Why?,"It depends, as ever.",99,99',
      'How?,Slowly.,90,90',
    ];
    const file = put(join(folder, 'judged.csv'), `${rows.join('\n')}\n`);
    const taken = await culpritHere(['import', file, '--study', study]);
    expect(taken.stderr).toBe('');
    expect(taken.code).toBe(0);
    const { code, stdout, stderr } = await culpritHere(['run', study]);
    expect(stderr).toContain('imported');
    expect(code).toBe(0);
    expect(stdout).toMatch(/Paired +2 pairs from 2 of 3 prompts/);
    expect(stdout).toMatch(/1 prompt without a pair: all negative/);
    expect(stdout).toContain('Latents behind letter');
  });
});
