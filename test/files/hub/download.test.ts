/** Downloads from a server that speaks the hub's protocol, its faults among it. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localPath } from '../../../src/files/hub/cache.ts';
import { hubFetch } from '../../../src/files/hub/fetch.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { commit, type FakeHub, fakeHub, gitHash } from '../../support/hub.ts';

const path = temporaryFolder();
const bytesOf = (count: number, seed: number) =>
  Buffer.from(Array.from({ length: count }, (_, i) => (i * seed) % 251));
const weights = bytesOf(300_000, 7);
const config = '{"model_type": "llama"}\n';
const sha256 = createHash('sha256').update(weights).digest('hex');
const hurried = { repeats: 2, silenceMs: 400, hurry: 1000 };

let hub: FakeHub;
let env: Record<string, string>;
beforeEach(async () => {
  hub = await fakeHub();
  env = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: path('cache'), HF_HOME: path('home') };
  hub.put('org/name', { 'config.json': config, 'model.safetensors': weights });
});
afterEach(() => hub.close());

async function fetched(given = 'hf:org/name', own = env): Promise<string> {
  const hub = await hubFetch(own, hurried);
  const [planned] = await hub.plan([{ given, use: undefined }]);
  return hub.fetch(planned!);
}

const repository = () => path('cache', 'models--org--name');
const part = () => join(repository(), 'blobs', `${sha256}.incomplete`);
const asked = (host: 'hub' | 'cdn') => hub.requests.filter((one) => one.host === host);

describe('a download', () => {
  test('lies as huggingface_hub lays it out', async () => {
    const folder = await fetched();
    expect(folder).toBe(join(repository(), 'snapshots', commit));
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(config);
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readlinkSync(join(folder, 'model.safetensors'))).toBe(`../../blobs/${sha256}`);
    expect(readlinkSync(join(folder, 'config.json'))).toBe(`../../blobs/${gitHash(Buffer.from(config))}`);
    expect(readFileSync(join(repository(), 'refs', 'main'), 'utf8')).toBe(commit);
    expect(readdirSync(join(repository(), 'blobs')).sort()).toEqual(
      [sha256, gitHash(Buffer.from(config))].sort(),
    );
    expect(await localPath('hf:org/name', env)).toBe(folder);
  });

  test('of a file in a folder, of a branch with a slash', async () => {
    hub.put('org/name', { 'in/one.gguf': weights, 'in/two.gguf': 'x', 'in/config.json': config });
    const file = await fetched('hf:org/name@refs/pr/1/in/one.gguf');
    expect(readlinkSync(file)).toBe(`../../../blobs/${sha256}`);
    expect(existsSync(join(file, '..', 'two.gguf'))).toBe(false);
    expect(readFileSync(join(repository(), 'refs', 'refs/pr/1'), 'utf8')).toBe(commit);
    expect(await localPath('hf:org/name@refs/pr/1/in/one.gguf', env)).toBe(file);
  });

  test('of a dataset', async () => {
    hub.put('datasets/org/name', { 'prompts.jsonl': '{"prompt": "a"}\n' });
    const file = await fetched('hf:datasets/org/name/prompts.jsonl');
    expect(file).toBe(path('cache', 'datasets--org--name', 'snapshots', commit, 'prompts.jsonl'));
  });

  test('of what is there already asks for no file', async () => {
    await fetched();
    const before = asked('cdn').length;
    await fetched();
    expect(asked('cdn').length).toBe(before);
  });

  test('tells bytes as they come', async () => {
    const hub = await hubFetch(env, hurried);
    const [planned] = await hub.plan([{ given: 'hf:org/name', use: 'model' }]);
    expect(planned).toMatchObject({ size: weights.length + config.length, here: 0, use: 'model' });
    let bytes = 0;
    await hub.fetch(planned!, { onBytes: (more) => (bytes += more) });
    expect(bytes).toBe(planned!.size);
    const [again] = await hub.plan([{ given: 'hf:org/name', use: 'model' }]);
    expect(again!.here).toBe(planned!.size);
  });
});

describe('the token', () => {
  test('goes to the hub, and not where its replies lead', async () => {
    await fetched('hf:org/name', { ...env, HF_TOKEN: 'secret' });
    expect(asked('hub').every(({ authorization }) => authorization === 'Bearer secret')).toBe(true);
    expect(asked('cdn')).toHaveLength(1);
    expect(asked('cdn')[0]!.authorization).toBeUndefined();
  });

  test('is found where `hf auth login` leaves it', async () => {
    mkdirSync(path('home'), { recursive: true });
    writeFileSync(path('home', 'token'), 'kept\n');
    await fetched();
    expect(asked('hub')[0]!.authorization).toBe('Bearer kept');
  });
});

describe('a download that breaks off', () => {
  test('goes on where it stopped, as long as something comes', async () => {
    hub.faults.set('org/name/model.safetensors', { cutAfter: 70_000 });
    const folder = await fetched();
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(asked('cdn').map(({ range }) => range)).toEqual([
      undefined,
      'bytes=70000-',
      'bytes=140000-',
      'bytes=210000-',
      'bytes=280000-',
    ]);
  });

  test('is left for later where nothing comes, and gone on with by the next', async () => {
    hub.faults.set('org/name/model.safetensors', { silent: true });
    mkdirSync(join(repository(), 'blobs'), { recursive: true });
    writeFileSync(part(), weights.subarray(0, 1000));
    await expect(fetched()).rejects.toThrow(
      /^hf:org\/name: model\.safetensors: the download breaks off again and again \(no byte for 0\.4 s\): the same command goes on with it$/,
    );
    expect(existsSync(join(repository(), 'snapshots'))).toBe(false);
    expect(lstatSync(part()).size).toBe(1000);
    hub.faults.clear();
    await fetched();
    expect(asked('cdn').at(-1)!.range).toBe('bytes=1000-');
  });

  test('starts again where ranges are not understood', async () => {
    hub.faults.set('org/name/model.safetensors', { noRanges: true });
    mkdirSync(join(repository(), 'blobs'), { recursive: true });
    writeFileSync(part(), weights.subarray(0, 1000));
    const folder = await fetched();
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  test('can be ended', async () => {
    hub.faults.set('org/name/model.safetensors', { silent: true });
    const one = await hubFetch(env);
    const [planned] = await one.plan([{ given: 'hf:org/name', use: 'model' }]);
    const ending = new AbortController();
    const running = one.fetch(planned!, { signal: ending.signal });
    await expect.poll(() => asked('cdn').length).toBe(1);
    ending.abort(new Error('ended'));
    await expect(running).rejects.toThrow('ended');
  });
});

describe('what arrives wrong', () => {
  test('twice, is deleted and told', async () => {
    hub.faults.set('org/name/model.safetensors', { wrong: true });
    await expect(fetched()).rejects.toThrow(
      new RegExp(
        `^hf:org/name: model.safetensors: expected the sha256 ${sha256}, found [0-9a-f]{64}, twice: what arrived was deleted$`,
      ),
    );
    expect(existsSync(part())).toBe(false);
    expect(existsSync(join(repository(), 'snapshots'))).toBe(false);
  });

  test('once, or was left wrong by another program, comes again', async () => {
    mkdirSync(join(repository(), 'blobs'), { recursive: true });
    writeFileSync(part(), Buffer.alloc(1000));
    const folder = await fetched();
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
  });

  test('of a small file too', async () => {
    hub.faults.set('org/name/config.json', { wrong: true });
    await expect(fetched()).rejects.toThrow(`expected the git hash ${gitHash(Buffer.from(config))}`);
  });

  test('and is longer than it was listed', async () => {
    mkdirSync(join(repository(), 'blobs'), { recursive: true });
    writeFileSync(part(), Buffer.alloc(weights.length + 5));
    const folder = await fetched();
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
  });
});

describe('a hub that is busy', () => {
  test('is asked again, as long as it says', async () => {
    hub.faults.set('org/name/model.safetensors', { status: 429, headers: { 'retry-after': '1' }, times: 2 });
    await fetched();
    expect(asked('cdn')).toHaveLength(3);
  });

  test('and stays so', async () => {
    hub.refuse('org/name', 503);
    await expect(fetched()).rejects.toThrow(`hf:org/name: ${hub.endpoint} cannot be reached: it answers 503`);
    expect(hub.requests).toHaveLength(3);
  });

  test('or is not there', async () => {
    await expect(fetched('hf:org/name', { ...env, HF_ENDPOINT: 'http://127.0.0.1:9' })).rejects.toThrow(
      /^hf:org\/name: http:\/\/127\.0\.0\.1:9 cannot be reached: /,
    );
  });
});

describe('what the hub refuses', () => {
  test.each<[number, string, string]>([
    [
      401,
      'GatedRepo',
      'hf:org/name: gated: accept its conditions on ENDPOINT/org/name, and set HF_TOKEN to a token of yours',
    ],
    [
      401,
      'RepoNotFound',
      'hf:org/name: no such repository on ENDPOINT, or a private one: for that set HF_TOKEN',
    ],
    [
      404,
      'RepoNotFound',
      'hf:org/name: no such repository on ENDPOINT, or a private one: for that set HF_TOKEN',
    ],
    [418, 'Teapot', 'hf:org/name: ENDPOINT answers 418'],
  ])('%s %s', async (status, code, message) => {
    hub.refuse('org/name', status, code);
    await expect(fetched()).rejects.toThrow(message.replaceAll('ENDPOINT', hub.endpoint));
  });

  test('a revision that is not there', async () => {
    await expect(fetched('hf:org/name@v9')).rejects.toThrow(
      'hf:org/name@v9: the repository has no revision v9',
    );
  });

  test('a file that Xet alone keeps', async () => {
    hub.faults.set('org/name/model.safetensors', { status: 404, headers: { 'x-xet-hash': 'a' } });
    await expect(fetched()).rejects.toThrow('hf:org/name: model.safetensors is kept by Xet alone, and');
  });

  test('names that leave the cache', async () => {
    hub.put('org/name', { 'config.json': config, '../../../../evil.gguf': 'x' });
    const one = await hubFetch(env, hurried);
    const [planned] = await one.plan([{ given: 'hf:org/name', use: 'file' }]);
    const files = [
      { path: '../../../../evil.gguf', size: 1, hash: { kind: 'sha256' as const, hex: sha256 } },
    ];
    await expect(one.fetch({ ...planned!, files })).rejects.toThrow('which leaves the cache');
    expect(existsSync(path('evil.gguf'))).toBe(false);
  });
});

test.each(['1', 'true', 'YES', 'on'])('HF_HUB_OFFLINE=%s downloads nothing', async (HF_HUB_OFFLINE) => {
  await expect(fetched('hf:org/name', { ...env, HF_HUB_OFFLINE })).rejects.toThrow(
    `HF_HUB_OFFLINE=${HF_HUB_OFFLINE}: nothing is downloaded`,
  );
  expect(hub.requests).toEqual([]);
});

test('HF_ENDPOINT that is no address', async () => {
  await expect(fetched('hf:org/name', { ...env, HF_ENDPOINT: 'hub' })).rejects.toThrow(
    'HF_ENDPOINT: expected an address such as https://huggingface.co, found "hub"',
  );
});
