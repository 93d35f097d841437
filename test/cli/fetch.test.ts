/** `culprit fetch` and `--download`, with a server that speaks the hub's protocol. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { culprit, start } from '../support/cli.ts';
import { temporaryFolder } from '../support/folder.ts';
import { commit, type FakeHub, fakeHub } from '../support/hub.ts';
import { putAll } from '../support/tinyFolder.ts';
import { putStudy } from '../support/tinyStudy.ts';

const path = temporaryFolder();
const large = Buffer.alloc(3_000_000, 7);
let hub: FakeHub;
let env: Record<string, string>;
beforeEach(async () => {
  hub = await fakeHub();
  env = { HF_ENDPOINT: hub.endpoint, HF_HOME: path('home') };
});
afterEach(() => hub.close());

const snapshot = (repository: string) => path('home', 'hub', repository, 'snapshots', commit);

describe('culprit fetch', () => {
  test('shows what would come, and then where it lies', async () => {
    hub.put('org/name', { 'config.json': '{}', 'model.safetensors': large, 'README.md': 'x' });
    const shown = await culprit(['fetch', 'hf:org/name', '--dry-run'], env);
    expect(shown).toMatchObject({
      code: 0,
      stdout: 'hf:org/name: model, 2 files, 3.0 MB\n  config.json\n  model.safetensors\n',
    });
    expect(existsSync(path('home'))).toBe(false);
    const done = await culprit(['fetch', 'hf:org/name'], env);
    expect(done).toMatchObject({ code: 0, stdout: `hf:org/name: ${snapshot('models--org--name')}\n` });
    expect(done.stderr).toMatch(/^hf:org\/name: model, 2 files, 3\.0 MB\nhf:org\/name, MB: 3 of 3/);
    expect(readdirSync(snapshot('models--org--name')).sort()).toEqual(['config.json', 'model.safetensors']);
  });

  test('goes on where a killed one stopped', async () => {
    hub.put('org/name', { 'a.gguf': large });
    hub.faults.set('org/name/a.gguf', { cutAfter: 1_000_000, times: 1 });
    const first = start(['fetch', 'hf:org/name'], env);
    await expect
      .poll(() => hub.requests.filter(({ host }) => host === 'cdn').length, { timeout: 60_000 })
      .toBe(1);
    const blobs = path('home', 'hub', 'models--org--name', 'blobs');
    await expect
      .poll(() => readdirSync(blobs).some((name) => name.endsWith('.incomplete')), { timeout: 20_000 })
      .toBe(true);
    hub.faults.set('org/name/a.gguf', { silent: true });
    first.child.kill('SIGKILL');
    await first.ended;
    hub.faults.clear();
    const before = hub.requests.length;
    expect(await culprit(['fetch', 'hf:org/name'], env)).toMatchObject({ code: 0 });
    const [asked] = hub.requests.slice(before).filter(({ host }) => host === 'cdn');
    expect(asked!.range).toMatch(/^bytes=\d+-$/);
    expect(readFileSync(join(snapshot('models--org--name'), 'a.gguf')).equals(large)).toBe(true);
  }, 120_000);

  test.each<[string, string[], string]>([
    ['a reference of another form', ['hf:name'], 'expected hf:[datasets/]ORG/NAME'],
    ['a repository that is not there', ['hf:org/none'], 'no such repository'],
    ['--as with a study', ['study', '--as', 'model'], '--as: expected references'],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await culprit(['fetch', ...args], env);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

test('a study whose parts are on the hub runs once they are here, without the hub', async () => {
  const tiny = await putAll(path('tiny'));
  const read = (folder: string) =>
    Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  hub.put('org/model', read(tiny.model));
  hub.put('org/lora', read(tiny.adapter));
  hub.put(
    'org/saes',
    Object.fromEntries(Object.entries(read(tiny.sae)).map(([n, b]) => [`layer_1/${n}`, b])),
  );
  const study = putStudy(path('study'), tiny, {
    subject: { model: 'hf:org/model', adapter: 'hf:org/lora' },
    sae: { path: 'hf:org/saes/layer_1' },
  });
  const refused = await culprit(['run', study, '--until', 'attribute'], env);
  expect(refused).toMatchObject({
    code: 2,
    stderr: `culprit: hf:org/model, hf:org/lora, hf:org/saes/layer_1: not in the Hugging Face cache: run \`culprit fetch ${study}\`, or \`culprit run ${study} --download\`\n`,
  });
  const ran = await culprit(['run', study, '--until', 'attribute', '--download'], env);
  expect(ran.stderr).toContain('hf:org/saes/layer_1: dictionary, ');
  expect(ran.code).toBe(0);
  const offline = { HF_HOME: path('home'), HF_HUB_OFFLINE: '1' };
  const again = await culprit(['run', study, '--until', 'attribute'], offline);
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('(already done)');
}, 120_000);
