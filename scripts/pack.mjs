/**
 * What `npm pack` needs before and after: the build, and with it ONNX Runtime's binding for Node.
 *
 * The binding travels inside the package, in dist/node_modules, where Node finds it from dist and nowhere
 * else. As a dependency, its install script would load CUDA's libraries from outside npm on Linux, which
 * culprit never uses, and where that fails the installation does. The copy has no such script.
 *
 * Usage: node scripts/pack.mjs prepare | ship | clean; `ship` takes the build as it is
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const name = 'onnxruntime-node';
const installed = join(root, 'node_modules', name);
const shipped = join(root, 'dist', 'node_modules');

/**
 * @param {string} command
 * @param {string[]} args
 */
const npm = (command, ...args) =>
  execFileSync('npm', [command, ...args], {
    cwd: root,
    // what npm pack prints on standard output is the name of its file
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });

/** @param {string} path */
const isShipped = (path) =>
  // the same library twice: the binding asks for the other name
  !/[\\/]libonnxruntime\.\d+\.\d+\.\d+\.dylib$/.test(path) && !/\.(d\.ts|map)$/.test(path);

function shipBinding() {
  const to = join(shipped, name);
  mkdirSync(to, { recursive: true });
  for (const folder of ['bin', 'dist'])
    cpSync(join(installed, folder), join(to, folder), { recursive: true, filter: isShipped });
  cpSync(join(installed, 'README.md'), join(to, 'README.md'));
  const { version, license, repository, description, main } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  );
  const kept = { name, version, license, repository, description, main };
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(kept, undefined, 2)}\n`);
}

const [what] = process.argv.slice(2);
if (what === 'prepare') {
  if (!existsSync(installed)) npm('ci', '--no-audit', '--no-fund');
  npm('run', '-s', 'build');
  shipBinding();
} else if (what === 'ship') shipBinding();
else if (what === 'clean') rmSync(shipped, { recursive: true, force: true });
else throw new Error('usage: node scripts/pack.mjs prepare | ship | clean');
