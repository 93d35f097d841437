/**
 * Runs the command line from a checkout, building first where the build is missing or older than the
 * source.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import lockfile from 'proper-lockfile';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const main = join(dist, 'cli', 'main.js');

/**
 * What is built from what, by which command of which package.
 * @typedef {{ name: string, made: string, from: string[], reads: (source: string) => boolean, script:
 *   string, args: string[] }} Part
 * @type {Part[]}
 */
const parts = [
  {
    name: 'commands',
    made: main,
    from: ['package.json', 'tsdown.config.ts', 'tsconfig.json'],
    reads: (source) => !source.startsWith('web'),
    // Without the declarations, which the command does not need and which take most of a build.
    script: 'tsdown/dist/run.mjs',
    args: ['--log-level', 'error', '--no-dts'],
  },
  {
    name: 'web',
    made: join(dist, 'web', 'index.html'),
    from: ['package.json', 'vite.config.ts'],
    reads: (source) => /^(web|figure|results|errors|tensor)/.test(source),
    script: 'vite/bin/vite.js',
    args: ['build', '--logLevel', 'error'],
  },
];

/** @param {Part} part */
const stampOf = ({ name }) => join(root, 'node_modules', `.culprit-${name}`);

/**
 * Names, sizes and times of all that a part's build reads.
 * @param {Part} part
 */
function sourceState({ from, reads }) {
  const hash = createHash('sha256');
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  for (const name of sources.filter(reads).sort()) {
    const { size, mtimeMs } = statSync(join(root, 'src', name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  for (const name of from) hash.update(readFileSync(join(root, name)));
  return hash.digest('hex');
}

/** @param {Part} part */
function isCurrent(part) {
  const stamp = stampOf(part);
  return existsSync(part.made) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceState(part);
}

/** @param {Part} part */
function build(part) {
  const state = sourceState(part);
  const run = [join(root, 'node_modules', part.script), ...part.args];
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\nculprit: the build failed\n`);
    process.exit(1);
  }
  writeFileSync(stampOf(part), state);
}

if (!parts.every(isCurrent)) {
  mkdirSync(dist, { recursive: true });
  const release = await lockfile.lock(root, {
    lockfilePath: join(root, 'node_modules', '.culprit-build.lock'),
    stale: 60_000,
    retries: { retries: 600, minTimeout: 200, maxTimeout: 200 },
  });
  for (const part of parts) if (!isCurrent(part)) build(part);
  await release();
}
// npm runs a script in the package's folder; paths are meant from where npm was called.
const { INIT_CWD: called, npm_lifecycle_event: script } = process.env;
if (called && (script === 'culprit' || script === 'start') && existsSync(called)) process.chdir(called);
await import(main);
