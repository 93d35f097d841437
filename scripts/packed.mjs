/**
 * Tries the package as others get it: `npm pack`, then the tarball in an empty project, with its programs, its
 * library and its types, on each version of Node that is asked for.
 *
 * Usage: node scripts/packed.mjs [--built] [VERSION...]
 *   --built   take dist/ as it is
 *   VERSION   versions of Node besides the one that runs this, from npm, on Linux: 22 24
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [built, versions] = [
  process.argv.includes('--built'),
  process.argv.slice(2).filter((v) => /^\d/.test(v)),
];
const folder = mkdtempSync(join(tmpdir(), 'culprit-packed-'));

/**
 * Runs a program of the Node of a folder; gives what it printed.
 * @param {string} cwd
 * @param {string} bin
 * @param {string} program
 * @param {string[]} args
 */
const run = (cwd, bin, program, ...args) =>
  execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  });

/** @param {string} cwd */
function emptyProject(cwd) {
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  return cwd;
}

/**
 * The folder of a version of Node's program.
 * @param {string} version
 */
function nodeOf(version) {
  const cwd = emptyProject(join(folder, `node-${version}`));
  const name = `node-linux-${process.arch}`;
  run(cwd, '', 'npm', 'install', '--no-audit', '--no-fund', `${name}@${version}`);
  return join(cwd, 'node_modules', name, 'bin');
}

function tarball() {
  if (built) {
    run(root, '', process.execPath, join(root, 'scripts', 'pack.mjs'), 'ship');
    run(root, '', 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
    run(root, '', process.execPath, join(root, 'scripts', 'pack.mjs'), 'clean');
  } else run(root, '', 'npm', 'pack', '--pack-destination', folder);
  const name = readdirSync(folder).find((one) => one.endsWith('.tgz'));
  if (name === undefined) throw new Error(`npm pack wrote no tarball into ${folder}`);
  return join(folder, name);
}

/**
 * @param {string} tgz
 * @param {string} bin
 */
function tryOn(tgz, bin) {
  const node = join(bin, 'node');
  const version = run(folder, bin, node, '--version').trim();
  const cwd = emptyProject(join(folder, `empty-${version}`));
  run(cwd, bin, 'npm', 'install', '--no-audit', '--no-fund', tgz);
  const culprit = join(cwd, 'node_modules', '.bin', 'culprit');
  const bundle = join(cwd, 'node_modules', 'culprit', 'organism', 'bundle');
  const steer = [
    '--latent',
    '320',
    '--dose',
    '-0.2',
    '--samples',
    '1',
    '--max-tokens',
    '8',
    '--prompt',
    'Why?',
  ];
  const model = ['--model', join(bundle, 'model'), '--sae', join(bundle, 'sae')];
  run(cwd, bin, culprit, '--version');
  run(cwd, bin, culprit, 'steer', ...model, ...steer);
  cpSync(join(root, 'test', 'examples'), join(cwd, 'examples'), { recursive: true });
  const checks = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  const types = ['--typeRoots', join(root, 'node_modules', '@types'), '--skipLibCheck'];
  const examples = readdirSync(join(cwd, 'examples')).map((name) => join('examples', name));
  run(
    cwd,
    bin,
    node,
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    ...checks,
    ...types,
    ...examples,
  );
  process.stdout.write(`packed: installed, ran and type-checked on Node ${version}\n`);
}

try {
  const tgz = tarball();
  for (const bin of [dirname(process.execPath), ...versions.map(nodeOf)]) tryOn(tgz, bin);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
