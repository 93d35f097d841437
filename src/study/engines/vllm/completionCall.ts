/**
 * One completion asked of vLLM's `/completions`: the request, and what its reply must hold. Token ids go and come;
 * the server's own template and defaults have no part in it. docs/engines.md.
 */
import { z } from 'zod';
import { InputError } from '../../../errors.ts';
import type { SampledToken, SampleOptions } from '../../../methods/completions/sample.ts';
import type { Steering } from '../../../methods/steering/steer.ts';
import { HalfReply, type ServerQuestion } from './server.ts';
import { steeringField } from './steering.ts';
import { fromWire, precisionOf, wireTensor } from './wireTensor.ts';

/** What is asked, and of which of the server's models. */
export interface AskedTokens {
  /** the name that the model, or its adapter, is served under */
  readonly model: string;
  readonly prompt: readonly number[];
  /** tokens of the vocabulary */
  readonly vocabulary: number;
}

export interface CompletionAsked extends AskedTokens {
  readonly seed: number;
  readonly options: Pick<
    SampleOptions,
    'temperature' | 'topK' | 'topP' | 'minP' | 'maxTokens' | 'endIds' | 'alternatives'
  >;
  readonly steer?: { readonly steering: Steering; readonly layer: number } | undefined;
}

/** A completion as the server gave it: it ended at one of the end ids, or at the limit. */
export interface ServedCompletion {
  readonly tokens: readonly SampledToken[];
  readonly ended: boolean;
}

/** What the server adds to the prompt's own keys and values counts for nothing: those of a steered prompt differ. */
const readWhole = { skip_reading_prefix_cache: 1 };

/** Bytes of a reply beside what grows with its tokens, and per token of prompt and completion. */
const replyBytes = { besides: 2 ** 20, prompt: 16, token: 256, alternative: 64 };

/** −∞ comes as this. */
const impossible = -9999;

const id = z.int().min(0);
const choice = z.object({
  finish_reason: z.string().nullish(),
  prompt_token_ids: z.array(id).nullish(),
  token_ids: z.array(id).nullish(),
  logprobs: z
    .object({
      token_logprobs: z.array(z.number().nullable()),
      top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
    })
    .nullish(),
});
const completionReply = z.object({ choices: z.tuple([choice], z.unknown()) });

/** Throws HalfReply where the reply is of another form. */
function parsed<S extends z.ZodType>(schema: S, json: unknown): z.output<S> {
  const found = schema.safeParse(json);
  if (found.success) return found.data;
  const { path, message } = found.error.issues[0]!;
  throw new HalfReply(`a reply that is not whole: ${path.join('.')}: ${message}`);
}

/** Throws InputError where the server read other tokens than it was sent, HalfReply where it does not say. */
function checkPrompt({ prompt_token_ids: read }: z.output<typeof choice>, { prompt }: AskedTokens): void {
  if (read === undefined || read === null)
    throw new HalfReply('a reply without token ids (return_token_ids needs vLLM 0.10.2 or later)');
  const at = Array.from({ length: Math.max(read.length, prompt.length) }, (_, i) => i).find(
    (i) => read[i] !== prompt[i],
  );
  if (at !== undefined)
    throw new InputError(
      `expected the server to read the prompt as it was sent, found other tokens from token ${at + 1} on (of ${prompt.length} sent, ${read.length} read)`,
    );
}

/** `token_id:123`, as `return_tokens_as_token_ids` writes it. */
function likeliest(given: Readonly<Record<string, number>> | null | undefined, count: number) {
  return Object.entries(given ?? {})
    .map(([name, value]) => {
      const found = /^token_id:(\d+)$/.exec(name);
      if (!found) throw new HalfReply(`a likely token by text and not by id: ${name.slice(0, 40)}`);
      return { id: Number(found[1]), logProbability: value <= impossible ? Number.NEGATIVE_INFINITY : value };
    })
    .sort((a, b) => b.logProbability - a.logProbability || a.id - b.id)
    .slice(0, count);
}

function completionIn(json: unknown, { vocabulary, options, ...asked }: CompletionAsked): ServedCompletion {
  const [one] = parsed(completionReply, json).choices;
  checkPrompt(one, { vocabulary, ...asked });
  const { token_ids: ids, logprobs, finish_reason: finish } = one;
  const { maxTokens, endIds, alternatives = 0 } = options;
  if (!ids || ids.length === 0 || ids.length > maxTokens)
    throw new HalfReply(`a completion of ${ids?.length ?? 0} tokens where 1 to ${maxTokens} were asked for`);
  const strange = ids.find((one) => one >= vocabulary);
  if (strange !== undefined)
    throw new InputError(`expected token ids below the model's ${vocabulary}, found ${strange}`);
  if (logprobs?.token_logprobs.length !== ids.length)
    throw new HalfReply(
      `log-probabilities of ${logprobs?.token_logprobs.length ?? 0} of ${ids.length} tokens of a completion`,
    );
  const ended = endIds.includes(ids.at(-1)!);
  if (!ended && (finish !== 'length' || ids.length < maxTokens))
    throw new HalfReply(
      `a completion that ended after ${ids.length} of ${maxTokens} tokens (finish_reason ${finish ?? 'not given'}) at none of the model's ends`,
    );
  const tokens = ids.map((id, t): SampledToken => {
    const logProbability = logprobs.token_logprobs[t];
    if (typeof logProbability !== 'number')
      throw new HalfReply(`a completion without the log-probability of token ${t + 1}`);
    return { id, logProbability, top: likeliest(logprobs.top_logprobs[t], alternatives) };
  });
  return { tokens, ended };
}

/** The server would take a lower one for this. */
const leastTemperature = 0.01;

/** A completion. Throws InputError for a temperature that the server would not take as it is. */
export function completionCall(asked: CompletionAsked): ServerQuestion<ServedCompletion> {
  const { model, prompt, seed, options, steer } = asked;
  const { temperature = 1, topK = 0, topP = 1, minP = 0, maxTokens, endIds, alternatives = 0 } = options;
  if (temperature > 0 && temperature < leastTemperature)
    throw new InputError(
      `temperature: expected 0 or at least ${leastTemperature}, the lowest that vLLM takes, found ${temperature}`,
    );
  return {
    path: 'completions',
    body: {
      ...{ model, prompt, max_tokens: maxTokens, temperature, top_p: topP, top_k: topK, min_p: minP },
      // what is not said here the server would take from the model's own generation settings
      ...{ repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0, n: 1, stream: false },
      // a seed of -1 would be taken for none
      seed: seed >>> 0,
      // ends are those of the local files, and no others
      ...{ ignore_eos: true, stop_token_ids: endIds },
      logprobs: Math.max(1, alternatives),
      ...{ return_token_ids: true, return_tokens_as_token_ids: true, add_special_tokens: false },
      vllm_xargs: {
        ...readWhole,
        ...(steer && {
          apply_steering_vectors: steeringField(steer.steering, steer.layer, prompt.length, maxTokens),
        }),
      },
    },
    mostBytes:
      replyBytes.besides +
      replyBytes.prompt * prompt.length +
      (replyBytes.token + replyBytes.alternative * Math.max(1, alternatives)) * maxTokens,
    read: (json) => completionIn(json, asked),
  };
}

export interface CaptureAsked extends AskedTokens {
  readonly layer: number;
  /** d */
  readonly width: number;
  readonly steering?: Steering | undefined;
}

export interface ServedResiduals {
  /** [T, d] */
  readonly activation: Float32Array;
  /** what the server computes in: float32, bfloat16, float16 */
  readonly precision: string;
}

const captureReply = completionReply.extend({
  activations: z.object({ residual_stream: wireTensor }).optional(),
});

/** Residuals of a prompt's tokens at `resid_post layer`. */
export function captureCall(asked: CaptureAsked): ServerQuestion<ServedResiduals> {
  const { model, prompt, layer, width, steering } = asked;
  return {
    path: 'completions',
    body: {
      ...{ model, prompt, max_tokens: 1, temperature: 0, return_token_ids: true, add_special_tokens: false },
      vllm_xargs: {
        ...readWhole,
        output_residual_stream: JSON.stringify([layer]),
        ...(steering && { apply_steering_vectors: steeringField(steering, layer, prompt.length, 1) }),
      },
    },
    mostBytes: replyBytes.besides + prompt.length * (replyBytes.prompt + 6 * width),
    read(json) {
      const { choices, activations } = parsed(captureReply, json);
      checkPrompt(choices[0], asked);
      if (activations === undefined)
        throw new InputError(
          'expected the residuals that were asked for, found none: is the plugin vllm-lens installed in the server, and not switched off?',
        );
      const { residual_stream } = activations;
      return {
        activation: fromWire(residual_stream, [1, prompt.length, width]),
        precision: precisionOf(residual_stream),
      };
    },
  };
}
