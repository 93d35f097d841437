/** What of steered.jsonl is about one latent, as the answer to a request. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { linesType, parseJsonIf } from '../../results.ts';
import { openInside } from './sendFile.ts';

/** A trial along another direction; what cannot be read is not, for whoever asks is to be told of it. */
function isElsewhere(line: string, latent: number): boolean {
  const value = parseJsonIf(line);
  if (typeof value !== 'object' || value === null) return false;
  const [kind, direction, own] = ['kind', 'direction', 'latent'].map((name) => Reflect.get(value, name));
  if (kind !== 'trial') return kind === 'forced';
  return direction !== null && own !== latent;
}

/**
 * The file's lines, of which those that are not about the latent are blank; undefined where there is none. A line
 * keeps its number.
 */
export async function sendTrials(
  c: Context,
  folder: string,
  path: string,
  latent: number,
): Promise<Response | undefined> {
  const handle = await openInside(folder, path);
  if (handle === undefined) return undefined;
  async function* kept() {
    const input = handle!.createReadStream();
    try {
      for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))
        yield isElsewhere(line, latent) ? '\n' : `${line}\n`;
    } finally {
      // whoever goes away in the midst leaves the rest unread
      input.destroy();
    }
  }
  c.header('Content-Type', linesType);
  return c.body(Readable.toWeb(Readable.from(kept(), { objectMode: false })) as ReadableStream);
}
