/**
 * A server that answers as `culprit view` does, of studies in memory: what a study's files hold, how far it is
 * and what steering says are the test's to choose, and it can go away and come back.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { SteerBody, SteerLine, StudyProgress } from '../../../src/results.ts';
import { builtApp } from './servedPage.ts';

export interface FakeView {
  /** with the token */
  readonly url: string;
  /** by path; changed ones are told */
  readonly files: Map<string, string | ArrayBuffer>;
  progress: StudyProgress;
  /** what steering says */
  steer: (body: SteerBody) => readonly SteerLine[];
  /** every request to steer */
  readonly asked: SteerBody[];
  /** paths that are answered with 500 */
  readonly broken: Set<string>;
  /** Tells all that listen what there is now. */
  tell(): void;
  leave(): Promise<void>;
  /** to the same port; nothing where it is there */
  comeBack(): Promise<void>;
}

const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
const api = '/api/studies';

export async function fakeView(files: Readonly<Record<string, string | ArrayBuffer>>): Promise<FakeView> {
  const app = await builtApp();
  const listeners = new Set<ServerResponse>();
  let stamp = 0;
  const held = new Map(Object.entries(files));
  const listed = () =>
    Array.from(held, ([path, content]) => ({
      path,
      size: Buffer.from(content as string).length,
      modified: stamp,
    }));
  const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const view: FakeView = {
    url: '',
    files: held,
    progress: { stages: [], running: false },
    steer: () => [],
    asked: [],
    broken: new Set(),
    tell() {
      stamp++;
      for (const reply of listeners) tellOne(reply);
    },
    async leave() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      listeners.clear();
    },
    async comeBack() {
      if (server.listening) return;
      server = made().listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
  const tellOne = (reply: ServerResponse) => {
    reply.write(event('files', { files: listed() }));
    reply.write(event('status', view.progress));
  };

  function answer(path: string, reply: ServerResponse): void {
    const json = (value: unknown) =>
      reply.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
    if (path === api) return void json({ studies: [{ id: 'made', name: 'made', folder: '/made' }] });
    if (path === `${api}/made/files`) return void json({ files: listed() });
    if (path === `${api}/made/events`) {
      reply.writeHead(200, { 'Content-Type': 'text/event-stream' });
      listeners.add(reply);
      tellOne(reply);
      return;
    }
    const file = path.startsWith(`${api}/made/files/`) ? path.slice(`${api}/made/files/`.length) : undefined;
    if (file !== undefined) {
      const content = held.get(file);
      if (view.broken.has(file) || content === undefined)
        return void reply.writeHead(content === undefined ? 404 : 500).end('no');
      return void reply.end(Buffer.from(content as string));
    }
    const name = path === '/' ? 'index.html' : path.slice(1);
    reply.setHeader('Content-Type', types[name.split('.').at(-1)!] ?? 'text/plain');
    reply.end(readFileSync(join(app, name)));
  }

  const made = (): Server =>
    createServer((request, reply) => {
      const { pathname } = new URL(request.url!, 'http://here');
      if (request.method !== 'POST') return answer(pathname, reply);
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const body: SteerBody = JSON.parse(text);
        view.asked.push(body);
        reply.setHeader('Content-Type', 'application/x-ndjson');
        reply.end(
          view
            .steer(body)
            .map((line) => `${JSON.stringify(line)}\n`)
            .join(''),
        );
      });
    });
  let server = made().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(view, { url: `http://127.0.0.1:${port}/?token=SECRET` });
}
