import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/cli/main.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  unbundle: true,
  fixedExtension: false,
  dts: true,
  clean: ['dist/*', '!dist/web'],
  copy: [
    { from: 'src/runtime/worker.mjs', to: 'dist/runtime' },
    { from: 'src/judges/templates', to: 'dist/judges' },
  ],
});
