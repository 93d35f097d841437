/** What a dictionary counts by in the keys of stages. */

import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { silent } from '../../../src/study/open/progress.ts';
import { openStudy } from '../../../src/study/open/study.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { put, type TinyFolder } from '../../support/tinyFolder.ts';
import { tinyStudy } from '../../support/tinyStudy.ts';

const path = temporaryFolder();

async function hashOf(sae: string): Promise<string> {
  const tiny = { model: 'm', adapter: 'a', sae } as TinyFolder;
  put(path('study', 'study.yaml'), stringify(tinyStudy(tiny)));
  const clock = () => new Date(0);
  const options = { progress: silent, clock, environment: {} };
  const study = await openStudy(await readStudy(path('study')), options);
  try {
    return (await study.hashedSae()).sha256;
  } finally {
    await study.close();
  }
}

test('a single file counts with the file that describes it, and with no other beside it', async () => {
  const file = path('saes', 'layer1.sae.pt');
  put(file, 'weights');
  const alone = await hashOf(file);
  put(path('saes', 'other.json'), '{}');
  put(path('saes', 'layer2.sae.pt'), 'others');
  expect(await hashOf(file)).toBe(alone);
  put(path('saes', 'config.json'), '{"k": 50}');
  const described = await hashOf(file);
  expect(described).not.toBe(alone);
  put(path('saes', 'config.json'), '{"k": 51}');
  expect(await hashOf(file)).not.toBe(described);
});

test('a folder counts by its files', async () => {
  put(path('sae', 'cfg.json'), '{}');
  const before = await hashOf(path('sae'));
  put(path('sae', 'cfg.json'), '{"k": 1}');
  expect(await hashOf(path('sae'))).not.toBe(before);
});
