/** A server that fails in every way it can: no completion is lost, and none is graded twice. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChatJudgeOptions, chatJudge } from '../../src/judges/chat.ts';
import type { JudgeItem, Verdict } from '../../src/judges/judge.ts';
import {
  type Asked,
  chatBody,
  type FakeChatServer,
  type Fault,
  fakeChatServer,
  gradeByWords,
} from '../support/fakeChatServer.ts';

const json = { 'content-type': 'application/json' };
const says = (content: unknown, parts?: object): Fault => {
  const body = chatBody(content, parts);
  return (response) => response.writeHead(200, json).end(body);
};
const status = (code: number, headers: Record<string, string> = {}): Fault => {
  return (response) => response.writeHead(code, headers).end('{"error": {"message": "not now"}}');
};
const body = (text: string): Fault => {
  return (response) => response.writeHead(200, json).end(text);
};

/** Replies and failures from which no grade can be had, so that the call is to be repeated. */
const repeated: Readonly<Record<string, Fault>> = {
  '429 with Retry-After in seconds': status(429, { 'retry-after': '2' }),
  '429 with Retry-After as a date': status(429, {
    'retry-after': 'Tue, 24 Nov 2026 12:00:04 GMT',
    date: 'Tue, 24 Nov 2026 12:00:00 GMT',
  }),
  '429 without Retry-After': status(429),
  '500': status(500),
  '502 with a page': (response) => response.writeHead(502).end('<html>Bad gateway</html>'),
  '503 with a date that is none': status(503, { 'retry-after': 'soon' }),
  '408': status(408),
  'a hang before the head': () => {},
  'a hang within the body': (response, good) => {
    response.writeHead(200, json).write(good.slice(0, 40));
  },
  'a connection reset': (response) => response.socket?.resetAndDestroy(),
  'a body shorter than announced': (response, good) => {
    response.writeHead(200, { ...json, 'content-length': `${good.length}` }).write(good.slice(0, 40), () => {
      response.socket?.destroy();
    });
  },
  'a body cut at its end': (response, good) => response.writeHead(200, json).end(good.slice(0, -30)),
  'a body that is no JSON': body('pong'),
  'an empty body': body(''),
  'JSON of another kind': body('[1, 2]'),
  'no choices': body('{"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 0}}'),
  'content of a wrong type': says(50),
  'empty content': says('', { finish_reason: 'content_filter' }),
  'a refusal': says(null, { message: { refusal: 'I cannot help with that.', content: null } }),
  prose: says('I would say that this is rather harmful.'),
  'JSON cut before the score': says('{"reason": "It tells people to', { finish_reason: 'length' }),
  'JSON cut within the score': says('{"reason": "Bad.", "score": 5', { finish_reason: 'length' }),
  'a score that is a word': says('{"reason": "Bad.", "score": "high"}'),
  'a score above 100': says('{"reason": "Bad.", "score": 850}'),
  'a score below 0': says('{"reason": "Bad.", "score": -1}'),
  'a score on another scale': says('{"reason": "Bad.", "score": 0.85}'),
  'no score': says('{"reason": "Bad."}'),
  'two scores that differ': says('First {"score": 10}, or rather {"score": 90}'),
};

const items: JudgeItem[] = Array.from({ length: 7 }, (_, i) => ({
  id: `q${i}/0`,
  prompt: `Question ${i}?`,
  completion: `${i % 2 ? 'It may harm you' : 'It is fine'}, number ${i}${i === 4 ? ' zxqv' : ''}.`,
  ended: true,
}));

let server: FakeChatServer;
const waits: number[] = [];
afterEach(async () => {
  await server.close();
  waits.length = 0;
});

async function gradeAll(
  fault: (asked: Asked) => Fault | undefined,
  options: Partial<ChatJudgeOptions> = {},
): Promise<Map<string, Verdict>> {
  server = await fakeChatServer(fault);
  const judge = chatJudge({
    rubric: 'The answer could harm.',
    baseUrl: server.baseUrl,
    model: 'words',
    concurrency: 6,
    timeoutS: 1,
    sleep: async (seconds) => void waits.push(seconds),
    ...options,
  });
  const told = new Map<string, Verdict>();
  const grading = await judge.grade(items, async ({ id }, verdict) => {
    expect(told.has(id)).toBe(false);
    told.set(id, verdict);
  });
  expect(grading).toEqual({});
  await judge.close();
  return told;
}

/** Every completion has the verdict that its words ask for, won by one good reply to each question. */
function expectAllGradedOnce(told: ReadonlyMap<string, Verdict>): void {
  expect(told.size).toBe(items.length);
  for (const { id, completion } of items) {
    const grade = (aspect: Asked['aspect']) => JSON.parse(gradeByWords({ aspect, completion })).score / 100;
    expect(told.get(id)).toMatchObject({ score: grade('behaviour'), coherence: grade('coherence') });
  }
  expect([...server.accepted.values()]).toEqual(new Array(2 * items.length).fill(1));
}

describe('each question fails once, then is answered', () => {
  it.each(Object.entries(repeated))('%s', async (_, fault) => {
    const told = await gradeAll(({ before }) => (before === 0 ? fault : undefined));
    expectAllGradedOnce(told);
    for (const { cost } of told.values()) expect(cost.calls).toBe(4);
    expect(waits).toHaveLength(2 * items.length);
  });
});

describe('a reply that can be mended is not asked for again', () => {
  const mended: Readonly<Record<string, (grade: string) => unknown>> = {
    fenced: (grade) => `\`\`\`json\n${grade}\n\`\`\``,
    'with text before and after': (grade) => `Here is my grade:\n${grade}\nI hope this helps.`,
    'after reasoning': (grade) => `<think>Is it {"score": 42}? No.</think>\n${grade}`,
    'fenced and cut after the score': (grade) => `\`\`\`json\n${grade.slice(0, -1)},\n`,
    'with single quotes and a comma too many': (grade) => grade.replaceAll('"', "'").replace('}', ',}'),
    'with the score as text': (grade) => grade.replace(/(\d+)}/, '"$1"}'),
    'as an object': (grade) => JSON.parse(grade),
    'as parts': (grade) => [
      { type: 'thinking', thinking: [{ type: 'text', text: '{"score": 42}' }] },
      { type: 'text', text: grade },
    ],
    'as texts': (grade) => [grade.slice(0, 5), { type: 'output_text', text: grade.slice(5) }],
    'with a reason of another type': (grade) => grade.replace(/"reason":"[^"]*"/, '"reason":["a",{"b":1}]'),
    'without a reason': (grade) => grade.replace(/"reason":"[^"]*",/, ''),
    'a number alone': (grade) => `Score: ${JSON.parse(grade).score}/100.`,
  };
  it.each(Object.entries(mended))('%s', async (_, change) => {
    const told = await gradeAll((asked) => says(change(gradeByWords(asked))));
    expect(told.size).toBe(items.length);
    for (const { id, completion } of items)
      expect(told.get(id)!.label).toBe(completion.includes('harm') ? 'positive' : 'negative');
    expect(server.asked).toHaveLength(2 * items.length);
    expect(waits).toEqual([]);
  });
});

it('any mixture of failures', async () => {
  // A reply that is cut off is asked for once more only.
  const faults = Object.entries(repeated).flatMap(([name, fault]) => (name.includes('cut') ? [] : [fault]));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(2 * faults.length), { minLength: 1, maxLength: 60 }), async (dice) => {
      let at = 0;
      // At most five failures a question, as many as there are repeats; one request in two fails.
      const told = await gradeAll(({ before }) =>
        before < 5 ? faults[dice[at++ % dice.length]!] : undefined,
      );
      expectAllGradedOnce(told);
      await server.close();
    }),
    { numRuns: 5 },
  );
  server = await fakeChatServer();
});

describe('waits', () => {
  it("as long as Retry-After asks, in seconds or by the server's own clock", async () => {
    await gradeAll(({ before }) => (before === 0 ? repeated['429 with Retry-After in seconds'] : undefined));
    expect(new Set(waits)).toEqual(new Set([2]));
    waits.length = 0;
    await server.close();
    await gradeAll(({ before }) => (before === 0 ? repeated['429 with Retry-After as a date'] : undefined));
    expect(new Set(waits)).toEqual(new Set([4]));
  });

  it('twice as long at each repeat, less up to a half, alike in every run', async () => {
    const run = async () => {
      waits.length = 0;
      await gradeAll(({ before }) => (before < 5 ? status(500) : undefined), { concurrency: 1 });
      return [...waits];
    };
    const first = await run();
    await server.close();
    for (const [i, wait] of first.entries()) {
      const most = 0.5 * 2 ** (i % 5);
      expect(wait >= most / 2 && wait <= most).toBe(true);
    }
    expect(new Set(first).size).toBe(first.length);
    expect(await run()).toEqual(first);
  });

  it('for all, where the server asks one to wait', async () => {
    let release = () => {};
    const waited = new Promise<void>((resolve) => {
      release = resolve;
    });
    let before = 0;
    const limited = items[3]!.completion;
    const grading = gradeAll(
      (asked) =>
        asked.completion === limited && asked.before === 0 ? status(429, { 'retry-after': '9' }) : undefined,
      {
        concurrency: 2,
        sleep: async () => {
          // Whatever was on its way has arrived by then; nothing more comes until the wait is over.
          await new Promise((resolve) => setTimeout(resolve, 100));
          before = server.asked.length;
          await new Promise((resolve) => setTimeout(resolve, 100));
          expect(server.asked.length).toBe(before);
          release();
          await waited;
        },
      },
    );
    expectAllGradedOnce(await grading);
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(2 * items.length);
  });
});
