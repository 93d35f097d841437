/** Content hashes: what changes them and what does not. */
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { contentHash, jsonHash } from '../../../src/study/store/hash.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { put } from '../../support/tinyFolder.ts';

const at = temporaryFolder();

it('of a file: SHA-256 of its bytes', async () => {
  put(at('a'), 'some text');
  expect(await contentHash(at('a'))).toBe(createHash('sha256').update('some text').digest('hex'));
});

it('of a folder: names and contents of its files, not its place, its order or its subfolders', async () => {
  const folder = (name: string, files: Record<string, string>) => {
    for (const [file, text] of Object.entries(files)) put(at(name, file), text);
    return contentHash(at(name));
  };
  const hash = await folder('one', { a: '1', b: '2' });
  expect(await folder('two', { b: '2', a: '1' })).toBe(hash);
  expect(await folder('renamed', { a: '1', c: '2' })).not.toBe(hash);
  expect(await folder('changed', { a: '1', b: '3' })).not.toBe(hash);
  expect(await folder('swapped', { a: '2', b: '1' })).not.toBe(hash);
  put(at('one', 'deep', 'c'), '3');
  expect(await contentHash(at('one'))).toBe(hash);
});

it('of a Llama Scope dictionary: its weights too, which lie in a folder within', async () => {
  put(at('one', 'hyperparams.json'), '{}');
  put(at('one', 'checkpoints', 'final.safetensors'), 'a');
  const before = await contentHash(at('one'));
  put(at('one', 'checkpoints', 'final.safetensors'), 'b');
  expect(await contentHash(at('one'))).not.toBe(before);
});

it('links count as what they lead to, and not at all where they lead to no file', async () => {
  put(at('one', 'a'), '1');
  mkdirSync(at('two'));
  symlinkSync(at('one', 'a'), at('two', 'a'));
  symlinkSync(at('nowhere'), at('two', 'broken'));
  symlinkSync(at('one'), at('two', 'folder'));
  expect(await contentHash(at('two'))).toBe(await contentHash(at('one')));
});

it('a file above 1 GiB counts by its size and samples, its ends among them', async () => {
  const size = 2 ** 30 + 12345;
  writeFileSync(at('big'), '');
  truncateSync(at('big'), size);
  const hash = await contentHash(at('big'));
  expect(hash).toMatch(/^sampled-[0-9a-f]{64}$/);
  const file = openSync(at('big'), 'r+');
  writeSync(file, 'x', size - 1);
  closeSync(file);
  const changed = await contentHash(at('big'));
  expect(changed).not.toBe(hash);
  truncateSync(at('big'), size - 1);
  expect(await contentHash(at('big'))).not.toBe(hash);
});

it('what is not there is told as such', async () => {
  await expect(contentHash(at('nowhere'))).rejects.toThrow(`${at('nowhere')}: no such file or folder`);
});

it('of JSON: equal values, equal hashes', () => {
  expect(jsonHash({ a: [1, 'x'] })).toBe(jsonHash({ a: [1, 'x'] }));
  expect(jsonHash({ a: 1 })).not.toBe(jsonHash({ a: 2 }));
});
