/** The HTTP of an OpenAI-compatible server that a test starts. Knows no question. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Serve = (
  body: Record<string, unknown>,
  headers: IncomingHttpHeaders,
  response: ServerResponse,
) => unknown;

export interface ChatServer {
  readonly baseUrl: string;
  /** greatest number of requests at the same time */
  readonly busiest: () => number;
  close(): Promise<void>;
}

async function text(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

/** Starts on a free port of this machine. */
export async function serveChat(serve: Serve): Promise<ChatServer> {
  let busy = 0;
  let busiest = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    busiest = Math.max(busiest, ++busy);
    response.once('close', () => busy--);
    await serve(JSON.parse(await text(request)), request.headers, response);
  };
  const server = createServer((request, response) => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== '/v1/chat/completions')
      response.writeHead(404).end();
    else answer(request, response).catch((error) => response.writeHead(418).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    busiest: () => busiest,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
