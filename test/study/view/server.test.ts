/** The server of `culprit view`: what it answers, what it refuses, and what it lets nobody reach. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startView, type View } from '../../../src/study/view/viewServer.ts';
import { appScript, putApp } from '../../support/appFolder.ts';
import { put } from '../../support/tinyFolder.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-view-'));
const at = (...parts: string[]) => join(root, ...parts);
const bugs: unknown[] = [];
const lines = Array.from({ length: 300 }, (_, i) => `{"line": ${i}}\n`).join('');
let view: View;

beforeAll(async () => {
  put(at('study', 'study.yaml'), 'behaviour: {}\n');
  put(at('study', 'completions.jsonl'), lines);
  put(at('study', 'latents', '12.json'), { latent: 12 });
  put(at('study', 'attribution.safetensors'), 'arrays');
  put(at('study', '.work', 'run.lock.txt'), 'work');
  put(at('secret.json'), 'secret');
  put(at('secrets', '5.json'), 'secret');
  symlinkSync(at('secret.json'), at('study', 'grades.jsonl'));
  symlinkSync(at('secret.json'), at('study', 'latents', '7.json'));
  put(at('linked', 'study.yaml'), 'behaviour: {}\n');
  symlinkSync(at('secrets'), at('linked', 'latents'));
  view = await startView({
    studies: [at('study'), at('linked')],
    appFolder: putApp(at('app')),
    onBug: (error) => bugs.push(error),
  });
});
afterAll(async () => {
  await view.close();
  rmSync(root, { recursive: true, force: true });
  expect(bugs).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request as it stands: no client mends its path. */
function ask(
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: view.port, path, method, headers, agent: false },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode!,
            headers: answer.headers,
            body: Buffer.concat(pieces).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const file = (path: string) => `/api/studies/study/files/${path}`;

describe('answers', () => {
  it('with the app, under a policy that lets its own script run alone', async () => {
    const page = await ask('/?token=abc');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(page.headers['content-security-policy']).split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.filter((part) => part.startsWith('script')).join()).not.toContain('unsafe');
    const script = await ask('/app.js');
    expect([script.body, script.headers['content-type']]).toEqual([
      appScript,
      'text/javascript; charset=utf-8',
    ]);
    expect((await ask('/app.css')).headers['content-type']).toBe('text/css; charset=utf-8');
  });

  it('with headers that keep its answers to itself, whatever the answer', async () => {
    for (const path of ['/', '/app.js', '/api/studies', file('study.yaml'), '/nothing', file('nothing')]) {
      const { headers } = await ask(path);
      expect(headers['x-content-type-options'], path).toBe('nosniff');
      expect(headers['referrer-policy'], path).toBe('no-referrer');
      expect(headers['cross-origin-resource-policy'], path).toBe('same-origin');
      expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'");
      expect(headers['access-control-allow-origin'], path).toBeUndefined();
    }
  });

  it('with studies and their result files', async () => {
    expect(JSON.parse((await ask('/api/studies')).body)).toEqual({
      studies: ['study', 'linked'].map((name) => ({ id: name, name, folder: at(name) })),
    });
    const { files } = JSON.parse((await ask('/api/studies/study/files')).body);
    const { mtimeMs } = statSync(at('study', 'completions.jsonl'));
    expect(files.map(({ path }: { path: string }) => path)).toEqual([
      'study.yaml',
      'completions.jsonl',
      'latents/12.json',
    ]);
    expect(files[1]).toEqual({ path: 'completions.jsonl', size: lines.length, modified: mtimeMs });
    expect((await ask(file('completions.jsonl'))).body).toBe(lines);
    expect((await ask(file('latents/12.json'))).body).toBe('{"latent":12}');
    expect((await ask(file('latents%2F12.json'))).status).toBe(200);
  });

  it.each([
    ['bytes=0-9', 206, 'bytes 0-9', () => lines.slice(0, 10)],
    ['bytes=100-', 206, `bytes 100-${lines.length - 1}`, () => lines.slice(100)],
    ['bytes=-8', 206, `bytes ${lines.length - 8}-${lines.length - 1}`, () => lines.slice(-8)],
    ['bytes=10-99999999', 206, `bytes 10-${lines.length - 1}`, () => lines.slice(10)],
    ['bytes=-99999999', 206, `bytes 0-${lines.length - 1}`, () => lines],
    ['bytes=99999999-', 416, 'bytes *', () => ''],
    ['bytes=-0', 416, 'bytes *', () => ''],
    ['bytes=9-3', 200, undefined, () => lines],
    ['bytes=0-1,4-5', 200, undefined, () => lines],
    ['lines=0-1', 200, undefined, () => lines],
  ])('with the range %s', async (range, status, told, body) => {
    const found = await ask(file('completions.jsonl'), { headers: { range } });
    expect([found.status, found.body]).toEqual([status, body()]);
    expect(found.headers['content-range']).toBe(told && `${told}/${lines.length}`);
    if (status !== 416) expect(found.headers['content-length']).toBe(`${body().length}`);
  });

  it('compressed for whoever reads that, a part of it never; the same tag stands for both', async () => {
    const path = file('completions.jsonl');
    const headers = { 'accept-encoding': 'gzip' };
    const whole = await ask(path, { headers });
    expect(whole.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    const plain = await ask(path);
    expect([plain.headers['content-encoding'], plain.body]).toEqual([undefined, lines]);
    const tag = String(whole.headers.etag);
    expect(tag).toBe(`W/${String(plain.headers.etag)}`);
    expect((await ask(path, { headers: { ...headers, 'if-none-match': tag } })).status).toBe(304);
    const part = await ask(path, { headers: { ...headers, range: 'bytes=0-9' } });
    expect([part.status, part.body, part.headers['content-encoding']]).toEqual([
      206,
      lines.slice(0, 10),
      undefined,
    ]);
    const fetched = await fetch(new URL(path, view.url));
    expect(await fetched.text()).toBe(lines);
  });

  it('of the causal test what is about one latent, each line in its place', async () => {
    const line = (latent: number | null, more: object = {}) =>
      JSON.stringify({
        kind: 'trial',
        direction: latent === null ? null : `latent ${latent}`,
        latent,
        ...more,
      });
    const trials = [
      line(null),
      line(3),
      line(4),
      '{"kind":"forced","latent":3}',
      '{cut',
      line(3, { dose: 1 }),
    ];
    put(at('study', 'steered.jsonl'), trials.map((one) => `${one}\n`).join(''));
    const asked = (query: string) => ask(`${file('steered.jsonl')}${query}`);
    expect((await asked('?latent=3')).body).toBe(
      [trials[0], trials[1], '', '', trials[4], trials[5], ''].join('\n'),
    );
    expect((await asked('')).body.split('\n')).toEqual([...trials, '']);
    expect((await asked('?latent=3x')).status).toBe(400);
    expect((await ask(`${file('grades.jsonl')}?latent=3`)).status).toBe(404);
    rmSync(at('study', 'steered.jsonl'));
    expect((await asked('?latent=3')).status).toBe(404);
  });

  it('with a tag, and nothing where it still holds', async () => {
    const path = file('latents/12.json');
    const { headers } = await ask(path);
    const etag = String(headers.etag);
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(await ask(path, { headers: { 'if-none-match': etag } })).toMatchObject({ status: 304, body: '' });
    const head = await ask(path, { method: 'HEAD' });
    expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', '13']);
    expect(await ask('/api/studies/study/events', { method: 'HEAD' })).toMatchObject({
      status: 200,
      body: '',
    });
    const range = { range: 'bytes=0-1' };
    expect((await ask(path, { headers: { ...range, 'if-range': etag } })).status).toBe(206);
    writeFileSync(at('study', 'latents', '12.json'), '{"latent": 12}');
    expect((await ask(path, { headers: { 'if-none-match': etag } })).status).toBe(200);
    expect((await ask(path, { headers: { ...range, 'if-range': etag } })).status).toBe(200);
    writeFileSync(at('study', 'latents', '12.json'), '{"latent":12}');
  });
});

describe('refuses', () => {
  it.each([
    '../secret.json',
    '..%2Fsecret.json',
    '%2e%2e/secret.json',
    '%2e%2e%2fsecret.json',
    '%252e%252e%252fsecret.json',
    'latents/../../secret.json',
    'latents/..%2f..%2fsecret.json',
    '..\\secret.json',
    '..%5csecret.json',
    '%2Fetc%2Fpasswd',
    '//etc/passwd',
    'study.yaml%00.json',
    'study.yaml%00',
    'latents/12.json/',
    'latents//12.json',
    './study.yaml%20',
    'attribution.safetensors',
    '.work/run.lock.txt',
    'latents',
    'latents/',
    'latents/12x.json',
    'latents/-1.json',
    'grades.jsonl',
    'latents/7.json',
    '%',
    '%c0%ae%c0%ae/secret.json',
  ])('the path %s', async (path) => {
    const { status, body } = await ask(file(path));
    expect([400, 404]).toContain(status);
    expect(body).not.toContain('secret"');
    expect(body).not.toMatch(/^secret|root:|arrays|work$/);
  });

  it('paths around the files, studies that are not there, and links of folders', async () => {
    for (const path of [
      '/../secret.json',
      '/app.js/../../secret.json',
      '/index.html',
      '/.work',
      '/api/studies/other/files',
      '/api/studies/other/files/study.yaml',
      '/api/studies/__proto__/files',
      '/api/studies/linked/files/latents/5.json',
      '/api/studies/other/events',
    ])
      expect((await ask(path)).status, path).toBe(404);
  });

  it('other names of this machine, and requests of other pages', async () => {
    const port = view.port;
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.evil.example:${port}`,
      `[::1]:${port}`,
    ])
      for (const path of ['/', '/api/studies', file('study.yaml')]) {
        const found = await ask(path, { headers: { host } });
        expect([400, 403], `${host} ${path}`).toContain(found.status);
        expect(found.body).not.toContain('behaviour');
      }
    expect((await ask('/api/studies', { headers: { host: `localhost:${port}` } })).status).toBe(200);
    for (const origin of ['http://evil.example', 'null', `https://127.0.0.1:${port}`])
      expect((await ask('/api/studies', { headers: { origin } })).status, origin).toBe(403);
    const own = { origin: `http://127.0.0.1:${port}` };
    expect((await ask('/api/studies', { headers: own })).status).toBe(200);
  });

  it('methods that change things', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      for (const path of ['/', file('study.yaml'), '/api/studies'])
        expect((await ask(path, { method })).status, `${method} ${path}`).toBe(405);
    expect((await ask('/api/studies/study/steer')).status).toBe(404);
    expect(readFileSync(at('study', 'study.yaml'), 'utf8')).toBe('behaviour: {}\n');
  });

  it.each([
    [
      'another host in the request line',
      'GET http://evil.example/api/studies HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    ],
    ['no host', 'GET /api/studies HTTP/1.0\r\n\r\n'],
    ['two hosts', 'GET /api/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n'],
    ['a host that is none', 'GET /api/studies HTTP/1.1\r\nHost: a b/c@d\r\n\r\n'],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: HOST\r\n\r\n'],
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n'],
    ['no HTTP', 'hello\r\n\r\n'],
  ])('%s', async (_, text) => {
    const socket = connect(view.port, '127.0.0.1');
    socket.end(text.replace('HOST', `127.0.0.1:${view.port}`));
    let answer = '';
    for await (const piece of socket) answer += piece;
    expect(answer).toMatch(/^(HTTP\/1\.1 (400|403|405|501) [\s\S]*)?$/);
    expect(answer).not.toContain('studies');
    expect((await ask('/api/studies')).status).toBe(200);
  });

  it('to steer without the token, in one line', async () => {
    const body = JSON.stringify({ prompt: 'x' });
    const headers = { 'content-type': 'application/json' };
    for (const query of [
      '',
      '?token=',
      '?token=no',
      `?token=${view.token}x`,
      `?token=${view.token.slice(1)}`,
      `?Token=${view.token}`,
    ]) {
      const found = await ask(`/api/studies/study/steer${query}`, { method: 'POST', headers, body });
      expect(found.status, query).toBe(403);
      expect(found.body).toBe(
        '{"kind":"error","message":"steer: expected the token in the address that `culprit view` printed"}\n',
      );
    }
    expect(view.url).toBe(`http://127.0.0.1:${view.port}/?token=${view.token}`);
    expect(view.token).toMatch(/^[\w-]{32}$/);
  });

  const good = {
    prompt: 'Say.',
    latents: [{ latent: 3, dose: 1 }],
    max_tokens: 4,
    temperature: 1,
    seed: 1,
    model: 'subject',
  };
  it.each([
    ['not JSON', '{', 400, 'steer: expected JSON'],
    [
      'no prompt',
      { ...good, prompt: undefined },
      400,
      'steer: prompt: expected string or array, found nothing',
    ],
    [
      'no latents',
      { ...good, latents: [] },
      400,
      /^steer: latents: expected array to have >=1 items, found an array of 0$/,
    ],
    [
      'a dose that is a text',
      { ...good, latents: [{ latent: 3, dose: '1' }] },
      400,
      'steer: latents[0].dose: expected number, found "1"',
    ],
    [
      'too many tokens',
      { ...good, max_tokens: 1e6 },
      400,
      /^steer: max_tokens: expected number to be <=4096, found 1000000$/,
    ],
    ['a field of its own', { ...good, adapter: '/x' }, 400, /^steer: .*adapter/i],
    [
      'another model',
      { ...good, model: '/etc' },
      400,
      'steer: model: expected "subject" or "reference", found "/etc"',
    ],
    ['a megabyte', { ...good, prompt: 'x'.repeat(2 ** 20) }, 413, 'steer: expected at most 1048576 bytes'],
  ])('to steer with %s', async (_, body, status, message) => {
    const found = await ask(`/api/studies/study/steer?token=${view.token}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    expect(found.status).toBe(status);
    expect(found.body.trimEnd().split('\n')).toHaveLength(1);
    const line = JSON.parse(found.body);
    expect(line.kind).toBe('error');
    if (typeof message === 'string') expect(line.message).toBe(message);
    else expect(line.message).toMatch(message);
  });

  it('to steer where the content says that it is something else', async () => {
    const headers = { 'content-type': 'text/plain' };
    const found = await ask(`/api/studies/study/steer?token=${view.token}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(good),
    });
    expect(found.status).toBe(415);
  });
});

describe('does not start', () => {
  const start = (over: Partial<Parameters<typeof startView>[0]>) =>
    startView({ studies: [at('study')], appFolder: at('app'), onBug: () => {}, ...over }).then(
      async (started) => {
        await started.close();
        return 'started';
      },
      (error: Error) => error.message,
    );

  it('on a port that is taken, without an app, of what is no study', async () => {
    expect(await start({ port: view.port })).toBe(`--port ${view.port}: another program listens there`);
    mkdirSync(at('empty'));
    expect(await start({ appFolder: at('empty') })).toMatch(
      /expected the built web app, found no index\.html/,
    );
    expect(await start({ studies: [at('empty')] })).toMatch(/^\S+empty: expected a study/);
    cpSync(at('study', 'study.yaml'), at('empty', 'study.yaml'));
    expect(await start({ studies: [at('empty')] })).toBe('started');
  });
});
