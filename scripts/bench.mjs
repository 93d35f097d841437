/** Builds and runs the benchmarks of bench/. Needs ../shared for the real model. Quote ratios from one run. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = join(root, 'node_modules', '.bench');
rmSync(outDir, { recursive: true, force: true });
await build({
  config: false,
  cwd: root,
  entry: ['bench/main.ts'],
  outDir,
  root,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  unbundle: true,
  fixedExtension: false,
  dts: false,
  logLevel: 'error',
  copy: [{ from: 'src/runtime/worker.mjs', to: join(outDir, 'src', 'runtime') }],
});
await import(join(outDir, 'bench', 'main.js'));
