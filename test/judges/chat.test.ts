/** The chat judge with a server that behaves: what is sent, what it costs, where it stops. */
import { afterEach, describe, expect, it } from 'vitest';
import { chatJudge } from '../../src/judges/chat.ts';
import { chatJudging, items, refuses, rubric } from '../support/chatJudging.ts';
import {
  type Asked,
  chatBody,
  type FakeChatServer,
  type Fault,
  fakeChatServer,
  gradeByWords,
} from '../support/fakeChatServer.ts';
import { refusal } from '../support/refusal.ts';

let server: FakeChatServer;
afterEach(() => server?.close());

const { make, graded } = chatJudging(() => server);

describe('what is sent', () => {
  it('two questions a completion, to be answered by a schema', async () => {
    server = await fakeChatServer();
    const { told } = await graded(
      { apiKey: ' secret-key\n', temperature: 0.5, replyTokens: 77 },
      items.slice(0, 1),
    );
    expect(server.asked.map(({ aspect }) => aspect)).toEqual(['behaviour', 'coherence']);
    for (const { headers, body } of server.asked) {
      expect(headers.authorization).toBe('Bearer secret-key');
      expect(Object.keys(body).sort()).toEqual([
        ...['max_tokens', 'messages', 'model', 'response_format', 'stream', 'temperature'],
      ]);
      expect(body).toMatchObject({ model: 'words', temperature: 0.5, max_tokens: 77, stream: false });
      expect(body.response_format).toMatchObject({
        type: 'json_schema',
        json_schema: { strict: true, schema: { required: ['reason', 'score'] } },
      });
    }
    expect(told.get('q0/0')).toEqual({
      score: 0.1,
      label: 'negative',
      coherence: 0.9,
      coherent: true,
      reason: 'behaviour 10',
      raw: '{"reason":"behaviour 10","score":10}\n{"reason":"coherence 90","score":90}',
      cost: { calls: 2, inputTokens: 200, outputTokens: 40, price: 0 },
    });
  });

  it('no key where there is none', async () => {
    server = await fakeChatServer();
    await graded({}, items.slice(0, 1));
    await graded({ apiKey: '' }, items.slice(0, 1));
    for (const { headers } of server.asked) expect(headers.authorization).toBeUndefined();
  });

  it('to the address with or without a slash, a path of its own, a query', async () => {
    server = await fakeChatServer();
    const base = make().identity;
    for (const end of ['/', '/chat/completions']) {
      const { told } = await graded({ baseUrl: server.baseUrl + end }, items.slice(0, 1));
      expect(told.size).toBe(1);
      expect(make({ baseUrl: server.baseUrl + end }).identity).toEqual(base);
    }
    const judge = make({ baseUrl: `${server.baseUrl}?key=secret-key` });
    expect(JSON.stringify(judge)).not.toContain('secret-key');
  });

  it('up to so many at once, the first alone', async () => {
    const held: (() => void)[] = [];
    let released = false;
    const release = () => {
      released = true;
      for (const reply of held) reply();
    };
    server = await fakeChatServer(({ before, completion }) =>
      before === 0 && completion === items[0]!.completion
        ? (response, good) => {
            setTimeout(() => {
              expect(server.busiest()).toBe(1);
              response.writeHead(200).end(good);
            }, 50);
          }
        : (response, good) => {
            const reply = () => void response.writeHead(200).end(good);
            if (released) return reply();
            held.push(reply);
            // the fifth is waited for, however busy the machine is; a sixth would come meanwhile
            if (held.length === 5) setTimeout(release, 50);
          },
    );
    expect((await graded({ concurrency: 5 })).told.size).toBe(items.length);
    expect(server.busiest()).toBe(5);
  });

  it('the threshold decides the label', async () => {
    server = await fakeChatServer();
    const { told } = await graded({ threshold: 0.1 });
    expect(new Set([...told.values()].map(({ label }) => label))).toEqual(new Set(['positive']));
  });
});

describe('a server that does not take all parameters', () => {
  const takes = (...refused: [field: string, status: number, message: string][]) =>
    fakeChatServer(({ body }) => {
      const found = refused.find(([field]) => field in body);
      return found && refuses(found[1], found[2]);
    });

  it.each([
    [400, "'response_format.type' must be 'text'"],
    [422, 'json_schema: extra fields not permitted'],
    [500, 'failed to parse grammar'],
  ])('schemas (%i %s)', async (status, message) => {
    server = await takes(['response_format', status, message]);
    const { told, grading } = await graded();
    expect(grading).toEqual({});
    expect(told.size).toBe(items.length);
    // Found out once.
    expect(server.asked).toHaveLength(2 * items.length + 1);
    expect(told.get('q0/0')!.cost).toMatchObject({ calls: 3, inputTokens: 200 });
  });

  it('max_tokens, nor schemas', async () => {
    server = await takes(
      ['max_tokens', 400, "Unsupported parameter: use 'max_completion_tokens' instead."],
      ['response_format', 400, 'response_format is not available'],
    );
    expect((await graded({ replyTokens: 9 })).told.size).toBe(items.length);
    expect(server.asked).toHaveLength(2 * items.length + 2);
    expect(server.asked.at(-1)!.body).toMatchObject({ max_completion_tokens: 9 });
  });

  it.each<[field: string, status: number, message: string, sent: object]>([
    ['temperature', 400, "Unsupported value: 'temperature' does not support 0 with this model.", {}],
    ['temperature', 422, 'temperature: Extra inputs are not permitted', {}],
    ['stream', 400, "Unknown parameter: 'stream'.", {}],
  ])('%s (%i %s)', async (field, status, message) => {
    server = await takes([field, status, message]);
    const notes: string[] = [];
    const { told } = await graded({ note: (line) => void notes.push(line) });
    expect(told.size).toBe(items.length);
    expect(server.asked).toHaveLength(2 * items.length + 1);
    expect(notes).toEqual([
      `judge: ${server.baseUrl}/chat/completions does not take ${field}: it is left out`,
    ]);
  });

  it('a limit under neither name', async () => {
    server = await takes(
      ['max_tokens', 400, 'max_tokens: Extra inputs are not permitted'],
      ['max_completion_tokens', 400, 'max_completion_tokens: Extra inputs are not permitted'],
    );
    expect((await graded()).told.size).toBe(items.length);
    expect(Object.keys(server.asked.at(-1)!.body).filter((name) => /tokens/.test(name))).toEqual([]);
  });

  it('so high a limit: a lower one from then on', async () => {
    server = await fakeChatServer(({ body }) =>
      Number(body.max_tokens) > 4000
        ? refuses(400, 'max_tokens is too large: this model supports at most 4000 completion tokens')
        : undefined,
    );
    expect((await graded({ replyTokens: 8192 })).told.size).toBe(items.length);
    expect(server.asked).toHaveLength(2 * items.length + 1);
    expect(server.asked.at(-1)!.body.max_tokens).toBe(2048);
  });

  it('so high a limit for one long question: the others keep theirs', async () => {
    const message = "This model's maximum context length is 4096 tokens; please reduce the length.";
    server = await fakeChatServer(({ body, completion }) =>
      completion === items[5]!.completion && Number(body.max_tokens) > 100
        ? refuses(400, message)
        : undefined,
    );
    expect((await graded({ replyTokens: 1024, concurrency: 1 })).told.size).toBe(items.length);
    expect(server.asked.at(-1)!.body.max_tokens).toBe(1024);
    expect(server.asked.map(({ body }) => body.max_tokens)).toContain(64);
    await server.close();
    server = await fakeChatServer(({ completion }) =>
      completion === items[5]!.completion ? refuses(400, message) : undefined,
    );
    const { told } = await graded({ replyTokens: 1024 });
    expect(told.get('q5/0')).toMatchObject({ reason: `no verdict: status 400: ${message}`, coherent: false });
  });

  it('something that it does not name: the plainest request is tried once', async () => {
    server = await fakeChatServer(({ body }) =>
      'response_format' in body ? refuses(400, 'Request contains an invalid argument.') : undefined,
    );
    const notes: string[] = [];
    expect((await graded({ note: (line) => void notes.push(line) })).told.size).toBe(items.length);
    expect(server.asked).toHaveLength(2 * items.length + 1);
    expect(Object.keys(server.asked.at(-1)!.body).sort()).toEqual(['messages', 'model']);
    expect(notes[0]).toMatch(/does not take all of temperature, .*: they are left out$/);
  });

  it('fields that study.yaml leaves out are never sent', async () => {
    server = await fakeChatServer();
    await graded({ leaveOut: ['temperature', 'max_tokens'] }, items.slice(0, 1));
    expect(Object.keys(server.asked[0]!.body).sort()).toEqual([
      ...['messages', 'model', 'response_format', 'stream'],
    ]);
  });

  it('an error that quotes the question is none of a field', async () => {
    const hot = { ...items[3]!, completion: 'Set the temperature by a schema.' };
    server = await fakeChatServer(({ completion }) =>
      completion === hot.completion ? refuses(400, `content filter: ${completion}`) : undefined,
    );
    const { told } = await graded({}, [...items.slice(0, 3), hot, ...items.slice(4)]);
    expect(told.get('q3/0')?.reason).toMatch('no verdict: status 400: content filter');
    expect(server.asked.at(-1)!.body).toMatchObject({ temperature: 0 });
  });

  it('is told as it says it where nothing is left to leave out', async () => {
    server = await fakeChatServer(() => refuses(400, 'no such thing'));
    const { error, told } = await graded();
    expect(error?.message).toBe(
      `chat judge words at ${server.baseUrl}/chat/completions: no verdict on 3 completions in a row; the first, q0/0: status 400: no such thing`,
    );
    expect(told.size).toBe(0);
    // One of them without all that can be left out.
    expect(server.asked).toHaveLength(4);
  });
});

describe('an address or a key that is wrong', () => {
  it.each([401, 402, 403, 404, 301])('status %i is told at once, without the key', async (status) => {
    const key = 'sk-secret-0123456789';
    server = await fakeChatServer(({ headers }) =>
      refuses(status, `no: ${headers.authorization} `.repeat(9)),
    );
    const { error, told } = await graded({ apiKey: key });
    expect(error?.name).toBe('InputError');
    expect(error?.message).toMatch(
      `judge ${server.baseUrl}/chat/completions: status ${status}: no: Bearer ***`,
    );
    expect(error?.message).not.toMatch(/secret|[\n\r]/);
    expect(server.asked).toHaveLength(1);
    expect(told.size).toBe(0);
  });

  it('a server that sends elsewhere is not followed: the key is for it alone', async () => {
    const elsewhere = await fakeChatServer();
    const location = `${elsewhere.baseUrl}/chat/completions`;
    server = await fakeChatServer(() => (response) => response.writeHead(307, { location }).end());
    const { error } = await graded({ apiKey: 'secret-key' });
    await elsewhere.close();
    expect(error?.message).toMatch(/status 307$/);
    expect(elsewhere.asked).toEqual([]);
  });

  it('in the middle: those under way are finished and told', async () => {
    server = await fakeChatServer(({ completion }) =>
      completion === items[4]!.completion
        ? refuses(403, 'enough')
        : (response, good) => void setTimeout(() => response.writeHead(200).end(good), 30),
    );
    const { error, told } = await graded({ concurrency: 4 });
    expect(error?.message).toMatch('status 403: enough');
    expect([...told.keys()].sort()).toEqual(['q0/0', 'q1/0', 'q2/0', 'q3/0']);
  });

  it('nobody listens', async () => {
    server = await fakeChatServer();
    const { baseUrl } = server;
    await server.close();
    const waits: number[] = [];
    const { error } = await graded({ baseUrl, retries: 2, sleep: async (s) => void waits.push(s) });
    expect(error?.message).toMatch(
      /no verdict on 3 completions in a row; the first, q0\/0: 3 calls without a grade, the last: no connection: .*ECONNREFUSED/,
    );
    expect(waits).toHaveLength(6);
    server = await fakeChatServer();
  });

  it.each([
    ['judge.base_url', { baseUrl: 'localhost' }],
    ['judge.base_url', { baseUrl: 'localhost:8080' }],
    ['judge.base_url', { baseUrl: 'http://me:secret-key@localhost/v1' }],
    ['judge key', { apiKey: 'secret-key\nmore' }],
    ['judge key', { apiKey: 'secret-key€' }],
    ['judge.max_cost', { maxCost: 1 }],
  ])('%s %o is refused before any call', async (field, options) => {
    server = await fakeChatServer();
    const message = refusal(() => make(options));
    expect(message.startsWith(field)).toBe(true);
    expect(message).not.toContain('secret-key');
  });
});

/** The fault for some items, at one question or both. */
const only =
  (of: readonly number[], fault: Fault, aspect?: Asked['aspect']) =>
  (asked: Asked): Fault | undefined =>
    of.some((i) => items[i]!.completion === asked.completion) && [undefined, asked.aspect].includes(aspect)
      ? fault
      : undefined;
const ids = (...of: number[]) => of.map((i) => `q${i}/0`);

describe('the budget', () => {
  it('of calls is never exceeded, and a later run goes on', async () => {
    server = await fakeChatServer();
    const first = await graded({ maxCalls: 9, concurrency: 3 });
    expect(first.grading).toEqual({ stopped: 'judge.max_calls 9 is used up' });
    expect([...first.told.keys()].sort()).toEqual(['q0/0', 'q1/0', 'q2/0', 'q3/0']);
    expect(server.asked).toHaveLength(8);
    const left = items.filter(({ id }) => !first.told.has(id));
    const spent = { calls: 8, price: 0 };
    const second = await graded({ maxCalls: 12, spent }, left);
    expect(second.grading).toEqual({ stopped: 'judge.max_calls 12 is used up' });
    expect([...second.told.keys()].sort()).toEqual(['q4/0', 'q5/0']);
    expect([...server.accepted.values()]).toEqual(new Array(12).fill(1));
    expect((await graded({ maxCalls: 2 * items.length })).grading).toEqual({});
    expect((await graded({ maxCalls: 1 })).grading).toEqual({ stopped: 'judge.max_calls 1 is used up' });
  });

  it('stays the reason, whatever those under way meet', async () => {
    for (const fault of [refuses(503, 'later'), refuses(403, 'no')]) {
      // The third completion is under way when there is no room for a fourth.
      server = await fakeChatServer(({ completion }) =>
        completion === items[2]!.completion
          ? (response, good) => void setTimeout(() => fault(response, good), 150)
          : undefined,
      );
      const { told, grading } = await graded({ maxCalls: 7, retries: 0, concurrency: 2 });
      expect(grading).toEqual({ stopped: 'judge.max_calls 7 is used up' });
      expect([...told.keys()].sort()).toEqual(ids(0, 1));
      await server.close();
    }
    server = await fakeChatServer();
  });

  it('counts the calls of completions that an abort or an error left without a verdict', async () => {
    server = await fakeChatServer(only([1, 2], () => {}));
    const judge = make({ maxCalls: 8, concurrency: 2 });
    const stop = new AbortController();
    const aborted = judge.grade(items, async () => {}, stop.signal);
    const refused = expect(aborted).rejects.toThrow('enough');
    await expect.poll(() => server.asked.length, { timeout: 60_000 }).toBe(4);
    stop.abort(new Error('enough'));
    await refused;
    expect(server.asked).toHaveLength(4);
    const told: string[] = [];
    const later = await judge.grade(items.slice(3), async ({ id }) => void told.push(id));
    expect(later).toEqual({ stopped: 'judge.max_calls 8 is used up' });
    expect(told.sort()).toEqual(ids(3, 4));
    expect(server.asked).toHaveLength(8);
  });

  it('of calls counts those that failed', async () => {
    for (const concurrency of [1, 4]) {
      server = await fakeChatServer(({ before }) => (before === 0 ? refuses(500, 'later') : undefined));
      const { told, grading } = await graded({ maxCalls: 11, concurrency });
      expect(server.asked.length).toBeLessThanOrEqual(11);
      expect(grading?.stopped).toMatch(/call/);
      if (concurrency === 1) expect(told.size).toBe(2);
      for (const { cost } of told.values()) expect(cost.calls).toBe(4);
      await server.close();
    }
    server = await fakeChatServer();
  });

  it('of money stops before the next completion would exceed it', async () => {
    server = await fakeChatServer();
    // 100 tokens in and 20 out a call: 0.003 a completion.
    const price = { input: 10, output: 25 };
    const { told, grading } = await graded({ price, maxCost: 0.0101, concurrency: 2 });
    expect(told.size).toBe(3);
    for (const { cost } of told.values()) expect(cost.price).toBeCloseTo(0.003, 12);
    expect(grading?.stopped).toMatch(/^judge\.max_cost 0\.0101 is used up: a completion costs up to 0\.003$/);
    const spent = { calls: 6, price: 0.009 };
    expect((await graded({ price, maxCost: 0.009, spent })).told.size).toBe(0);
    expect((await graded({ price, maxCost: 0.0359 })).told.size).toBe(11);
    expect((await graded({ price, maxCost: 0.0361 })).grading).toEqual({});
  });

  it('of money counts replies that cannot be used', async () => {
    server = await fakeChatServer(({ before }) =>
      before === 0 ? (response) => response.writeHead(200).end(chatBody('Hm.')) : undefined,
    );
    const { told } = await graded({ price: { input: 10, output: 25 } }, items.slice(0, 1));
    expect(told.get('q0/0')!.cost).toEqual({
      calls: 4,
      inputTokens: 400,
      outputTokens: 80,
      price: expect.closeTo(0.006, 12),
    });
  });

  it('of money needs a server that tells its tokens', async () => {
    server = await fakeChatServer(
      (asked) => (response) =>
        response
          .writeHead(200)
          .end(JSON.stringify({ choices: [{ message: { content: gradeByWords(asked) } }] })),
    );
    const price = { input: 1, output: 1 };
    expect((await graded({ price, maxCost: 1 })).error?.message).toMatch(
      /^judge\.max_cost: .*use judge\.max_calls instead$/,
    );
    expect(server.asked).toHaveLength(1);
    const { told, grading } = await graded({ price });
    expect(grading).toEqual({});
    expect(told.get('q0/0')!.cost).toEqual({ calls: 2, inputTokens: 0, outputTokens: 0, price: 0 });
  });

  it('a server that asks for a long wait is left for later, and what was won is kept', async () => {
    const busy: Fault = (response) => response.writeHead(429, { 'retry-after': '3600' }).end();
    server = await fakeChatServer(({ completion }) =>
      completion === items[5]!.completion ? busy : undefined,
    );
    const { told, grading } = await graded({ concurrency: 1 });
    expect(told.size).toBe(5);
    expect(grading).toEqual({
      stopped: `${server.baseUrl}/chat/completions asks to wait 3600 s (status 429)`,
    });
  });
});

describe('when told to stop', () => {
  it('calls are given up, waits too', async () => {
    const reason = new Error('enough');
    for (const fault of [() => {}, refuses(429, 'later')]) {
      const stop = new AbortController();
      server = await fakeChatServer(() => fault);
      const grading = chatJudge({ rubric, baseUrl: server.baseUrl, model: 'words', retries: 99 }).grade(
        items,
        async () => {},
        stop.signal,
      );
      setTimeout(() => stop.abort(reason), 100);
      await expect(grading).rejects.toBe(reason);
      await server.close();
    }
    server = await fakeChatServer();
  });
});

it('the identity holds what a verdict depends on, and no more', async () => {
  server = await fakeChatServer();
  const base = make();
  expect(base.identity).toEqual({
    kind: 'chat',
    model: 'words',
    base_url: server.baseUrl,
    template: expect.stringMatching(/^[0-9a-f]{64}$/),
    rubric: expect.stringMatching(/^[0-9a-f]{64}$/),
    temperature: 0,
    threshold: 0.5,
  });
  const same = make({ apiKey: 'secret-key', concurrency: 2, retries: 1, timeoutS: 3, maxCalls: 5 });
  expect(same.identity).toEqual(base.identity);
  for (const other of [{ model: 'b' }, { rubric: 'b' }, { temperature: 1 }, { threshold: 0.6 }])
    expect(make(other).identity).not.toEqual(base.identity);
  expect(JSON.stringify([same.name, same.identity])).not.toContain('secret-key');
});
