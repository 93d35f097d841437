/** The prompts that a study's baseline is taken over, and their order. */
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { allPrompts } from '../../../src/study/attribution/baseline.ts';
import { silent } from '../../../src/study/open/progress.ts';
import { openStudy } from '../../../src/study/open/study.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { put, type TinyFolder } from '../../support/tinyFolder.ts';
import { tinyStudy } from '../../support/tinyStudy.ts';

const path = temporaryFolder();

/** All prompts of a study whose models nobody opens. */
async function promptsOf(prompts: object) {
  const tiny = { model: 'm', adapter: 'a', sae: 's' } as TinyFolder;
  put(path('study.yaml'), stringify(tinyStudy(tiny, { prompts: { ...prompts } })));
  // sampled here, and nothing yet
  put(path('completions.jsonl'), []);
  const clock = () => new Date(0);
  const study = await openStudy(await readStudy(path()), { progress: silent, clock, environment: {} });
  try {
    return await allPrompts(study);
  } finally {
    await study.close();
  }
}

const texts = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i}`);
const file = (letter: string, count: number) => {
  put(
    path(`${letter}.jsonl`),
    texts(letter, count).map((prompt) => ({ prompt })),
  );
  return `${letter}.jsonl`;
};

it('prompts of two files: those of prompts.file first, each in its own order, whatever their rows', async () => {
  const [found, tested] = [file('found', 9), file('a-tested', 7)];
  const drawn = { discovery: 4, evaluation: 3, calibration: 2, seed: 3 };
  expect(await promptsOf({ file: found, evaluation_file: tested, ...drawn })).toEqual([
    ...texts('found', 9),
    ...texts('a-tested', 7),
  ]);
});

it('prompts of one file stand in its order, whatever they were drawn for', async () => {
  const drawn = { discovery: 4, evaluation: 3, calibration: 1, seed: 3 };
  expect(await promptsOf({ file: file('one', 9), ...drawn })).toEqual(texts('one', 9));
});
