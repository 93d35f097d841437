import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localPath } from '../../../src/files/hub/cache.ts';
import { temporaryFolder } from '../../support/folder.ts';

const path = temporaryFolder();
const commit = '0123456789abcdef0123456789abcdef01234567';

/** A download as huggingface_hub leaves it; returns the folder of its files. */
function put(hub: string, id = 'org/some.name', revision = commit): string {
  const folder = join(hub, `models--${id.replace('/', '--')}`);
  mkdirSync(join(folder, 'refs'), { recursive: true });
  writeFileSync(join(folder, 'refs', 'main'), revision);
  const snapshot = join(folder, 'snapshots', commit);
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(join(snapshot, 'config.json'), '{}');
  return snapshot;
}

describe('a model on the hub', () => {
  test.each<[string, () => [hub: string, env: Record<string, string>]]>([
    ['HF_HUB_CACHE', () => [path('hub'), { HF_HUB_CACHE: path('hub'), HF_HOME: path('other') }]],
    ['HUGGINGFACE_HUB_CACHE', () => [path('old'), { HUGGINGFACE_HUB_CACHE: path('old') }]],
    ['HF_HOME', () => [path('home', 'hub'), { HF_HOME: path('home'), XDG_CACHE_HOME: path('other') }]],
    ['XDG_CACHE_HOME', () => [path('xdg', 'huggingface', 'hub'), { XDG_CACHE_HOME: path('xdg') }]],
  ])('is found below %s', async (_, cache) => {
    const [hub, env] = cache();
    const snapshot = put(hub);
    expect(await localPath('hf:org/some.name', env)).toBe(snapshot);
  });

  test('may have a line end behind its commit', async () => {
    const snapshot = put(path('hub'), 'a/b', `${commit}\n`);
    expect(await localPath('hf:a/b', { HF_HUB_CACHE: path('hub') })).toBe(snapshot);
  });

  test('that was not downloaded, or not wholly: how to', async () => {
    const env = { HF_HUB_CACHE: path('hub') };
    const line = `hf:a/b: not in the Hugging Face cache (${path('hub')}): download it with \`culprit fetch hf:a/b\``;
    await expect(localPath('hf:a/b', env)).rejects.toThrow(line);
    put(path('hub'), 'a/b', 'f'.repeat(40));
    await expect(localPath('hf:a/b', env)).rejects.toThrow(line);
  });

  test('is looked for in the home folder where nothing else is said', async () => {
    await expect(localPath('hf:no-such-org/no-such-name', {})).rejects.toThrow(
      join(homedir(), '.cache', 'huggingface', 'hub'),
    );
  });

  test('cannot lead elsewhere', async () => {
    const env = { HF_HUB_CACHE: path('hub') };
    for (const id of ['..', '../x', 'a/../b', 'a/b/../c', 'a', '', 'a/..'])
      await expect(localPath(`hf:${id}`, env)).rejects.toThrow('expected hf:[datasets/]ORG/NAME');
    put(path('hub'), 'a/b', '../../../x');
    await expect(localPath('hf:a/b', env)).rejects.toThrow(
      'refs/main: expected a commit of 40 hexadecimal digits, found "../../../x"',
    );
  });
});

test('any other path stays as it is', async () => {
  expect(await localPath('./models/hf:x', {})).toBe('./models/hf:x');
  expect(await localPath(path('no'), {})).toBe(path('no'));
});
