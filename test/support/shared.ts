/**
 * The reference material outside the project (../shared): real model, goldens, fixtures. A test that needs
 * it says so by `describe.skipIf(!shared)`, and is counted as skipped where the folder is absent.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../../shared');

/** The folder, or undefined on a machine that lacks it. */
export const shared: string | undefined = existsSync(join(folder, 'METHOD.md')) ? folder : undefined;

/** A path inside the shared folder. Only call where `shared` is defined. */
export function inShared(...parts: string[]): string {
  return join(folder, ...parts);
}

let model: string | undefined;

/** The folder of the real model; installs it on first use. */
export function realModel(): string {
  model ??= execFileSync(inShared('get-model'), { encoding: 'utf8' }).trim();
  return model;
}
