/** What a run records about itself. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Manifest } from '../../results.ts';
import { type HeldFiles, heldFiles } from './heldFiles.ts';

function versionIn(packageJson: string | URL): string {
  return (JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }).version;
}

const installed = createRequire(import.meta.url);

/** Versions of culprit and of what computes for it. */
export const versions: Record<string, string> = {
  culprit: versionIn(new URL('../../../package.json', import.meta.url)),
  node: process.versions.node,
  'onnxruntime-node': versionIn(installed.resolve('onnxruntime-node/package.json')),
};

/** Absolute paths of the inputs that are given, with the hashes of their contents, which `held` then guards. */
export async function hashInputs(
  paths: Readonly<Record<string, string | undefined>>,
  held: HeldFiles = heldFiles(),
): Promise<Manifest['inputs']> {
  const given = Object.entries(paths).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, path] as const],
  );
  const hashed = given.map(async ([name, path]) => [
    name,
    { path: resolve(path), sha256: await held.hash(path) },
  ]);
  return Object.fromEntries(await Promise.all(hashed));
}

/** What time it is. */
export type Clock = () => Date;
export const systemClock: Clock = () => new Date();

const two = (x: number) => String(x).padStart(2, '0');

/** A date as templates see it, in local time: 2024-07-26T14:05:00. */
export const dateText = (date: Date): string =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** Seconds by part of the work. */
export class Timings {
  readonly seconds: Record<string, number> = {};

  constructor(private readonly clock: Clock) {}

  /** Runs a part and adds its time. */
  async of<T>(part: string, work: () => Promise<T>): Promise<T> {
    const start = this.clock().getTime();
    try {
      return await work();
    } finally {
      this.seconds[part] = (this.seconds[part] ?? 0) + (this.clock().getTime() - start) / 1000;
    }
  }
}
