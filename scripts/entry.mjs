/**
 * Builds one TypeScript entry outside src/ into node_modules and runs it with the arguments given. Usage:
 * node scripts/entry.mjs FILE.ts [ARGS]
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';

const root = fileURLToPath(new URL('..', import.meta.url));
const [entry] = process.argv.splice(2, 1);
if (!entry) throw new Error('usage: node scripts/entry.mjs FILE.ts [ARGS]');
const outDir = join(root, 'node_modules', `.run-${entry.replaceAll('/', '-')}`);
rmSync(outDir, { recursive: true, force: true });
await build({
  config: false,
  cwd: root,
  entry: [entry],
  outDir,
  root,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  unbundle: true,
  fixedExtension: false,
  dts: false,
  logLevel: 'error',
  copy: [
    { from: 'src/runtime/worker.mjs', to: join(outDir, 'src', 'runtime') },
    { from: 'package.json', to: outDir },
  ],
});
await import(join(outDir, entry.replace(/\.ts$/, '.js')));
