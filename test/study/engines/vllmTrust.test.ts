/**
 * What is found of a vLLM server before anything is paid for: its model, adapter, precision, template, plugin; and
 * that it is still the same afterwards. The server is a stand-in; what it holds is known.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/methods/completions/engine.ts';
import { localEngine } from '../../../src/methods/completions/localEngine.ts';
import type { Completion, SampleJob, SampleOptions } from '../../../src/methods/completions/sample.ts';
import { addedVector, projectionsHeldAt } from '../../../src/methods/steering/steer.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { cannotUnpack } from '../../../src/study/engines/vllm/wireTensor.ts';
import { type OpenModel, openModel } from '../../../src/study/open/openModel.ts';
import { type EngineModels, engineModels, openVllm } from '../../support/engineModels.ts';
import { layer, putAll, putModel, tiny as tinyWeights, width } from '../../support/tinyFolder.ts';
import { type VllmServer, type VllmServerOptions, vllmServer } from '../../support/vllmServer.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-trust-'));
const runtime = nodeRuntime({ threads: 1 });
let models: EngineModels;
let stranger: OpenModel;
beforeAll(async () => {
  models = await engineModels(await putAll(folder));
  const weights = new Map(tinyWeights.weights);
  for (const [name, { data, shape, dtype }] of weights)
    if (name.includes('mlp')) weights.set(name, { dtype, shape, data: data.map((x) => -x) });
  stranger = await openModel(await putModel(join(folder, 'stranger'), { ...tinyWeights, weights }));
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

async function serve(
  served: Readonly<Record<string, OpenModel>> = {},
  options: VllmServerOptions = {},
): Promise<VllmServer> {
  server = await vllmServer(runtime, { base: models.reference, tuned: models.subject, ...served }, options);
  return server;
}

const options: SampleOptions = { temperature: 1, maxTokens: 6, endIds: [] };
const prompt = (text: string) => models.subject.codec.encodePrompt(text);

async function sampled(engine: Engine, jobs: readonly SampleJob[], over: Partial<SampleOptions> = {}) {
  const told = new Map<string, Completion>();
  const made = await engine.sampler({ capacity: 64, rows: 4, steerAt: layer });
  await made.sample(jobs, { ...options, ...over }, (job, index, one) => {
    expect(told.has(`${job}/${index}`)).toBe(false);
    told.set(`${job}/${index}`, one);
  });
  await made.release();
  return told;
}

describe('a server that holds the model', () => {
  it('gives the bytes of this machine, steered too', async () => {
    const { baseUrl } = await serve();
    const { engine } = openVllm(baseUrl, models, runtime);
    const steer = addedVector(Float32Array.from({ length: width }, (_, i) => Math.cos(i)));
    const jobs = ['What of this?', 'The hen'].flatMap((text): SampleJob[] => [
      { prompt: prompt(text), seeds: [1, -7] },
      { prompt: prompt(text), seeds: [1, -7], steer },
    ]);
    const own = await sampled(localEngine(runtime, models.subject.model), jobs);
    const found = await sampled(engine, jobs);
    expect([...found].sort()).toEqual([...own].sort());
  });

  it('is told of in lines, and as facts without the key', async () => {
    const { baseUrl, asked } = await serve();
    const key = 'sk-1234567890abcdefghij';
    const { engine, notes } = openVllm(
      baseUrl,
      models,
      runtime,
      { api_key_env: 'KEY' },
      { environment: { KEY: key } },
    );
    await engine.ready(layer);
    expect(notes[0]).toMatch(
      /^vLLM 0\.30\.0\+cpu at http:\S+: tuned answers as the subject of the local files: log-probabilities of \d+ tokens differ by \S+ nats on average\. The same request alone and among 8: the same tokens, log-probabilities the same\.$/,
    );
    expect(notes[1]).toMatch(
      /steers at resid_post 1 as the local files do: .* changes log-probabilities by \S+ nats a token, \S+ nats off; residuals /,
    );
    expect(notes).toHaveLength(2);
    expect(engine.facts()).toMatchObject({
      ...{ engine: 'vllm', version: '0.30.0+cpu', model: 'tuned', root: '/models/tuned', max_model_len: 256 },
      ...{ crowd_difference: 0, crowd_tokens: 'same', steers: 'all, prompt, completion' },
      ...(cannotUnpack === undefined && { precision: 'float32' }),
    });
    expect(Number(engine.facts()!.difference)).toBeLessThan(1e-5);
    expect(JSON.stringify([notes, engine.facts(), engine.name])).not.toContain(key);
    expect(asked.every(({ headers }) => headers.authorization === `Bearer ${key}`)).toBe(true);
  });

  it('is asked with nothing left to its own defaults', async () => {
    const { baseUrl, asked } = await serve();
    const { engine } = openVllm(baseUrl, models, runtime);
    const { engine: cold } = openVllm(baseUrl, models, runtime);
    await sampled(engine, [{ prompt: prompt('Hen'), seeds: [-1] }], { topK: 40, topP: 0.9, minP: 0.01 });
    const sent = asked.find(({ body }) => body.seed === 4294967295)!;
    expect(sent.path).toBe('/v1/completions');
    expect(sent.body).toEqual({
      ...{ model: 'tuned', prompt: prompt('Hen'), max_tokens: 6, temperature: 1 },
      ...{ top_p: 0.9, top_k: 40, min_p: 0.01, seed: 4294967295, n: 1, stream: false },
      ...{ repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0, logprobs: 1 },
      ...{ ignore_eos: true, stop_token_ids: [], add_special_tokens: false },
      ...{ return_token_ids: true, return_tokens_as_token_ids: true },
      vllm_xargs: { skip_reading_prefix_cache: 1 },
    });
    await expect(
      sampled(cold, [{ prompt: prompt('Hen'), seeds: [1] }], { temperature: 0.005 }),
    ).rejects.toThrow('temperature: expected 0 or at least 0.01, the lowest that vLLM takes, found 0.005');
  });

  it('makes added vectors, not projections held', async () => {
    const { baseUrl } = await serve();
    const { engine } = openVllm(baseUrl, models, runtime);
    await engine.ready(layer);
    const unit = new Float32Array(width);
    unit[0] = 1;
    expect(engine.makes(projectionsHeldAt([unit], unit))).toBe(false);
    expect(engine.makes({ ...addedVector(unit), subtracted: { latent: 1, direction: unit } })).toBe(false);
    for (const tokens of ['all', 'prompt', 'completion'] as const)
      expect(engine.makes(addedVector(unit, tokens))).toBe(true);
  });
});

/** What opening it is refused with. */
async function refusedWith(
  served: Readonly<Record<string, OpenModel>>,
  serverOptions: VllmServerOptions = {},
  over: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { baseUrl } = await serve(served, serverOptions);
  const { engine } = openVllm(baseUrl, models, runtime, over);
  const error = await engine.ready(layer).then(
    () => new Error('it was taken'),
    (found: unknown) => found as Error,
  );
  expect(error.name).toBe('InputError');
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('a server that holds something else is named for what it is', () => {
  it('without the adapter', async () => {
    expect(await refusedWith({ tuned: models.reference })).toMatch(
      /^sampling\.engine: vLLM at http:\S+: tuned: expected it to answer as the subject, found that it answers as the reference: its log-probabilities are off by \S+ nats a token from the former's, by \S+ nats from the latter's$/,
    );
  });

  it('another model', async () => {
    expect(await refusedWith({ tuned: stranger })).toMatch(
      /tuned: expected it to answer as the subject, found another model, adapter or precision: its log-probabilities are off by \S+ nats a token, and it takes tokens that/,
    );
  });

  it('no such name', async () => {
    expect(await refusedWith({}, {}, { adapter: 'tunde' })).toMatch(
      /^sampling\.engine\.adapter: expected a model that http:\S+ serves \(base, tuned\), found "tunde"$/,
    );
  });

  it('without the plugin', async () => {
    expect(await refusedWith({}, { plugin: false })).toMatch(
      /expected steering at every token to do as the local files do, found its log-probabilities off by .*: is the plugin vllm-lens installed in the server, and not switched off\?$/,
    );
  });

  it('a key that is not set, and a server that is not there', async () => {
    const { baseUrl, close } = await serve();
    expect(() => openVllm(baseUrl, models, runtime, { api_key_env: 'NO_KEY' })).toThrow(
      'sampling.engine.api_key_env: environment variable NO_KEY is not set',
    );
    await close();
    server = undefined;
    await expect(openVllm(baseUrl, models, runtime, { retries: 0 }).engine.ready()).rejects.toThrow(
      /^sampling\.engine http:\S+: 1 request without an answer, the last: no connection: /,
    );
  });

  it('a context that is too short for the study', async () => {
    const { baseUrl } = await serve({}, { maxModelLen: 128 });
    const { engine } = openVllm(baseUrl, models, runtime);
    await expect(engine.sampler({ capacity: 200 })).rejects.toThrow(
      /expected room for 200 tokens of prompt and completion, found 128 \(--max-model-len\)$/,
    );
  });
});

describe('what is told, and taken all the same', () => {
  it('a lower precision', async () => {
    const { baseUrl } = await serve({}, { noise: 0.03 });
    const { engine, notes } = openVllm(baseUrl, models, runtime);
    await engine.ready();
    expect(notes[0]).toContain('on average: a lower precision than the one here.');
    expect(Number(engine.facts()!.difference)).toBeGreaterThan(0.005);
  });

  it('another tokenizer or template, which ids pass by', async () => {
    const { baseUrl } = await serve({}, { tokenize: ({ messages }) => (messages ? [1] : prompt('x')) });
    const { engine, notes } = openVllm(baseUrl, models, runtime);
    await engine.ready();
    expect(notes[1]).toBe(
      'sampling.engine: its tokenizer makes other tokens of a text; prompts are sent as token ids, so that it has no part in them',
    );
    const own = prompt;
    await server!.close();
    const second = await serve(
      {},
      { tokenize: ({ messages, prompt: text }) => (messages ? [1] : own(text as string)) },
    );
    const other = openVllm(second.baseUrl, models, runtime);
    await other.engine.ready();
    expect(other.engine.facts()!.text).toBe('its chat template makes another prompt of a message');
  });

  it('places counted from where each pass begins: only vectors at every token are left to it', async () => {
    const { baseUrl } = await serve({}, { placesOfPass: true });
    const { engine } = openVllm(baseUrl, models, runtime);
    await engine.ready(layer);
    expect(engine.facts()).toMatchObject({ steers: 'all' });
    const vector = new Float32Array(width);
    expect(
      ['all', 'prompt', 'completion'].map((tokens) => engine.makes(addedVector(vector, tokens as 'all'))),
    ).toEqual([true, false, false]);
  });

  it('residuals that are packed: read, or refused in a line where this Node cannot', async () => {
    const { baseUrl } = await serve({}, { packed: true, precision: 'bfloat16' });
    const { engine } = openVllm(baseUrl, models, runtime);
    const capture = await engine.residuals(layer);
    const read = capture.run(prompt('The hen'));
    if (cannotUnpack !== undefined) {
      await expect(read).rejects.toThrow(
        /^sampling\.engine http:\S+: residuals come packed by zstd, which Node unpacks from version 22\.15 on, found \d/,
      );
      return;
    }
    const own = await (await localEngine(runtime, models.subject.model).residuals(layer)).run(
      prompt('The hen'),
    );
    for (const [i, x] of (await read).entries())
      expect(Math.abs(x - own[i]!)).toBeLessThan(Math.abs(own[i]!) / 128);
  });
});

describe('a model that is swapped between two calls', () => {
  it('is noticed, and nothing that came since the last check is kept', async () => {
    const many = 200;
    let completions = 0;
    const { baseUrl, swap } = await serve(
      {},
      {
        fault: ({ body }) => {
          if (body.max_tokens === 3 && ++completions === 150) swap('tuned', models.reference);
          return undefined;
        },
      },
    );
    const { engine } = openVllm(baseUrl, models, runtime);
    const kept: string[] = [];
    const made = await engine.sampler({ capacity: 64 });
    const jobs = [{ prompt: prompt('The hen'), seeds: Array.from({ length: many }, (_, i) => i) }];
    await expect(
      made.sample(jobs, { ...options, maxTokens: 3 }, (_, index) => void kept.push(`${index}`)),
    ).rejects.toThrow(
      /^sampling\.engine: vLLM at \S+: tuned: its answers are no longer those that this run began with, by \S+ nats a token: /,
    );
    expect(completions).toBeGreaterThanOrEqual(150);
    // 64 at a time: those of the first two checks, all before the swap
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(150);
    expect(new Set(kept).size).toBe(kept.length);
  });
});
