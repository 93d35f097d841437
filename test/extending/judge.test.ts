/** A judge added as docs/extending.md says: one object in one file, and its line in the list of kinds. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { initCommand } from '../../src/cli/init.ts';
import type * as list from '../../src/study/judging/kinds.ts';
import { runInit } from '../../src/study/run/initRun.ts';
import { readStudy } from '../../src/study/run/ownStudy.ts';
import { estimateStudy } from '../../src/study/run/studyEstimate.ts';
import { runStudy } from '../../src/study/run/studyRun.ts';
import { putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { putStudy } from '../support/tinyStudy.ts';

vi.mock('../../src/study/judging/kinds.ts', async (original) => {
  const { judgeKinds } = await original<typeof list>();
  const { wordKind } = await import('./wordJudge.ts');
  return { judgeKinds: [...judgeKinds, wordKind] };
});

const folder = mkdtempSync(join(tmpdir(), 'culprit-judge-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('init', () => {
  it('offers it, and its flag', () => {
    const options = new Map(initCommand().options.map((option) => [option.long, option]));
    expect(options.get('--judge')!.argChoices).toContain('word');
    expect(options.get('--judge-word')!.description).toBe('word: the word');
  });

  it('writes its section, and as an alternative to another judge', async () => {
    const study = join(folder, 'written');
    const { studyFile } = await runInit({
      folder: study,
      judge: 'word',
      judgeFlags: { '--judge-word': 'risk' },
    });
    expect((await readStudy(study)).config.judge).toEqual({ kind: 'word', word: 'risk' });
    await runInit({ folder: study, judge: 'pattern', overwrite: true });
    expect(readFileSync(studyFile, 'utf8')).toMatch(
      /# Or:\n# judge:\n# {3}kind: word\n# {3}word: harm +# a completion with this word is positive\n\n/,
    );
  });
});

describe('a study', () => {
  let tiny: TinyFolder;
  beforeAll(async () => {
    tiny = await putAll(folder);
  });
  const study = join(folder, 'study');
  const put = (judge: Readonly<Record<string, unknown>>) => putStudy(study, tiny, { judge });

  it('is refused where a field of its section is wrong', async () => {
    put({ kind: 'word', wrod: 'a' });
    await expect(readStudy(study)).rejects.toThrow(/judge: expected a known field, found "wrod" \(did you/);
    put({ kind: 'sentence' });
    await expect(readStudy(study)).rejects.toThrow(/expected a judge of one kind: chat, .*, word, found/);
  });

  it('is estimated, graded by it, and graded anew where its fields change', async () => {
    const request = { study, cacheDir: tiny.cache };
    put({ kind: 'word', word: 'a' });
    const texts = (await runStudy({ ...request, stages: ['sample'] })).sample!.records.map(
      ({ text }) => text,
    );
    const grade = async () => (await runStudy({ ...request, stages: ['grade'] })).grade!;
    const words = [...new Set(texts.join('').match(/[A-Za-z]/g))].slice(0, 2);
    expect(words).toHaveLength(2);
    for (const word of words) {
      put({ kind: 'word', word });
      const { lines } = await estimateStudy(request);
      expect(lines.find(({ stage }) => stage === 'grade')).toMatchObject({ done: 0, note: 'word judge' });
      const { upToDate, records } = await grade();
      expect(upToDate).toBe(false);
      const labels = texts.map((text) => (text.includes(word) ? 'positive' : 'negative'));
      expect(records.map(({ label }) => label)).toEqual(labels);
      expect(new Set(records.map(({ reason }) => reason))).toEqual(new Set([`looked for ${word}`]));
    }
    expect((await grade()).upToDate).toBe(true);
  });
});
