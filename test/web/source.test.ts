/** Studies from a report's data and from a server. */
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { reportSources } from '../../src/web/reportSource.ts';
import { changedFiles, servedSources } from '../../src/web/servedSource.ts';
import type { SourceEvent } from '../../src/web/source.ts';

const text = (bytes: ArrayBuffer | undefined) => bytes && new TextDecoder().decode(bytes);
const packed = (content: string) => gzipSync(content).toString('base64');

describe('a report', () => {
  const data = {
    version: '0.1.0',
    created: '2026-01-01T00:00:00.000Z',
    studies: [
      {
        id: 'a',
        name: 'A study',
        files: { 'latents/3.json': { size: 14, data: packed('{"text": "ä<"}') } },
        trimmed: { 'grades.jsonl': 'the first 100 lines' },
        stale: {},
      },
      { id: 'b', name: 'B', files: {}, trimmed: {}, stale: {} },
    ],
  };

  it('gives the bytes that were packed, and undefined for a file that it does not hold', async () => {
    const [a, b] = reportSources(JSON.stringify(data));
    expect(await a!.files()).toEqual([{ path: 'latents/3.json', size: 14 }]);
    expect(text(await a!.read('latents/3.json'))).toBe('{"text": "ä<"}');
    expect(await a!.read('manifest.json')).toBeUndefined();
    expect(await a!.read('constructor')).toBeUndefined();
    expect(a!.trimmed).toEqual({ 'grades.jsonl': 'the first 100 lines' });
    expect(b!.trimmed).toEqual({});
    expect([a!.served, a!.onChange]).toEqual([false, undefined]);
  });

  it('refuses other data, and says where', () => {
    expect(() => reportSources('{"studies": 3}')).toThrow(InputError);
    expect(() => reportSources('{"studies": 3}')).toThrow(/studies/);
  });

  it('fails where what is packed is damaged', async () => {
    const files = { 'a.json': { size: 1, data: Buffer.from('not gzip').toString('base64') } };
    const [a] = reportSources(
      JSON.stringify({ ...data, studies: [{ id: 'a', name: 'a', files, trimmed: {}, stale: {} }] }),
    );
    await expect(a!.read('a.json')).rejects.toThrow();
  });
});

describe('a server', () => {
  afterEach(() => vi.unstubAllGlobals());

  const answers: Record<string, { status: number; body: string }> = {
    'api/studies': { status: 200, body: '{"studies":[{"id":"s 1","name":"One","folder":"/x"}]}' },
    'api/studies/s%201/files': {
      status: 200,
      body: '{"files":[{"path":"study.yaml","size":3,"modified":1}]}',
    },
    'api/studies/s%201/files/latents/3.json': { status: 200, body: '{}' },
    'api/studies/s%201/files/a%3Fb': { status: 500, body: '' },
  };

  async function served() {
    vi.stubGlobal('fetch', async (url: string) => {
      const { status, body } = answers[url] ?? { status: 404, body: '' };
      return new Response(body, { status });
    });
    const [one] = await servedSources('secret');
    return one!;
  }

  it('gives files by path; undefined for those that it has not', async () => {
    const one = await served();
    expect([one.id, one.name, one.served, one.token]).toEqual(['s 1', 'One', true, 'secret']);
    expect(await one.files()).toMatchObject([{ path: 'study.yaml', size: 3 }]);
    expect(text(await one.read('latents/3.json'))).toBe('{}');
    expect(await one.read('manifest.json')).toBeUndefined();
  });

  it('does not take an error for a missing file', async () => {
    const one = await served();
    await expect(one.read('a?b')).rejects.toThrow('the server answered 500');
  });

  it('tells of progress, and of files that changed since the first list', async () => {
    class Events extends EventTarget {
      static last: Events;
      closed = false;
      readonly url: string;
      constructor(url: string) {
        super();
        this.url = url;
        Events.last = this;
      }
      close() {
        this.closed = true;
      }
      say(kind: string, data: unknown) {
        this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
      }
    }
    const one = await served();
    vi.stubGlobal('EventSource', Events);
    const heard: SourceEvent[] = [];
    const stop = one.onChange!((event) => heard.push(event));
    const file = (path: string, modified: number) => ({ path, size: 1, modified });
    Events.last.say('files', { files: [file('a', 1), file('b', 1)] });
    Events.last.say('files', { files: [file('a', 1), file('b', 1)] });
    Events.last.say('files', { files: [file('a', 2), file('c', 1)] });
    const status = {
      running: true,
      stages: [{ name: 'sample', state: 'running', done: 1, units: 2, seconds_left: null }],
    };
    Events.last.say('status', status);
    expect(Events.last.url).toBe('api/studies/s%201/events');
    expect(heard).toEqual([
      { kind: 'files', changed: ['a', 'b', 'c'] },
      { kind: 'status', status },
    ]);
    const lost = { running: false, stages: [], problem: 'study.yaml:3: expected a path' };
    Events.last.say('status', lost);
    expect(heard.at(-1)).toEqual({ kind: 'status', status: lost });
    stop();
    expect(Events.last.closed).toBe(true);
  });
});

it('a file is changed where it is new, gone, or of another size or time', () => {
  const before = [
    { path: 'same', size: 1, modified: 1 },
    { path: 'gone', size: 1, modified: 1 },
    { path: 'longer', size: 1, modified: 1 },
  ];
  const now = [
    { path: 'same', size: 1, modified: 1 },
    { path: 'longer', size: 2, modified: 1 },
    { path: 'new', size: 1, modified: 1 },
  ];
  expect(changedFiles(before, now).sort()).toEqual(['gone', 'longer', 'new']);
});
