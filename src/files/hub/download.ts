/**
 * Files of the hub into the cache. What arrived of a file stays beside it and is gone on with, by this process or
 * a later one; a file gets its name when its hash is right, and a snapshot its links when all of its files are
 * there.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, statfs, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import PQueue from 'p-queue';
import { InputError } from '../../errors.ts';
import { replaceFile, temporaryFor } from '../atomic.ts';
import { explained } from '../bytes.ts';
import { isThere, statIfThere } from '../ifThere.ts';
import { makeOnce } from '../madeOnce.ts';
import { type Environment, repositoryFolder } from './cache.ts';
import { type HubReference, pagePath } from './reference.ts';
import type { HubFile } from './selection.ts';
import { authorised, type HubServer, pause, refusalOf, Unreachable } from './server.ts';
import { sizeText } from './sizeText.ts';

/** Files that arrive side by side. */
const atOnce = 4;

export interface Download {
  readonly reference: HubReference;
  readonly commit: string;
  readonly files: readonly HubFile[];
}

export interface DownloadOptions {
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  /** told of bytes as they arrive, less those that turn out wrong */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

const blobOf = (folder: string, { hash }: HubFile) => join(folder, 'blobs', hash.hex);

/** The part of a file that has arrived. */
const partOf = (blob: string) => `${blob}.incomplete`;

/** How many bytes of these files are here already. */
export async function bytesHere({ reference, files }: Download, env: Environment): Promise<number> {
  const folder = repositoryFolder(reference, env);
  let bytes = 0;
  for (const file of files) {
    const blob = blobOf(folder, file);
    const found = (await statIfThere(blob)) ?? (await statIfThere(partOf(blob)));
    bytes += Math.min(file.size, found?.size ?? 0);
  }
  return bytes;
}

/**
 * Downloads what is missing; returns the path of what the reference names. Throws InputError where the hub refuses
 * a file or cannot be reached, a hash stays wrong, or the disk has no room.
 */
export async function downloadFiles(
  server: HubServer,
  wanted: Download,
  options: DownloadOptions,
): Promise<string> {
  const { reference, commit, files } = wanted;
  const folder = repositoryFolder(reference, options.env);
  const snapshot = join(folder, 'snapshots', commit);
  for (const { path } of files) checkWithin(snapshot, path, reference);
  await mkdir(join(folder, 'blobs'), { recursive: true }).catch((error: unknown) => {
    throw explained(error, folder);
  });
  await checkRoom(folder, wanted, options.env);
  const queue = new PQueue({ concurrency: atOnce });
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  await Promise.all(
    files.map((file) =>
      queue.add(async () => {
        signal.throwIfAborted();
        try {
          await intoBlob(server, wanted, file, blobOf(folder, file), { ...options, signal });
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      }),
    ),
  );
  for (const file of files) await link(blobOf(folder, file), join(snapshot, file.path));
  await writeRef(folder, reference, commit);
  return join(snapshot, reference.path);
}

function checkWithin(snapshot: string, path: string, { given }: HubReference): void {
  if (!resolve(snapshot, path).startsWith(snapshot + sep) || path.includes('\0'))
    throw new InputError(`${given}: the hub lists ${JSON.stringify(path)}, which leaves the cache`);
}

/** Throws InputError where the disk has not the room that is missing. */
async function checkRoom(folder: string, wanted: Download, env: Environment): Promise<void> {
  const all = wanted.files.reduce((sum, { size }) => sum + size, 0);
  const missing = all - (await bytesHere(wanted, env));
  const { bavail, bsize } = await statfs(folder);
  if (missing > bavail * bsize)
    throw new InputError(
      `${wanted.reference.given}: ${sizeText(missing)} are to be downloaded, and ${folder} has room for ${sizeText(bavail * bsize)}`,
    );
}

/** A link as huggingface_hub makes it, relative. */
async function link(blob: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(relative(dirname(path), blob), path);
}

async function writeRef(folder: string, { revision }: HubReference, commit: string): Promise<void> {
  if (revision === commit) return;
  const path = join(folder, 'refs', revision);
  await mkdir(dirname(path), { recursive: true });
  await replaceFile(path, async (file) => {
    await file.writeFile(commit);
  });
}

type Arriving = DownloadOptions & { readonly signal: AbortSignal };

async function intoBlob(
  server: HubServer,
  wanted: Download,
  file: HubFile,
  blob: string,
  options: Arriving,
): Promise<void> {
  await makeOnce(blob, {
    isReady: () => isThere(blob),
    async make() {
      // tells a later process that a lock is one of a process that was killed
      const mark = temporaryFor(blob);
      await (await open(mark, 'wx')).close();
      try {
        await arrive(server, wanted, file, partOf(blob), options);
        await rename(partOf(blob), blob);
      } catch (error) {
        throw explained(error, blob);
      } finally {
        await rm(mark, { force: true });
      }
    },
  });
}

/** Twice: what was wrong may have been left by a program that does not look. */
async function arrive(
  server: HubServer,
  { reference, commit }: Download,
  file: HubFile,
  part: string,
  options: Arriving,
): Promise<void> {
  const address = `${server.endpoint}/${pagePath(reference)}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
  for (let last = false; ; last = true) {
    const found = await wholeFile(server, address, file, part, { ...options, reference });
    if (found === file.hash.hex) return;
    await rm(part, { force: true });
    options.onBytes?.(-file.size);
    if (last)
      throw new InputError(
        `${reference.given}: ${file.path}: expected the ${file.hash.kind === 'git' ? 'git hash' : 'sha256'} ${file.hash.hex}, found ${found}, twice: what arrived was deleted`,
      );
  }
}

function emptyHash({ hash, size }: HubFile): Hash {
  return hash.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

/** Goes on with what is there until the file is whole; its hash. */
async function wholeFile(
  server: HubServer,
  address: string,
  file: HubFile,
  part: string,
  options: Arriving & { readonly reference: HubReference },
): Promise<string> {
  const { reference, signal, onBytes } = options;
  const { patience } = server;
  for (let repeat = 0; ; repeat++) {
    let hash = emptyHash(file);
    let from = (await statIfThere(part))?.size ?? 0;
    if (from > file.size) {
      await rm(part);
      onBytes?.(-file.size);
      from = 0;
    }
    if (from > 0) for await (const piece of createReadStream(part)) hash.update(piece as Buffer);
    if (from === file.size && from > 0) return hash.digest('hex');
    let got = 0;
    let why: string;
    try {
      const reply = await server.fetch(address, {
        headers: { ...authorised(server), ...(from > 0 && { range: `bytes=${from}-` }) },
        signal,
      });
      if (!reply.ok) throw refusedFile(server, reference, file, reply);
      const goesOn = reply.status === 206 && reply.headers.get('content-range')?.startsWith(`bytes ${from}-`);
      if (from > 0 && !goesOn) {
        hash = emptyHash(file);
        onBytes?.(-from);
        from = 0;
      }
      got = await append(reply, part, from, file, { hash, onBytes, signal, silenceMs: patience.silenceMs });
      if (from + got === file.size) return hash.digest('hex');
      why = `it ended after ${from + got} of ${file.size} bytes`;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Unreachable)
        throw new InputError(
          `${reference.given}: ${file.path}: ${server.endpoint} cannot be reached: ${error.message}`,
        );
      if (!(error instanceof Cut)) throw error;
      [got, why] = [error.got, error.message];
    }
    if (got > 0) repeat = 0;
    if (repeat >= patience.repeats)
      throw new InputError(
        `${reference.given}: ${file.path}: the download breaks off again and again (${why}): the same command goes on with it`,
      );
    await pause(patience, repeat, undefined, signal);
  }
}

function refusedFile(server: HubServer, reference: HubReference, file: HubFile, reply: Response): InputError {
  if (reply.headers.has('x-xet-hash') && [404, 415, 501].includes(reply.status))
    return new InputError(
      `${reference.given}: ${file.path} is kept by Xet alone, and ${server.endpoint} does not hand it out as a file: download it with \`hf download ${reference.name} ${file.path}\``,
    );
  return refusalOf(server, reference, reply.status, reply.headers.get('x-error-code'));
}

/** A download that broke off, and how much of it came. */
class Cut extends Error {
  constructor(
    readonly got: number,
    cause: unknown,
  ) {
    super((cause as Error).message, { cause });
  }
}

interface Appending {
  readonly hash: Hash;
  readonly onBytes: ((bytes: number) => void) | undefined;
  readonly signal: AbortSignal;
  readonly silenceMs: number;
}

/** Writes what arrives behind the first `from` bytes; how much that was. Throws Cut, or the disk's error. */
async function append(
  reply: Response,
  part: string,
  from: number,
  file: HubFile,
  { hash, onBytes, signal, silenceMs }: Appending,
): Promise<number> {
  const out = await open(part, from > 0 ? 'r+' : 'w');
  let got = 0;
  const reader = reply.body!.getReader();
  const stop = () => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      const piece = await nextPiece(reader, silenceMs).catch((error: unknown) => {
        throw new Cut(got, error);
      });
      signal.throwIfAborted();
      if (piece === undefined) break;
      if (from + got + piece.length > file.size)
        throw new InputError(`${reply.url.split('?')[0]}: expected ${file.size} bytes, found more`);
      await out.write(piece, 0, piece.length, from + got);
      hash.update(piece);
      got += piece.length;
      onBytes?.(piece.length);
    }
    await out.sync();
    return got;
  } finally {
    signal.removeEventListener('abort', stop);
    await reader.cancel().catch(() => undefined);
    await out.close();
  }
}

/** The next bytes; undefined at the end. Throws where none come for too long. */
async function nextPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  silenceMs: number,
): Promise<Uint8Array | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no byte for ${silenceMs / 1000} s`)), silenceMs);
  });
  try {
    return (await Promise.race([reader.read(), silence])).value;
  } finally {
    clearTimeout(timer);
  }
}
