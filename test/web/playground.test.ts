/** The playground against a server of its own: lines as they come, errors, and an end in between. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SteerBody, SteerLine } from '../../src/results.ts';
import { dosesIn, queryOf } from '../../src/web/doseQuery.ts';
import { begun, parting, type Run, withLine } from '../../src/web/views/playground/run.ts';
import { linesIn, steerLines } from '../../src/web/views/playground/steer.ts';

const body: SteerBody = {
  prompt: 'Hi',
  latents: [{ latent: 320, dose: -0.2 }],
  max_tokens: 4,
  temperature: 1,
  seed: 1,
  model: 'subject',
};

const token = (side: 'alone' | 'steered', id: number): SteerLine => ({
  kind: 'token',
  side,
  id,
  text: `t${id}é`,
  log_probability: -0.5,
  top: [{ id, text: `t${id}`, log_probability: -0.5 }],
});

type Answer = (request: IncomingMessage, reply: ServerResponse, text: string) => void;

let answer: Answer;
const server = createServer((request, reply) => {
  let text = '';
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => answer(request, reply, text));
});

beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const real = fetch;
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => real(new URL(url, base), init));
});

afterEach(async () => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const streamed = (reply: ServerResponse, status = 200) =>
  reply.writeHead(status, { 'Content-Type': 'application/x-ndjson' });

async function collected(lines: AsyncIterable<SteerLine>): Promise<SteerLine[]> {
  const all: SteerLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const source = { id: 'a b', token: 'T&1' };
const asked = (signal = new AbortController().signal) => steerLines(source, body, signal);

describe('what the server says', () => {
  it('is read line by line, to a request that says what was asked for', async () => {
    const lines = [
      token('alone', 1),
      token('steered', 2),
      { kind: 'end', side: 'alone', stop: 'end' } as const,
    ];
    let seen: unknown[] = [];
    answer = (request, reply, text) => {
      seen = [request.method, request.url, request.headers['content-type'], JSON.parse(text)];
      streamed(reply).end(lines.map((line) => JSON.stringify(line)).join('\n'));
    };
    expect(await collected(asked())).toEqual(lines);
    expect(seen).toEqual(['POST', '/api/studies/a%20b/steer?token=T%261', 'application/json', body]);
  });

  it('may come in pieces that part lines and characters', async () => {
    const lines = [token('alone', 1), token('alone', 2)];
    const bytes = new TextEncoder().encode(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    expect(await collected(linesIn(pieces))).toEqual(lines);
  });

  it('is an error line whatever the status', async () => {
    answer = (_, reply) => streamed(reply, 403).end('{"kind":"error","message":"expected the token"}\n');
    expect(await collected(asked())).toEqual([{ kind: 'error', message: 'expected the token' }]);
  });

  it('is refused where it is not line by line, or no line known', async () => {
    answer = (_, reply) => reply.writeHead(500).end('<b>no</b>');
    await expect(collected(asked())).rejects.toThrow('steer: the server answered 500');
    answer = (_, reply) => streamed(reply).end('{"kind":"token","side":"alone"}\n');
    await expect(collected(asked())).rejects.toThrow("the server's reply");
  });

  it('stops when it is told to, and the server hears of it', async () => {
    const stop = new AbortController();
    const closed = new Promise<void>((resolve) => {
      answer = (_, reply) => {
        reply.on('close', resolve);
        streamed(reply).write(`${JSON.stringify(token('alone', 1))}\n`);
      };
    });
    const lines = asked(stop.signal);
    expect((await lines.next()).value).toEqual(token('alone', 1));
    stop.abort();
    await expect(lines.next()).rejects.toThrow(/abort/i);
    await closed;
  });
});

describe('a run', () => {
  const runOf = (...lines: SteerLine[]): Run => lines.reduce(withLine, begun(body));

  it('gathers each side, and tells where they part', () => {
    const run = runOf(token('alone', 1), token('alone', 2), token('steered', 1), token('steered', 3), {
      kind: 'end',
      side: 'steered',
      stop: 'length',
    });
    expect(run.alone.tokens.map(({ id }) => id)).toEqual([1, 2]);
    expect([run.alone.stop, run.steered.stop]).toEqual([undefined, 'length']);
    expect(parting(run)).toBe(1);
    expect(parting(runOf(token('alone', 1), token('alone', 2), token('steered', 1)))).toBeUndefined();
    expect(runOf({ kind: 'error', message: 'gone' }).error).toBe('gone');
  });
});

describe('latents and doses in the address', () => {
  it('are read as they were written', () => {
    const doses = [
      { latent: 320, dose: -0.2 },
      { latent: 7, dose: 1.5 },
    ];
    expect(queryOf(doses)).toEqual({ latent: '320,7', dose: '-0.2,1.5' });
    expect(dosesIn(queryOf(doses))).toEqual(doses);
    expect(queryOf([{ latent: 1, dose: Math.fround(-0.2) }]).dose).toBe('-0.2');
  });

  it('may be made by hand', () => {
    expect(dosesIn({})).toEqual([]);
    expect(dosesIn({ latent: '3' })).toEqual([{ latent: 3, dose: -0.2 }]);
    expect(dosesIn({ latent: 'x,4,-1', dose: '1,NaN' })).toEqual([{ latent: 4, dose: -0.2 }]);
  });
});
