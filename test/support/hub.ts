/**
 * A server that speaks as much of the Hugging Face hub's protocol as downloads need, with its faults on demand: a
 * second address stands for the network that large files come from.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const commit = '0123456789abcdef0123456789abcdef01234567';

/** What goes wrong with a path of a repository. */
export interface Fault {
  /** the connection is cut after so many bytes of each reply */
  readonly cutAfter?: number;
  /** so many replies only */
  readonly times?: number;
  /** status instead of the file */
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** other bytes than those that were listed */
  readonly wrong?: boolean;
  /** not a byte after the headers */
  readonly silent?: boolean;
  /** ranges are not understood */
  readonly noRanges?: boolean;
}

export interface HubRequest {
  readonly host: 'hub' | 'cdn';
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

export interface FakeHub {
  readonly endpoint: string;
  /** what was asked for, in order */
  readonly requests: HubRequest[];
  /** by `org/name/path` */
  readonly faults: Map<string, Fault>;
  /** files of each repository, models by `org/name`, datasets by `datasets/org/name` */
  put(repository: string, files: Readonly<Record<string, string | Buffer>>): void;
  /** answers all questions about a repository so; 0 as before */
  refuse(repository: string, status: number, code?: string): void;
  close(): Promise<void>;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
export const gitHash = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Large files are kept apart from git. */
const isLarge = (path: string) => /\.(safetensors|gguf|npz|pt|bin)$/.test(path);

async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function fakeHub(): Promise<FakeHub> {
  const repositories = new Map<string, Map<string, Buffer>>();
  const refusals = new Map<string, { status: number; code?: string | undefined }>();
  const faults = new Map<string, Fault>();
  const requests: HubRequest[] = [];
  const note = (host: HubRequest['host'], { url, headers }: IncomingMessage) =>
    requests.push({ host, url: url!, authorization: headers.authorization, range: headers.range });

  const json = (response: ServerResponse, value: unknown) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value));

  function fail(response: ServerResponse, status: number, code?: string): unknown {
    response.statusCode = status;
    if (code) response.setHeader('x-error-code', code);
    return json(response, { error: code === 'GatedRepo' ? 'Access to model is restricted: gated' : code });
  }

  /** The fault of this reply. */
  function faultOf(key: string): Fault {
    const fault = faults.get(key);
    if (fault?.times === undefined) return fault ?? {};
    if (fault.times === 0) return {};
    faults.set(key, { ...fault, times: fault.times - 1 });
    return fault;
  }

  function sendFile(request: IncomingMessage, response: ServerResponse, key: string, whole: Buffer): unknown {
    const fault = faultOf(key);
    if (fault.status !== undefined) return response.writeHead(fault.status, fault.headers).end();
    const bytes = fault.wrong ? Buffer.from(whole.map((byte) => byte ^ 1)) : whole;
    const asked = fault.noRanges ? null : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const from = asked ? Number(asked[1]) : 0;
    if (asked) {
      response.statusCode = 206;
      response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
    }
    const part = bytes.subarray(from);
    response.setHeader('content-length', part.length);
    response.flushHeaders();
    if (fault.silent) return undefined;
    if (fault.cutAfter === undefined || fault.cutAfter >= part.length) return response.end(part);
    return response.write(part.subarray(0, fault.cutAfter), () => setTimeout(() => response.destroy(), 20));
  }

  function answer(request: IncomingMessage, response: ServerResponse): unknown {
    note('hub', request);
    const { pathname } = new URL(request.url!, 'http://hub');
    const api = /^\/api\/(models|datasets)\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)/.exec(pathname);
    const file = /^\/((?:datasets\/)?[^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
    const repository = api ? `${api[1] === 'datasets' ? 'datasets/' : ''}${api[2]}` : file?.[1];
    const refusal = refusals.get(repository ?? '');
    if (refusal) return fail(response, refusal.status, refusal.code);
    const files = repositories.get(repository ?? '');
    if (!files) return fail(response, 404, 'RepoNotFound');
    const revision = decodeURIComponent(api?.[4] ?? file![2]!);
    if (!['main', 'refs/pr/1', commit].includes(revision)) return fail(response, 404, 'RevisionNotFound');
    if (api?.[3] === 'revision') return json(response, { _id: 'x', id: api[2], sha: commit });
    if (api) {
      const entries = [...files].map(([path, bytes]) => ({
        type: 'file',
        path,
        size: bytes.length,
        oid: gitHash(bytes),
        ...(isLarge(path) && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
      }));
      return json(response, [{ type: 'directory', path: 'folder', size: 0, oid: '' }, ...entries]);
    }
    const path = decodeURIComponent(file![3]!);
    const bytes = files.get(path);
    if (!bytes) return fail(response, 404, 'EntryNotFound');
    if (!isLarge(path)) return sendFile(request, response, `${repository}/${path}`, bytes);
    return response.writeHead(302, { location: `${cdnAddress}/${repository}/${path}` }).end();
  }

  const cdn = createServer((request, response) => {
    note('cdn', request);
    const [, repository, path] = /^\/((?:datasets\/)?[^/]+\/[^/]+)\/(.+)$/.exec(request.url!)!;
    sendFile(request, response, `${repository}/${path}`, repositories.get(repository!)!.get(path!)!);
  });
  const hub = createServer(answer);
  const cdnAddress = await listening(cdn);
  const endpoint = await listening(hub);
  return {
    endpoint,
    requests,
    faults,
    put: (repository, files) =>
      void repositories.set(
        repository,
        new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)])),
      ),
    refuse(repository, status, code) {
      if (status === 0) refusals.delete(repository);
      else refusals.set(repository, { status, code });
    },
    async close() {
      for (const server of [hub, cdn]) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  };
}
