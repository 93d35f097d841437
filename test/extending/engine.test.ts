/** An engine added as docs/extending.md says: one object in one file, and its line in the list of kinds. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type * as list from '../../src/study/engines/kinds.ts';
import { readStudy } from '../../src/study/run/ownStudy.ts';
import { runStudy } from '../../src/study/run/studyRun.ts';
import { putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { putStudy, sampling } from '../support/tinyStudy.ts';

vi.mock('../../src/study/engines/kinds.ts', async (original) => {
  const { engineKinds } = await original<typeof list>();
  const { echoKind } = await import('./echoEngine.ts');
  return { engineKinds: [...engineKinds, echoKind] };
});

const folder = mkdtempSync(join(tmpdir(), 'culprit-echo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
const study = join(folder, 'study');
const put = (engine: Readonly<Record<string, unknown>>) =>
  putStudy(study, tiny, { sampling: { ...sampling, engine } });

it('is refused where a field of it is wrong', async () => {
  put({ kind: 'echo', nmae: 'a' });
  await expect(readStudy(study)).rejects.toThrow(
    /sampling\.engine: expected a known field, found "nmae" \(did/,
  );
  put({ kind: 'ecco' });
  await expect(readStudy(study)).rejects.toThrow(
    /expected an engine of one kind: local, vllm, echo, found "ecco"/,
  );
});

it('samples a study, once, and anew under another identity', async () => {
  const sample = async () => (await runStudy({ study, cacheDir: tiny.cache, stages: ['sample'] })).sample!;
  put({ kind: 'echo', name: 'one' });
  expect((await sample()).upToDate).toBe(false);
  expect((await sample()).upToDate).toBe(true);
  const { stages } = JSON.parse(readFileSync(join(study, 'manifest.json'), 'utf8'));
  expect(stages.sample.engines).toEqual([{ engine: 'echo', name: 'one' }]);
  put({ kind: 'echo', name: 'two' });
  expect((await sample()).upToDate).toBe(false);
});
