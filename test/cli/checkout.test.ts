/**
 * `scripts/culprit.mjs` in a checkout without a build: it builds what it needs, once, silently, and again
 * when the source has changed.
 */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNode } from '../support/cli.ts';

const root = resolve(import.meta.dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'culprit-checkout-'));
const log = join(copy, 'builds.log');

/** A package that links to the real one's files, but for one of them. */
function linkPackage(name: string, replaced: string, text: string): void {
  const [from, to] = [root, copy].map((folder) => join(folder, 'node_modules', name)) as [string, string];
  mkdirSync(join(to, 'dist'), { recursive: true });
  symlinkSync(join(from, 'package.json'), join(to, 'package.json'));
  for (const file of readdirSync(join(from, 'dist')))
    if (file !== replaced) symlinkSync(join(from, 'dist', file), join(to, 'dist', file));
  writeFileSync(join(to, 'dist', replaced), text);
}

beforeAll(() => {
  for (const name of [
    'package.json',
    'tsconfig.json',
    'tsdown.config.ts',
    'vite.config.ts',
    'scripts',
    'src',
  ])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  mkdirSync(join(copy, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== 'tsdown' && !name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  const real = join(root, 'node_modules', 'tsdown', 'dist', 'run.mjs');
  const counted = `import { appendFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(log)}, 'built\\n');
await import(${JSON.stringify(real)});
`;
  linkPackage('tsdown', 'run.mjs', counted);
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const run = () => startNode([join(copy, 'scripts', 'culprit.mjs'), '--version']).ended;
const builds = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0);

it('two at once build once and say only what they were asked; a change of the source builds again', async () => {
  const { version } = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'));
  const said = { code: 0, stdout: `${version}\n`, stderr: '' };
  expect(builds()).toBe(0);
  for (const ended of await Promise.all([run(), run()])) expect(ended).toMatchObject(said);
  expect(builds()).toBe(1);
  expect(await run()).toMatchObject(said);
  expect(builds()).toBe(1);
  appendFileSync(join(copy, 'src', 'errors.ts'), '\nexport const added = true;\n');
  expect(await run()).toMatchObject(said);
  expect(builds()).toBe(2);
});

it('the web app is built beside the commands, again when its own source has changed, and then alone', async () => {
  const page = join(copy, 'dist', 'web', 'index.html');
  expect(readdirSync(join(copy, 'dist', 'web')).sort()).toEqual(['app.css', 'app.js', 'index.html']);
  const before = builds();
  writeFileSync(page, 'old');
  appendFileSync(join(copy, 'src', 'web', 'theme.css'), '\n');
  expect(await run()).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(page, 'utf8')).toMatch('app.js');
  expect(builds()).toBe(before);
});

it('paths are meant from where npm was called, not from the package that it runs the script in', async () => {
  const called = join(copy, 'called');
  mkdirSync(called);
  const asNpm = { INIT_CWD: called, npm_lifecycle_event: 'culprit' };
  const init = startNode([join(copy, 'scripts', 'culprit.mjs'), 'init', 'mine'], asNpm);
  expect(await init.ended).toMatchObject({ code: 0 });
  expect(existsSync(join(called, 'mine', 'study.yaml'))).toBe(true);
});

it('a source that does not build is told, with an exit code other than 0, and built once it is mended', async () => {
  const before = readFileSync(join(copy, 'src', 'errors.ts'), 'utf8');
  writeFileSync(join(copy, 'src', 'errors.ts'), 'export const = 1;\n');
  const broken = await run();
  expect(broken.code).toBe(1);
  expect(broken.stderr).toMatch(/errors\.ts/);
  expect(broken.stderr).toMatch(/\nculprit: the build failed\n$/);
  writeFileSync(join(copy, 'src', 'errors.ts'), before);
  expect(await run()).toMatchObject({ code: 0, stderr: '' });
});
