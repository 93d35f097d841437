/**
 * One file of a study as the answer to a request: whole or a range of it, with a tag that changes when it
 * does. Follows no symbolic link.
 */
import { constants, type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from 'hono';

const types: Readonly<Record<string, string>> = {
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  yaml: 'text/plain; charset=utf-8',
  parquet: 'application/octet-stream',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/**
 * The file `path` in `folder`, which has no links in it itself; undefined where there is none, or only by a
 * link, or none that can be read.
 */
export async function openInside(folder: string, path: string): Promise<FileHandle | undefined> {
  const whole = join(folder, path);
  const parent = await realpath(dirname(whole)).catch(() => undefined);
  if (parent === undefined || !(whole.startsWith(folder + sep) && parent === dirname(whole)))
    return undefined;
  // A named pipe would wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(whole, flags).catch(() => undefined);
  if (handle === undefined || (await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

interface Range {
  readonly start: number;
  /** the last byte of it */
  readonly end: number;
}

/**
 * The one range that a header asks for; undefined for the whole file, as for what is no single range; null
 * where the file has none of it.
 */
function rangeOf(header: string | undefined, size: number): Range | undefined | null {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '')
    return Number(to) === 0 || size === 0 ? null : { start: Math.max(0, size - Number(to)), end: size - 1 };
  const [start, end] = [Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1)];
  if (to !== '' && Number(to) < start) return undefined;
  return start < size ? { start, end } : null;
}

/** Answers with a file, or undefined where there is none. */
export async function sendFile(c: Context, folder: string, path: string): Promise<Response | undefined> {
  const handle = await openInside(folder, path);
  if (handle === undefined) return undefined;
  const { size, mtimeMs, ino } = await handle.stat();
  const tag = `"${[size, Math.round(mtimeMs * 1000), ino].map((n) => n.toString(36)).join('-')}"`;
  c.header('ETag', tag);
  c.header('Accept-Ranges', 'bytes');
  c.header('Content-Type', types[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream');
  const ended = async (response: Response) => {
    await handle.close();
    return response;
  };
  // whoever was sent it compressed names it by the weak tag of the same bytes
  const known = c.req
    .header('if-none-match')
    ?.split(',')
    .map((one) => one.trim().replace(/^W\//, ''));
  if (known?.includes(tag)) return ended(c.body(null, 304));
  const unchanged = [undefined, tag].includes(c.req.header('if-range'));
  const range = unchanged ? rangeOf(c.req.header('range'), size) : undefined;
  if (range === null) {
    c.header('Content-Range', `bytes */${size}`);
    return ended(c.body(null, 416));
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  c.header('Content-Length', `${end - start + 1}`);
  if (range) c.header('Content-Range', `bytes ${start}-${end}/${size}`);
  const status = range ? 206 : 200;
  if (c.req.method === 'HEAD' || size === 0) return ended(c.body(null, status));
  return c.body(Readable.toWeb(handle.createReadStream({ start, end })) as ReadableStream, status);
}
