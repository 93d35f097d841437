/** The examples of docs/library.md, as a package that depends on culprit has them: each is run. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addJudgeKind, addSelector, judgeKinds, selectors } from '../../src/index.ts';
import { readStudy } from '../../src/study/run/ownStudy.ts';
import { run as runDirection } from '../examples/ownDirection.ts';
import { run as runJudge } from '../examples/ownJudge.ts';
import { run as runSelector } from '../examples/ownSelector.ts';
import { putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { putStudy, smallSteering } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-own-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(join(folder, 'tiny'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('in a study', () => {
  const study = join(folder, 'study');
  const put = (selectors: readonly string[]) =>
    putStudy(study, tiny, {
      prompts: { file: 'prompts.jsonl', discovery: 8, evaluation: 2, calibration: 1 },
      fidelity: { latents: 0 },
      steering: {
        ...smallSteering,
        candidates: 2,
        random: 3,
        gaussian: 0,
        doses: [0.1],
        incoherent: 0.9,
        calibration_completions: 4,
        selectors,
      },
    });

  it('a selector of one’s own is refused before it is added, and proposes candidates after', async () => {
    put(['oftenest']);
    await expect(readStudy(study)).rejects.toThrow(/steering\.selectors\[0\]: expected .* found "oftenest"/);
    const proposed = await runSelector(study);
    expect(new Set(proposed).size).toBe(2);
  });

  it('a direction of one’s own is tested as the others are, and has the test made anew', async () => {
    const before = readFileSync(join(study, 'steering.parquet'));
    const row = await runDirection(study);
    expect(row).toMatchObject({ direction: 'difference off the mean', role: 'comparison', latent: null });
    expect(readFileSync(join(study, 'steering.parquet')).equals(before)).toBe(false);
    const { stages } = JSON.parse(readFileSync(join(study, 'manifest.json'), 'utf8'));
    expect(stages.steer.options.own_directions).toEqual(['difference off the mean']);
  });

  it('a judge of one’s own grades', async () => {
    const own = putStudy(join(folder, 'judged'), tiny, { judge: { kind: 'length', characters: 8 } });
    const grades = await runJudge(own);
    expect(new Set(grades!.map(({ label }) => label))).toEqual(new Set(['positive', 'negative']));
    for (const { label, reason } of grades!)
      expect(label).toBe(Number.parseInt(reason, 10) >= 8 ? 'positive' : 'negative');
  });
});

it('refuses a name that is taken', () => {
  expect(() => addSelector({ ...selectors[0] })).toThrow(/delta-attribution: expected a name of its own/);
  expect(() => addJudgeKind({ ...judgeKinds[0]! })).toThrow(/judge chat: expected a name of its own/);
});

it('the page of the library shows the examples as they are', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/library.md'), 'utf8');
  for (const name of ['ownSelector', 'ownJudge', 'ownDirection'])
    expect(page).toContain(readFileSync(resolve(import.meta.dirname, `../examples/${name}.ts`), 'utf8'));
});
