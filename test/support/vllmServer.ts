/**
 * A stand-in for vLLM with vllm-lens: the same HTTP, answered by this machine's engine on small models, so that its
 * answers are known; and it misbehaves as it is told. It reads requests by itself.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import PQueue from 'p-queue';
import { localEngine } from '../../src/methods/completions/localEngine.ts';
import type { Completion, SampledToken, Sampler } from '../../src/methods/completions/sample.ts';
import { addedVector, type SteeredTokens, type Steering } from '../../src/methods/steering/steer.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { cannotUnpack } from '../../src/study/engines/vllm/wireTensor.ts';
import type { OpenModel } from '../../src/study/open/openModel.ts';

export interface VllmAsked {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
  /** how often this very request has come before */
  readonly before: number;
  /** requests before it, of any kind */
  readonly number: number;
}

/** Sends something in place of the good reply, which it may ask for. */
export type VllmFault = (response: ServerResponse, good: () => Promise<string>) => unknown;

export interface VllmServerOptions {
  readonly fault?: (asked: VllmAsked) => VllmFault | undefined;
  /** whether residuals are packed, as those of the real one are; default where Node can unpack them */
  readonly packed?: boolean;
  readonly precision?: 'float32' | 'bfloat16';
  /** how far log-probabilities are off, as in a lower precision; default 0 */
  readonly noise?: number;
  /** without the plugin nothing is steered or captured; default true */
  readonly plugin?: boolean;
  /** places are counted from where each pass begins, as in vllm-lens 1.3.0; default false */
  readonly placesOfPass?: boolean;
  /** what it makes of text by itself; default as the model's files say */
  readonly tokenize?: (body: Readonly<Record<string, unknown>>) => number[];
  readonly maxModelLen?: number;
  readonly version?: string;
}

export interface VllmServer {
  readonly baseUrl: string;
  readonly asked: VllmAsked[];
  /** how often each completion got its good reply, by its request */
  readonly accepted: Map<string, number>;
  /** greatest number of requests at the same time */
  readonly busiest: () => number;
  /** Serves another model under a name from now on. */
  swap(name: string, model: OpenModel): void;
  close(): Promise<void>;
}

interface Sent {
  readonly activations: { readonly data: string; readonly dtype: string; readonly shape: readonly number[] };
  readonly layer_indices: readonly number[];
  readonly scale: number;
  readonly norm_match: boolean;
  readonly position_indices: readonly number[] | null;
}

interface CompletionBody {
  readonly model: string;
  readonly prompt: readonly number[];
  readonly max_tokens: number;
  readonly temperature: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly seed?: number;
  readonly ignore_eos?: boolean;
  readonly stop_token_ids?: readonly number[];
  readonly logprobs?: number;
  readonly return_token_ids?: boolean;
  readonly return_tokens_as_token_ids?: boolean;
  readonly vllm_xargs?: {
    readonly apply_steering_vectors?: string;
    readonly output_residual_stream?: string;
    readonly skip_reading_prefix_cache?: number;
  };
}

const json = { 'content-type': 'application/json' };

/** A frame of zstd whose blocks are not compressed: a valid one all the same. */
export function zstdFrame(bytes: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(bytes.length));
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0]), size];
  const most = 2 ** 17;
  for (let at = 0; at === 0 || at < bytes.length; at += most) {
    const block = bytes.subarray(at, at + most);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | Number(at + most >= bytes.length), 0, 3);
    parts.push(head, Buffer.from(block));
  }
  return Buffer.concat(parts);
}

/** The upper half of each float32, rounded to nearest. */
function bfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x) => (x + 0x7fff + ((x >>> 16) & 1)) >>> 16);
}

function vectorOf({ activations, scale }: Sent): Float32Array {
  if (activations.dtype !== 'float32') throw new Error(`a vector of ${activations.dtype}`);
  const bytes = Buffer.from(activations.data, 'base64');
  const [width] = activations.shape.slice(-1);
  return Float32Array.from({ length: width! }, (_, i) => scale * bytes.readFloatLE(4 * i));
}

function tokensOf({ position_indices }: Sent, prompt: number, broken: boolean): SteeredTokens | 'none' {
  if (position_indices === null) return 'all';
  const [first] = position_indices;
  if (first === 0) return broken ? 'all' : 'prompt';
  if (first !== prompt) throw new Error(`places from ${first} on, of a prompt of ${prompt} tokens`);
  return broken ? 'none' : 'completion';
}

function steeringIn(
  { vllm_xargs = {}, prompt }: CompletionBody,
  broken: boolean,
): { steer: Steering | undefined; layer: number } | undefined {
  if (vllm_xargs.apply_steering_vectors === undefined) return undefined;
  const [sent, ...more] = JSON.parse(vllm_xargs.apply_steering_vectors) as Sent[];
  if (!sent || more.length > 0 || sent.norm_match)
    throw new Error('more than one vector, or one with norm_match');
  const tokens = tokensOf(sent, prompt.length, broken);
  const steer = tokens === 'none' ? undefined : addedVector(vectorOf(sent), tokens);
  return { steer, layer: sent.layer_indices[0]! };
}

/** Starts on a free port of this machine. */
export async function vllmServer(
  runtime: Runtime,
  models: Readonly<Record<string, OpenModel>>,
  options: VllmServerOptions = {},
): Promise<VllmServer> {
  const { plugin = true, placesOfPass = false, packed = cannotUnpack === undefined, noise = 0 } = options;
  const { precision = 'float32', maxModelLen = 256, version = '0.30.0+cpu' } = options;
  const served = new Map(Object.entries(models));
  const asked: VllmAsked[] = [];
  const accepted = new Map<string, number>();
  const queue = new PQueue({ concurrency: 1 });
  /** loaded once for each model, way of drawing and layer */
  const samplers = new Map<OpenModel, Map<string, Promise<Sampler>>>();

  function samplerOf(opened: OpenModel, temperature: number, steerAt: number): Promise<Sampler> {
    const own = samplers.get(opened) ?? new Map<string, Promise<Sampler>>();
    samplers.set(opened, own);
    const key = `${steerAt}/${Math.sign(temperature)}/${temperature === 1}`;
    const found =
      own.get(key) ?? localEngine(runtime, opened.model).sampler({ rows: 1, capacity: maxModelLen, steerAt });
    own.set(key, found);
    return found;
  }

  async function sampled(body: CompletionBody, opened: OpenModel) {
    const steering = plugin ? steeringIn(body, placesOfPass) : undefined;
    const made = await samplerOf(opened, body.temperature, steering?.layer ?? 0);
    const tokens: SampledToken[] = [];
    let found: Completion | undefined;
    await made.sample(
      [{ prompt: body.prompt, seeds: [(body.seed ?? 1) | 0], steer: steering?.steer }],
      {
        temperature: body.temperature,
        ...(body.top_p !== undefined && { topP: body.top_p }),
        ...(body.top_k && { topK: body.top_k }),
        ...(body.min_p !== undefined && { minP: body.min_p }),
        maxTokens: body.max_tokens,
        endIds: body.stop_token_ids ?? [],
        alternatives: body.logprobs ?? 0,
        onToken: (_, __, token) => tokens.push(token),
      },
      (_, __, completion) => {
        found = completion;
      },
    );
    return { tokens, completion: found! };
  }

  async function captured(
    { prompt, vllm_xargs = {} }: CompletionBody,
    { model }: OpenModel,
    steer?: Steering,
  ) {
    const [layer] = JSON.parse(vllm_xargs.output_residual_stream!) as [number];
    const capture = await localEngine(runtime, model).residuals(layer);
    const values = await capture.run(prompt, steer?.add);
    await capture.release();
    const bits = precision === 'bfloat16' ? bfloat16(values) : values;
    const bytes = Buffer.from(bits.buffer, bits.byteOffset, bits.byteLength);
    return {
      residual_stream: {
        data: (packed ? zstdFrame(bytes) : bytes).toString('base64'),
        dtype: precision === 'bfloat16' ? 'int16' : 'float32',
        original_dtype: `torch.${precision}`,
        shape: [1, prompt.length, model.decoder.width],
        ...(packed && { compression: 'zstd' }),
      },
    };
  }

  const named = (id: number) => `token_id:${id}`;
  /** Off by up to `noise`, and always alike for the same token at the same place. */
  const off = (value: number, id: number, t: number) =>
    Math.max(-9999, value - noise * Math.abs(Math.sin(31 * id + 7 * t)));

  async function completionReply(body: CompletionBody, model: OpenModel): Promise<string> {
    const { tokens, completion } = await sampled(body, model);
    const wanted = body.vllm_xargs?.output_residual_stream !== undefined && plugin;
    const steer = wanted ? steeringIn(body, placesOfPass)?.steer : undefined;
    return JSON.stringify({
      id: 'cmpl-1',
      object: 'text_completion',
      model: body.model,
      choices: [
        {
          index: 0,
          text: '',
          finish_reason: completion.stop === 'length' ? 'length' : 'stop',
          stop_reason: null,
          ...(body.return_token_ids && { prompt_token_ids: body.prompt, token_ids: completion.ids }),
          ...(body.logprobs !== undefined && {
            logprobs: {
              text_offset: [],
              tokens: completion.ids.map(named),
              token_logprobs: tokens.map(({ id, logProbability }, t) => off(logProbability, id, t)),
              top_logprobs: tokens.map(({ id, logProbability, top }, t) =>
                Object.fromEntries(
                  [{ id, logProbability }, ...top].map((one) => [
                    named(one.id),
                    off(one.logProbability, one.id, t),
                  ]),
                ),
              ),
            },
          }),
        },
      ],
      usage: { prompt_tokens: body.prompt.length, completion_tokens: completion.ids.length },
      ...(wanted && { activations: await captured(body, model, steer) }),
    });
  }

  const refusal = (code: number, message: string) =>
    [code, JSON.stringify({ error: { message, type: 'BadRequestError', code } })] as const;

  async function replyTo(path: string, body: Record<string, unknown>): Promise<readonly [number, string]> {
    if (path === '/version') return [200, JSON.stringify({ version })];
    if (path === '/v1/models')
      return [
        200,
        JSON.stringify({
          object: 'list',
          data: [...served.keys()].map((id) => ({
            id,
            object: 'model',
            max_model_len: maxModelLen,
            root: `/models/${id}`,
          })),
        }),
      ];
    const model = served.get(String(body.model));
    if (model === undefined) return refusal(404, `The model \`${body.model}\` does not exist.`);
    if (path === '/tokenize') {
      const { codec } = model;
      const own = () =>
        codec.encodePrompt(
          (body.messages as Parameters<typeof codec.encodePrompt>[0]) ?? (body.prompt as string),
        );
      return [200, JSON.stringify({ tokens: options.tokenize?.(body) ?? own(), max_model_len: maxModelLen })];
    }
    if (path !== '/v1/completions') return refusal(404, 'Not Found');
    const given = body as unknown as CompletionBody;
    if (given.prompt.length + given.max_tokens > maxModelLen)
      return refusal(400, `This model's maximum context length is ${maxModelLen} tokens.`);
    const reply = (await queue.add(() => completionReply(given, model))) as string;
    accepted.set(JSON.stringify(body), (accepted.get(JSON.stringify(body)) ?? 0) + 1);
    return [200, reply];
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString();
    const path = request.url!.split('?')[0]!;
    const same = asked.filter((one) => one.path === path && JSON.stringify(one.body) === (text || '{}'));
    const one = {
      path,
      body: JSON.parse(text || '{}') as Record<string, unknown>,
      headers: request.headers,
      before: same.length,
      number: asked.length,
    };
    asked.push(one);
    const fault = options.fault?.(one);
    if (fault) return void (await fault(response, async () => (await replyTo(path, one.body))[1]));
    const [status, reply] = await replyTo(path, one.body);
    response.writeHead(status, json).end(reply);
  }

  let busy = 0;
  let busiest = 0;
  const server = createServer((request, response) => {
    busiest = Math.max(busiest, ++busy);
    response.once('close', () => busy--);
    answer(request, response).catch((error) => response.writeHead(418).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    accepted,
    busiest: () => busiest,
    swap: (name, model) => void served.set(name, model),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await queue.onIdle();
      for (const own of samplers.values()) for (const one of own.values()) await (await one).release();
    },
  };
}
