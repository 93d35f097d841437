/**
 * Compiles sources of the project to plain JavaScript, so that a test can run them in a process of its own.
 */
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'tsdown';

const src = resolve(import.meta.dirname, '../../src');

/**
 * Compiles the modules `entries` (paths in src/), with all that they import, into `folder`; gives the
 * modules' URLs.
 */
export async function bundle(entries: readonly string[], folder: string): Promise<string[]> {
  await build({
    config: false,
    entry: entries.map((name) => resolve(src, name)),
    outDir: folder,
    format: 'esm',
    dts: false,
    noExternal: [/./],
    logLevel: 'silent',
  });
  return entries.map((name) => pathToFileURL(resolve(folder, `${basename(name, '.ts')}.mjs`)).href);
}
