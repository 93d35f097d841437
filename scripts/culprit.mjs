/** Runs the command line from a checkout, building first where the build is missing or older than the source. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import lockfile from 'proper-lockfile';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const stamp = join(dist, '.source');
const main = join(dist, 'cli', 'main.js');

/** Names, sizes and times of all that the build reads. */
function sourceState() {
  const hash = createHash('sha256');
  for (const name of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).sort()) {
    const { size, mtimeMs } = statSync(join(root, 'src', name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  for (const name of ['package.json', 'tsdown.config.ts', 'tsconfig.json'])
    hash.update(readFileSync(join(root, name)));
  return hash.digest('hex');
}

/** @param {string} state */
const isCurrent = (state) => existsSync(main) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state;

/** @param {string} state */
function build(state) {
  const tsdown = join(root, 'node_modules', 'tsdown', 'dist', 'run.mjs');
  // Without the declarations, which the command does not need and which take most of a build.
  const args = [tsdown, '--log-level', 'error', '--no-dts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\nculprit: the build failed\n`);
    process.exit(1);
  }
  writeFileSync(stamp, state);
}

const state = sourceState();
if (!isCurrent(state)) {
  mkdirSync(dist, { recursive: true });
  const release = await lockfile.lock(root, {
    lockfilePath: join(root, 'node_modules', '.culprit-build.lock'),
    stale: 60_000,
    retries: { retries: 600, minTimeout: 200, maxTimeout: 200 },
  });
  if (!isCurrent(state)) build(state);
  await release();
}
await import(main);
