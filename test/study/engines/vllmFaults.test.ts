/** A vLLM server that fails in every way it can: nothing is lost, nothing told twice, and no key is shown. */

import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { localEngine } from '../../../src/methods/completions/localEngine.ts';
import type { Completion, Sampler } from '../../../src/methods/completions/sample.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { captureCall } from '../../../src/study/engines/vllm/completionCall.ts';
import { servedModel } from '../../../src/study/engines/vllm/servedModel.ts';
import { openServer, type ServerOptions } from '../../../src/study/engines/vllm/server.ts';
import { type EngineModels, engineModels } from '../../support/engineModels.ts';
import { layer, putAll, width } from '../../support/tinyFolder.ts';
import { type VllmFault, type VllmServer, vllmServer } from '../../support/vllmServer.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-faults-'));
const runtime = nodeRuntime({ threads: 1 });
const key = 'sk-1a2b3c4d5e6f7g8h9i0j';
let models: EngineModels;
beforeAll(async () => {
  models = await engineModels(await putAll(folder));
});
let server: VllmServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const json = { 'content-type': 'application/json' };
const status =
  (code: number, headers: Record<string, string> = {}, said = 'not now'): VllmFault =>
  (response) =>
    response.writeHead(code, headers).end(JSON.stringify({ error: { message: said } }));
const body =
  (of: (good: string) => string): VllmFault =>
  async (response, good) =>
    response.writeHead(200, json).end(of(await good()));

interface Choice {
  readonly token_ids: readonly number[];
  readonly prompt_token_ids: readonly number[];
  readonly logprobs: { readonly token_logprobs: readonly number[] };
}
/** The good reply with its choice changed. */
const choice = (change: (one: Choice) => object): VllmFault =>
  body((good) => {
    const reply = JSON.parse(good) as { readonly choices: readonly [Choice] };
    return JSON.stringify({ ...reply, choices: [{ ...reply.choices[0], ...change(reply.choices[0]) }] });
  });

/** After which the same request is sent again. */
const repeated: Readonly<Record<string, VllmFault>> = {
  '429 with Retry-After in seconds': status(429, { 'retry-after': '2' }),
  '429 without Retry-After': status(429),
  '408': status(408),
  '500 with an error of the engine': status(500, {}, 'EngineCore encountered an issue'),
  '502 with a page': (response) => response.writeHead(502).end('<html>Bad gateway</html>'),
  '503 while it starts': status(503),
  'a hang before the head': () => {},
  'a hang within the body': async (response, good) => {
    const whole = await good();
    response.writeHead(200, json).write(whole.slice(0, 40));
  },
  'a connection reset': (response) => response.socket?.resetAndDestroy(),
  'a body shorter than announced': async (response, good) => {
    const whole = await good();
    response
      .writeHead(200, { ...json, 'content-length': `${whole.length}` })
      .write(whole.slice(0, 40), () => response.socket?.destroy());
  },
  'half a body': body((good) => good.slice(0, good.length / 2)),
  'a body that is no JSON': body(() => 'pong'),
  'an empty body': body(() => ''),
  'no choices': body((good) => JSON.stringify({ ...JSON.parse(good), choices: [] })),
  'an error with status 200': body(() => JSON.stringify({ error: { message: 'aborted', code: 500 } })),
  'no token ids': choice(() => ({ token_ids: null })),
  'no ids of the prompt': choice(() => ({ prompt_token_ids: undefined })),
  'ids of another kind': choice(() => ({ token_ids: ['a'] })),
  'fewer log-probabilities than ids': choice(({ logprobs }) => ({
    logprobs: { ...logprobs, token_logprobs: logprobs.token_logprobs.slice(1) },
  })),
  'a log-probability that is missing': choice(({ logprobs }) => ({
    logprobs: { ...logprobs, token_logprobs: logprobs.token_logprobs.map(() => null) },
  })),
  'a completion that was cut off': choice(({ token_ids, logprobs }) => ({
    finish_reason: 'abort',
    token_ids: token_ids.slice(0, 2),
    logprobs: { ...logprobs, token_logprobs: logprobs.token_logprobs.slice(0, 2) },
  })),
  'no tokens at all': choice(({ logprobs }) => ({
    token_ids: [],
    logprobs: { ...logprobs, token_logprobs: [] },
  })),
  'more than it may hold': (response) => response.writeHead(200, json).end(' '.repeat(2 ** 22)),
};

/** Which no repeat helps with, and what is said of each. */
const refused: Readonly<Record<string, readonly [VllmFault, RegExp]>> = {
  '401': [status(401, {}, 'no such key'), /^sampling\.engine \S+: status 401: no such key$/],
  '404': [status(404, {}, 'The model `m` does not exist.'), /status 404: The model `m` does not exist\.$/],
  '400': [status(400, {}, 'maximum context length'), /status 400: maximum context length$/],
  'a redirect': [(response) => response.writeHead(302, { location: '/' }).end(), /status 302$/],
  'a wait of hours': [status(429, { 'retry-after': '7200' }), /asks to wait 7200 s \(status 429: not now\)$/],
  'other tokens than were sent': [
    choice(({ prompt_token_ids }) => ({ prompt_token_ids: [1, ...prompt_token_ids] })),
    /expected the server to read the prompt as it was sent, found other tokens from token \d+ on/,
  ],
  'an id beyond the vocabulary': [
    choice(({ token_ids }) => ({ token_ids: token_ids.map(() => 99999) })),
    /expected token ids below the model's 272, found 99999$/,
  ],
};

const jobs = () =>
  ['What of this?', 'The hen'].map((text) => ({
    prompt: models.subject.codec.encodePrompt(text),
    seeds: [1, 2, 3, 4],
  }));

async function allOf(sampler: Sampler): Promise<Map<string, Completion>> {
  const told = new Map<string, Completion>();
  await sampler.sample(jobs(), { temperature: 1, maxTokens: 5, endIds: [] }, (job, index, one) => {
    expect(told.has(`${job}/${index}`)).toBe(false);
    told.set(`${job}/${index}`, one);
  });
  return told;
}

/** A sampler on a server whose requests meet the fault as often as `times` says. */
async function faulty(
  fault: VllmFault,
  times: (before: number) => boolean,
  over: Partial<ServerOptions> = {},
) {
  const waits: number[] = [];
  const notes: string[] = [];
  server = await vllmServer(
    runtime,
    { m: models.subject },
    { fault: ({ before }) => (times(before) ? fault : undefined) },
  );
  const opened = openServer({
    ...{ baseUrl: server.baseUrl, apiKey: key, timeoutS: 20, retries: 2, field: 'sampling.engine' },
    note: (line) => notes.push(line),
    sleep: async (seconds) => void waits.push(seconds),
    ...over,
  });
  const raw = servedModel(opened, { model: 'm', concurrency: 3, vocabulary: 272, width });
  return { sampler: raw.sampler({ capacity: 64 }), raw, opened, waits, notes };
}

const messageOf = (error: unknown) => {
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
};

describe('what may pass is asked for again, and nothing is lost or told twice', () => {
  it.each(Object.entries(repeated))('%s', async (name, fault) => {
    const own = await allOf(
      await localEngine(runtime, models.subject.model).sampler({ capacity: 64, rows: 2 }),
    );
    const timeoutS = name.startsWith('a hang') ? 1 : 20;
    const { sampler, waits, notes } = await faulty(fault, (before) => before === 0, { timeoutS });
    expect([...(await allOf(sampler))].sort()).toEqual([...own].sort());
    expect(waits.length).toBeGreaterThanOrEqual(8);
    expect(notes).toHaveLength(1);
    expect(notes[0]).not.toContain('\n');
  });

  it.each(Object.entries(repeated))('%s, at every try: one line says so', async (name, fault) => {
    const timeoutS = name.startsWith('a hang') ? 0.2 : 20;
    const { sampler } = await faulty(fault, () => true, { timeoutS });
    const said = await allOf(sampler).then(
      () => 'it came to an end',
      (error: unknown) => messageOf(error),
    );
    expect(said).toMatch(/^sampling\.engine http:\S+: 3 requests without an answer, the last: ./);
    expect(said).not.toContain('\n');
  });
});

describe('what no repeat helps with ends it at once, in one line', () => {
  it.each(Object.entries(refused))('%s', async (_name, [fault, expected]) => {
    const { sampler, waits } = await faulty(fault, () => true);
    const said = messageOf(await allOf(sampler).catch((error: unknown) => error));
    expect(said).toMatch(expected);
    expect(said).not.toContain('\n');
    expect(waits).toEqual([]);
  });
});

it('a key that a server echoes is shown nowhere', async () => {
  const echo = (response: ServerResponse) =>
    response
      .writeHead(418)
      .end(`{"error": {"message": "you sent Bearer ${key} and ${encodeURIComponent(key)}"}}`);
  const { sampler, opened } = await faulty(echo, () => true);
  const said = messageOf(await allOf(sampler).catch((error: unknown) => error));
  expect(said).toContain('you sent Bearer ***');
  expect(said + opened.where).not.toContain(key);
});

it('waits as long as it is asked to, for all requests', async () => {
  const { sampler, waits } = await faulty(status(429, { 'retry-after': '7' }), (before) => before === 0);
  await allOf(sampler);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(7);
});

it('sends no more requests at once than it may', async () => {
  const { sampler } = await faulty(status(500), () => false, { timeoutS: 30 });
  await allOf(sampler);
  expect(server!.busiest()).toBeLessThanOrEqual(3);
});

describe('residuals', () => {
  const ids = () => models.subject.codec.encodePrompt('The hen');
  const asked = () => captureCall({ model: 'm', prompt: ids(), vocabulary: 272, layer, width });
  const activations = (change: (sent: Record<string, unknown>) => object): VllmFault =>
    body((good) => {
      const reply = JSON.parse(good);
      const sent = reply.activations.residual_stream;
      return JSON.stringify({ ...reply, activations: { residual_stream: { ...sent, ...change(sent) } } });
    });

  it.each<[string, VllmFault, RegExp]>([
    [
      'of another shape',
      activations(() => ({ shape: [1, 2, 3] })),
      /residuals of shape \[1,2,3\] where \[1,\d+,16\] was/,
    ],
    [
      'cut short',
      activations(() => ({ data: 'AAAA', compression: null })),
      /residuals of 3 bytes where \d+ belong/,
    ],
    [
      'of another type',
      activations(() => ({ original_dtype: 'torch.int8' })),
      /expected residuals in torch\.float32, .* found torch\.int8/,
    ],
    [
      'packed otherwise',
      activations(() => ({ compression: 'lz4' })),
      /expected residuals packed by zstd, found lz4/,
    ],
    [
      'that are absent',
      body((good) => JSON.stringify({ ...JSON.parse(good), activations: undefined })),
      /is the plugin vllm-lens installed/,
    ],
  ])('%s are refused in a line', async (_name, fault, expected) => {
    const { opened } = await faulty(fault, () => true);
    expect(messageOf(await opened.ask(asked()).catch((error: unknown) => error))).toMatch(expected);
  });
});
