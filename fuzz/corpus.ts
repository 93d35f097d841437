/** Inputs that once showed a fault, kept as small files that a test reads again: test/fuzz/corpus. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

interface Stored {
  /** what the fault was, when it was found */
  readonly found: string;
  /** a file's text, or its bytes zipped and in base 64 */
  readonly files: Readonly<Record<string, string | { readonly gzip: string }>>;
}

export interface Case {
  readonly format: string;
  readonly name: string;
  readonly found: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Texts above this are zipped. */
const longestText = 1000;

function stored(bytes: Uint8Array): string | { gzip: string } {
  const text = Buffer.from(bytes).toString();
  const isText =
    bytes.length <= longestText && Buffer.from(text).equals(bytes) && !/[^\n\x20-\x7e]/.test(text);
  return isText ? text : { gzip: gzipSync(bytes, { level: 9 }).toString('base64') };
}

export function saveCase(
  corpus: string,
  format: string,
  found: string,
  files: ReadonlyMap<string, Uint8Array>,
): string {
  const held = Object.fromEntries([...files].map(([name, bytes]) => [name, stored(bytes)]));
  const name = createHash('sha256').update(JSON.stringify(held)).digest('hex').slice(0, 10);
  mkdirSync(join(corpus, format), { recursive: true });
  const path = join(corpus, format, `${name}.json`);
  writeFileSync(path, `${JSON.stringify({ found, files: held } satisfies Stored, undefined, 2)}\n`);
  return path;
}

/** Every case, by format and name. */
export function casesIn(corpus: string): Case[] {
  return readdirSync(corpus).flatMap((format) =>
    readdirSync(join(corpus, format)).map((name) => {
      const { found, files } = JSON.parse(readFileSync(join(corpus, format, name), 'utf8')) as Stored;
      const bytes = Object.entries(files).map(
        ([path, held]) =>
          [
            path,
            typeof held === 'string' ? Buffer.from(held) : gunzipSync(Buffer.from(held.gzip, 'base64')),
          ] as const,
      );
      return { format, name, found, files: new Map(bytes) };
    }),
  );
}
