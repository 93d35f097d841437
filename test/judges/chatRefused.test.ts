/**
 * The chat judge where some completions have no verdict: the model refuses them, or the server does not
 * answer.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { chatJudging, items, refuses } from '../support/chatJudging.ts';
import {
  type Asked,
  chatBody,
  type FakeChatServer,
  type Fault,
  fakeChatServer,
} from '../support/fakeChatServer.ts';

let server: FakeChatServer;
afterEach(() => server?.close());

const { graded } = chatJudging(() => server);

/** The fault for some items, at one question or both. */
const only =
  (of: readonly number[], fault: Fault, aspect?: Asked['aspect']) =>
  (asked: Asked): Fault | undefined =>
    of.some((i) => items[i]!.completion === asked.completion) && [undefined, asked.aspect].includes(aspect)
      ? fault
      : undefined;
const says =
  (content: unknown, parts?: object): Fault =>
  (response) =>
    response.writeHead(200).end(chatBody(content, parts));
const unanswered = says('I would rather not.');
const ids = (...of: number[]) => of.map((i) => `q${i}/0`);

describe('a completion that is refused', () => {
  const price = { input: 10, output: 25 };
  const verdict = { score: 0, label: 'negative', coherence: 0, coherent: false };
  /** of one call */
  const rate = (100 * price.input + 20 * price.output) / 1e6;

  it.each<[string, Fault, string, string]>([
    ['by status 400', refuses(400, 'content filter'), 'status 400: content filter', ''],
    ['by status 413', refuses(413, 'too long'), 'status 413: too long', ''],
  ])('%s, has a verdict of its own, with its cost', async (_, fault, why, raw) => {
    server = await fakeChatServer(only([3], fault));
    const { told, grading } = await graded({ price, threshold: 0 });
    expect(grading).toEqual({});
    expect(told.size).toBe(items.length);
    const cost = { calls: 1, inputTokens: 0, outputTokens: 0, price: 0 };
    expect(told.get('q3/0')).toEqual({ ...verdict, reason: `no verdict: ${why}`, raw, cost });
    for (const i of [2, 4]) expect(told.get(`q${i}/0`)).toMatchObject({ coherent: true, label: 'positive' });
  });

  it.each<[string, Fault, string, string]>([
    [
      'prose',
      unanswered,
      'a reply without a grade from 0 to 100: I would rather not.',
      'I would rather not.',
    ],
    [
      'a refusal',
      says(null, { message: { refusal: 'No.', content: null } }),
      'the model declined: No.',
      'No.',
    ],
    [
      'nothing',
      says('', { finish_reason: 'content_filter' }),
      'an empty reply (finish_reason content_filter)',
      '',
    ],
  ])('by %s at every try, too', async (_, fault, why, raw) => {
    server = await fakeChatServer(only([3], fault));
    const { told, grading } = await graded({ price, retries: 2 });
    expect(grading).toEqual({});
    expect(told.get('q3/0')).toEqual({
      ...verdict,
      reason: `no verdict: 3 calls without a grade, the last: ${why}`,
      raw,
      cost: { calls: 3, inputTokens: 300, outputTokens: 60, price: expect.closeTo(3 * rate, 12) },
    });
  });

  it('at the second question has what the first said, and the cost of both', async () => {
    server = await fakeChatServer(only([3], unanswered, 'coherence'));
    const { told } = await graded({ price, retries: 1 });
    expect(told.get('q3/0')).toMatchObject({
      ...verdict,
      raw: '{"reason":"behaviour 90","score":90}\nI would rather not.',
      cost: { calls: 3, inputTokens: 300, outputTokens: 60, price: expect.closeTo(3 * rate, 12) },
    });
  });

  it('counts in the budget of a later run', async () => {
    server = await fakeChatServer(only([1], unanswered));
    const { told, grading } = await graded({ maxCalls: 9, retries: 2, concurrency: 1 });
    expect(grading).toEqual({ stopped: 'judge.max_calls 9 is used up' });
    expect([...told.keys()].sort()).toEqual(ids(0, 1, 2, 3));
    const calls = [...told.values()].reduce((sum, { cost }) => sum + cost.calls, 0);
    expect(calls).toBe(server.asked.length);
  });

  it('does not keep the others from theirs, wherever it stands', async () => {
    for (const concurrency of [1, 8]) {
      server = await fakeChatServer(only([0, 1, 3, 4, 6, 7, 9, 11], refuses(400, 'no')));
      const { told, grading } = await graded({ concurrency });
      expect(grading).toEqual({});
      expect([...told.keys()].sort()).toEqual(items.map(({ id }) => id).sort());
      for (const [id, { reason }] of told)
        expect(reason.startsWith('no verdict: ')).toBe(!ids(2, 5, 8, 10).includes(id));
      await server.close();
    }
    server = await fakeChatServer();
  });

  it('is not told where it is one of three in a row, which end it', async () => {
    for (const concurrency of [1, 8]) {
      server = await fakeChatServer(only([2, 3, 4], unanswered));
      const { told, error } = await graded({ retries: 0, concurrency });
      expect(error?.name).toBe('InputError');
      expect(error?.message).toMatch(
        'no verdict on 3 completions in a row; the first, q2/0: 1 call without a grade, the last: a reply without',
      );
      for (const id of ids(2, 3, 4)) expect(told.has(id)).toBe(false);
      // Those under way beside them are finished.
      expect([...told.keys()]).toEqual(expect.arrayContaining(ids(0, 1)));
      if (concurrency === 1) expect(told.size).toBe(2);
      await server.close();
    }
    server = await fakeChatServer();
  });
});

describe('a reply that ends at its limit before an answer', () => {
  const thinks = says('<think>At first sight {"reason": "Bad.", "score": 95}, but', {
    finish_reason: 'length',
  });

  it.each<[string, Fault]>([
    ['within its thoughts', thinks],
    ['with its thoughts elsewhere', says('', { finish_reason: 'length' })],
    ['in prose', says('It may be {"score": 95}, but', { finish_reason: 'MAX_TOKENS' })],
    ['without saying so', says('Hm', { finish_reason: null })],
  ])('%s is no verdict: it is told, and asked for again by a later run', async (_, fault) => {
    server = await fakeChatServer(only([5], fault));
    const notes: string[] = [];
    const { told, error } = await graded({ replyTokens: 20, note: (line) => void notes.push(line) });
    expect(error?.name).toBe('InputError');
    expect(error?.message).toMatch(
      'no verdict on 1 of 12 completions; the first, q5/0: 2 calls without a grade, the last: a reply ended at its limit of 20 tokens before it had an answer: raise judge.reply_tokens',
    );
    expect(told.size).toBe(items.length - 1);
    expect(notes).toEqual([expect.stringMatching(/a reply ended at its limit of 20 tokens/)]);
  });

  it('whose grade is whole is a grade', async () => {
    server = await fakeChatServer(
      only([5], (response, good) =>
        response.writeHead(200).end(good.replace('"finish_reason":"stop"', '"finish_reason":"length"')),
      ),
    );
    expect((await graded()).told.size).toBe(items.length);
  });
});

describe('an error that comes with status 200', () => {
  const body = (value: unknown): Fault => {
    return (response) => response.writeHead(200).end(JSON.stringify(value));
  };

  it.each<[string, unknown, string]>([
    ['of a router', { error: { message: 'Provider returned error', code: 429 } }, 'Provider returned error'],
    ['as a text', { error: 'upstream timed out' }, 'upstream timed out'],
    ['in a list', [{ error: { message: 'later', code: 503 } }], 'later'],
    ['as errors', { errors: [{ message: 'later' }] }, 'later'],
    ['as an object', { object: 'error', message: 'later', code: 50001 }, 'later'],
    ['as a detail', { detail: 'later' }, 'later'],
    ['with no choices', { choices: null, base_resp: { status_code: 1002, status_msg: 'later' } }, 'later'],
    [
      'in a choice',
      {
        choices: [
          { error: { message: 'later', code: 502 }, message: { content: '' }, finish_reason: 'error' },
        ],
      },
      'later',
    ],
    [
      'as the end of a choice',
      { choices: [{ message: { content: '{"score": 90}' }, finish_reason: 'error' }] },
      'finish_reason error',
    ],
    [
      'beside a choice',
      { error: { message: 'later' }, choices: [{ message: { content: '{"score": 90}' } }] },
      'later',
    ],
    ['of a request', { error: { message: 'later', code: 400 } }, 'later'],
    ['of nothing', {}, 'a reply without choices[0].message'],
  ])('%s is repeated, and never a grade', async (_, value, why) => {
    server = await fakeChatServer(only([5], body(value)));
    const { told, error } = await graded({ retries: 1 });
    expect(error?.message).toMatch(
      'no verdict on 1 of 12 completions; the first, q5/0: 2 calls without a grade',
    );
    expect(error?.message).toMatch(why);
    expect(told.has('q5/0')).toBe(false);
  });

  it.each([{ code: 401 }, { code: '402' }, { code: 'invalid_api_key' }])(
    '%o ends it at once',
    async (code) => {
      server = await fakeChatServer(() => body({ error: { message: 'no', ...code } }));
      const { error } = await graded();
      expect(error?.message).toMatch(/^judge .*: status 200: no$/);
      expect(server.asked).toHaveLength(1);
    },
  );

  it.each([
    { error: null },
    { error: {} },
    { error: { message: null, code: null } },
    { error: { code: 0, message: '' } },
  ])('%o is none', async (parts) => {
    server = await fakeChatServer(() => (response, good) => {
      response.writeHead(200).end(JSON.stringify({ ...JSON.parse(good), ...parts }));
    });
    expect((await graded()).grading).toEqual({});
  });
});

it('a quota that is used up is no passing fault', async () => {
  server = await fakeChatServer(() => (response) => {
    response.writeHead(429).end('{"error": {"message": "no credit", "code": "insufficient_quota"}}');
  });
  const { error } = await graded();
  expect(error?.message).toMatch(/status 429: no credit$/);
  expect(server.asked).toHaveLength(1);
});

describe('a server that does not answer', () => {
  const failing = refuses(503, 'overloaded');

  it('is an error at the end, not a verdict, and a later run goes on', async () => {
    server = await fakeChatServer(only([5, 8], failing));
    const { told, error } = await graded({ retries: 1 });
    expect(error?.name).toBe('InputError');
    expect(error?.message).toMatch(
      'no verdict on 2 of 12 completions; the first, q5/0: 2 calls without a grade, the last: status 503: overloaded',
    );
    expect([...told.keys()].sort()).toEqual(ids(0, 1, 2, 3, 4, 6, 7, 9, 10, 11).sort());
  });

  it('counts with those that are refused as three in a row', async () => {
    server = await fakeChatServer((asked) => only([2, 4], unanswered)(asked) ?? only([3], failing)(asked));
    const { told, error } = await graded({ retries: 0, concurrency: 1 });
    expect(error?.message).toMatch('no verdict on 3 completions in a row; the first, q2/0');
    expect([...told.keys()]).toEqual(ids(0, 1));
    expect(server.asked).toHaveLength(2 * 2 + 3);
  });

  it('with something that is no answer of a model, either', async () => {
    server = await fakeChatServer(only([5], (response) => response.writeHead(200).end('<html>')));
    const { told, error } = await graded({ retries: 0 });
    expect(error?.message).toMatch('no verdict on 1 of 12 completions; the first, q5/0');
    expect(told.size).toBe(items.length - 1);
  });
});
