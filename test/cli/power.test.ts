/** What `culprit power` prints. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { powerCommand } from '../../src/cli/power.ts';
import { powerSize } from '../../src/study/run/powerRun.ts';
import { temporaryFolder } from '../support/folder.ts';

const path = temporaryFolder();
afterEach(() => vi.restoreAllMocks());

/** The text that the command writes to standard output. */
async function printed(args: readonly string[]): Promise<string> {
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    text += piece;
    return true;
  });
  await powerCommand().exitOverride().parseAsync(args, { from: 'user' });
  return stripVTControlCharacters(text);
}

const small = ['--evaluation', '20', '--completions', '2', '--random', '6', '--candidates', '4'];

describe('culprit power', () => {
  it('prints chances, the least effect, and what it costs', async () => {
    const text = await printed([...small, '--effect', '40,70', '--share', '0.6', '--icc', '0']);
    expect(text).toMatch(
      /^20 evaluation prompts, 2 completions of each, 6 random directions, 4 candidates;$/m,
    );
    expect(text).toMatch(/^60 % positive when unsteered; completions of a prompt correlate by 0\.00\.$/m);
    expect(text).toMatch(/^ +40 +\d+ % +\d+ %$/m);
    expect(text).toMatch(/^ +70 +no room +no room$/m);
    // removal and steering: three sides of 11 times 40
    expect(text).toMatch(/^as above +(\d+|none) +(\d+|none) +1,320$/m);
    expect(text).toMatch(/^40 evaluation prompts +(\d+|none) +(\d+|none) +2,640$/m);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([
    [['--effect', '0'], 'Expected a whole number of at least 1.'],
    [['--effect', '101'], 'Expected at most 100 points.'],
    [['--share', '1'], 'Expected a number above 0, below 1.'],
    [['--icc', 'x'], 'Expected a number from 0, below 1.'],
  ])('refuses %o', async (args, message) => {
    await expect(printed(args)).rejects.toThrow(message);
  });
});

describe('powerSize', () => {
  const study = (name: string) => {
    mkdirSync(path(name), { recursive: true });
    writeFileSync(
      `${path(name)}/study.yaml`,
      'behaviour: {name: b, rubric: Does it?}\nsubject: {model: m}\nsae: {path: s}\n' +
        'prompts: {file: p.jsonl, evaluation: 33}\njudge: {kind: pattern, positive: yes}\n' +
        'steering: {selectors: [random, delta-attribution], candidates: 7, random: 9, completions: 4}\n',
    );
    return path(name);
  };
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

  it('is that of study.yaml, and what is given', async () => {
    expect(await powerSize(study('bare'), { random: 12 })).toEqual({
      prompts: 33,
      completions: 4,
      random: 12,
      candidates: 14,
      share: 0.5,
      icc: 0.3,
    });
  });

  it("has the grades' share, and how alike completions of a prompt are", async () => {
    const folder = study('graded');
    const labels = { a: [1, 1, 1], b: [0, 0, 1] };
    const all = Object.entries(labels).flatMap(([prompt_id, own]) =>
      own.map((positive, index) => ({ id: `${prompt_id}/${index}`, prompt_id, index, positive })),
    );
    const completion = { prompt: 'q', text: 't', stop: 'end', model: 'm' };
    writeFileSync(
      `${folder}/completions.jsonl`,
      lines(all.map(({ positive: _, ...row }) => ({ ...row, ...completion }))),
    );
    const cost = { calls: 0, input_tokens: 0, output_tokens: 0, price: 0 };
    const grade = { content: 'c', coherence: 1, reason: '', raw: '', judge: 'j', cost };
    writeFileSync(
      `${folder}/grades.jsonl`,
      lines(
        all.map(({ id, positive }) => ({
          id,
          score: positive,
          label: positive ? 'positive' : 'negative',
          // the last is left out
          coherent: id !== 'b/2',
          ...grade,
        })),
      ),
    );
    const { share, icc } = await powerSize(folder, {});
    expect(share).toBeCloseTo(3 / 5, 12);
    // all alike within prompts would be a correlation of 1, which leaves nothing to sample
    expect(icc).toBe(0.3);
  });
});
