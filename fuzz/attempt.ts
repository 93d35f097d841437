/** One input read: what comes of it. Knows neither threads nor how the input was made. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../src/errors.ts';
import type { Format } from './format.ts';

/** Something that a reader must not do. */
export interface Fault {
  /** the same for inputs that show the same fault */
  readonly signature: string;
  readonly told: string;
}

/** Greatest memory that one input may leave behind in buffers. */
const mostBufferBytes = 2 ** 29;

/** Names of the frames of ours that an error came through, the innermost first. */
function framesOf(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const names = frames.map((line) => /at (?:async )?(?:new )?([\w.<>$#[\] ]+) \(/.exec(line)?.[1] ?? '?');
  const inner = frames.slice(0, 3).map((line) => /([\w.-]+)\.[jt]s:\d+/.exec(line)?.[1] ?? '');
  return [...new Set([...names.slice(0, 3), ...inner])].join(' ');
}

function faultOf(error: unknown): Fault | undefined {
  if (error instanceof InputError) return undefined;
  if (!(error instanceof Error)) return { signature: `throws ${typeof error}`, told: String(error) };
  const isBroken = error.name === 'Broken';
  const message = error.message.replaceAll(/\d+/g, 'N').replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return {
    signature: isBroken
      ? `Broken ${message.slice(0, 60)}`
      : `${error.name} ${message.slice(0, 40)} ${framesOf(error)}`,
    told: (error.stack ?? String(error)).split('\n').slice(0, 8).join('\n'),
  };
}

/** Writes the files into `folder`, which is emptied, and has the format read them. */
export async function attempt(
  format: Format,
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
): Promise<Fault | undefined> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) {
    if (name.includes('/')) mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  let fault: Fault | undefined;
  try {
    await format.read(folder);
  } catch (error) {
    fault = faultOf(error);
  }
  const { arrayBuffers } = process.memoryUsage();
  if (fault === undefined && arrayBuffers > mostBufferBytes)
    fault = { signature: 'memory', told: `${arrayBuffers} bytes in buffers` };
  return fault;
}
