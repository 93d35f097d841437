/** A study with a single pair, whose latents have no standard error: its pages are written and read all the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { putAll } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-one-pair-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('pages say that there is none', async () => {
  const study = putStudy(join(folder, 'study'), await putAll(join(folder, 'tiny')), {
    prompts: { file: 'prompts.jsonl', discovery: 4, evaluation: 0 },
    pairs: { limit: 1 },
    interpret: { latents: 2, tokens: 200 },
  });
  const { pair, attribute, interpret } = await runStudy({ study });
  expect(pair!.pairs).toHaveLength(1);
  expect(attribute!.latents[0]!.standard_error).toBeNaN();
  expect(interpret!.pages.map(({ standard_error }) => standard_error)).toEqual([null, null]);
  expect((await runStudy({ study })).interpret).toEqual({ pages: interpret!.pages, upToDate: true });
});
