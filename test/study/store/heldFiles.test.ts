/** Files that a run rests on, held against their hashes while it is at work. */
import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { contentHash } from '../../../src/study/store/hash.ts';
import { heldFiles } from '../../../src/study/store/heldFiles.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { put } from '../../support/tinyFolder.ts';

const at = temporaryFolder();
const changed = (path: string) =>
  new InputError(
    `${path}: was changed while the run was at work: nothing that was made with it since is kept; the same command starts with it as it is now`,
  );

async function held() {
  put(at('model', 'a'), 'weights');
  put(at('model', 'b'), 'more');
  const files = heldFiles();
  expect(await files.hash(at('model'))).toBe(await contentHash(at('model')));
  return files;
}

describe('a folder that is held', () => {
  it('passes as long as nobody touches it, and when it is touched or replaced by the same bytes', async () => {
    const files = await held();
    await files.check();
    utimesSync(at('model', 'a'), 1, 1);
    await files.check();
    put(at('x'), 'weights');
    renameSync(at('x'), at('model', 'a'));
    await files.check();
    await files.check();
  });

  it.each<[string, string, () => void]>([
    ['replaced', 'a', () => renameSync(put(at('x'), 'Weights'), at('model', 'a'))],
    ['written over', 'a', () => put(at('model', 'a'), 'Weights')],
    ['longer', 'b', () => appendFileSync(at('model', 'b'), '!')],
    ['gone', 'b', () => rmSync(at('model', 'b'))],
    ['new', 'c', () => put(at('model', 'c'), '')],
  ])('a file of it that is %s is told, and again', async (_, name, change) => {
    const files = await held();
    change();
    for (let i = 0; i < 2; i++) await expect(files.check()).rejects.toEqual(changed(at('model', name)));
  });

  it('is told where it was changed before its hash was asked for', async () => {
    put(at('model', 'a'), 'weights');
    const files = heldFiles();
    await files.hold(at('model'));
    put(at('model', 'a'), 'Weights');
    await expect(files.hash(at('model'))).rejects.toThrow('was changed while the run was at work');
  });

  it('that is gone as a whole is told', async () => {
    const files = await held();
    rmSync(at('model'), { recursive: true });
    await expect(files.check()).rejects.toEqual(changed(at('model', 'a')));
  });
});

it('a large file, hashed by samples, is told when it was written to at all', async () => {
  put(at('big'), '');
  truncateSync(at('big'), 2 ** 30 + 12345);
  const files = heldFiles();
  await files.hash(at('big'));
  await files.check();
  utimesSync(at('big'), 1, 1);
  await expect(files.check()).rejects.toEqual(changed(at('big')));
});
