/** A vLLM server with the plugin vllm-lens, over plain HTTP. docs/engines.md. */
import { z } from 'zod';
import { InputError } from '../../../errors.ts';
import type { Sampler, SamplerOptions } from '../../../methods/completions/sample.ts';
import { addedVector, type SteeredTokens } from '../../../methods/steering/steer.ts';
import type { EngineRecord } from '../../../results.ts';
import { url, variable } from '../../config/endpointFields.ts';
import { about, real, section, text, whole } from '../../config/fields.ts';
import type { EngineKind, EngineRequest, EngineSide, OpenEngine } from '../engineKind.ts';
import {
  checkUnchangedSince,
  type EngineFingerprint,
  type FingerprintRequest,
  limits,
  shown,
  takeFingerprint,
} from '../fingerprint.ts';
import { checkSteering, type SteeringFindings } from '../steeringCheck.ts';
import { type ListedModel, listedModel, textDifference, versionOf } from '../vllm/aboutServer.ts';
import { type ServedModel, servedModel } from '../vllm/servedModel.ts';
import { openServer, type Server } from '../vllm/server.ts';
import { isAdded } from '../vllm/steering.ts';
import { cannotUnpack } from '../vllm/wireTensor.ts';

const schema = () =>
  section({
    kind: about(z.literal('vllm'), 'vllm, a vLLM server with the plugin vllm-lens'),
    base_url: about(url, 'base URL of the vLLM server, with its /v1', 'http://localhost:8000/v1'),
    model: about(text('the name of a model'), "the subject's model, as the server names it", 'model'),
    adapter: about(
      text('the name of an adapter').optional(),
      "the subject's adapter, as the server names it (--lora-modules)",
      'adapter',
    ),
    reference_model: about(
      text('the name of a model').optional(),
      'the reference, as its server names it (default: model, where the subject has an adapter)',
      'reference',
    ),
    reference_base_url: about(
      url.optional(),
      'base URL of the server of the reference (default: base_url)',
      'http://localhost:8001/v1',
    ),
    api_key_env: about(
      variable.optional(),
      'environment variable that holds the key (default: no key is sent)',
      'VLLM_API_KEY',
    ),
    concurrency: about(whole(1, 1024).optional(), 'requests at the same time (default: 64)', 64),
    timeout_s: about(
      real({ above: 0, to: 300 }).optional(),
      'seconds after which a request counts as failed (default: 300)',
      300,
    ),
    retries: about(whole(0, 100).optional(), 'how often a failed request is sent again (default: 8)', 8),
  });
export type VllmConfig = z.output<ReturnType<typeof schema>>;

/** The section of study.yaml, in errors. */
const field = 'sampling.engine';

/** Which model of which server is asked. */
function servedAs(config: VllmConfig, side: EngineSide): { baseUrl: string; model: string; named: string } {
  const { base_url, model, adapter, reference_model, reference_base_url } = config;
  if (side === 'subject')
    return { baseUrl: base_url, model: adapter ?? model, named: adapter === undefined ? 'model' : 'adapter' };
  const [own, named] = [
    { baseUrl: reference_base_url ?? base_url, model: reference_model ?? model },
    reference_model === undefined ? 'model' : 'reference_model',
  ];
  const subject = servedAs(config, 'subject');
  if (own.baseUrl === subject.baseUrl && own.model === subject.model)
    throw new InputError(
      `${field}.reference_model: expected the name under which the reference is served, found that of the subject, ${JSON.stringify(own.model)}`,
    );
  return { ...own, named };
}

const modelNames: Readonly<Record<EngineSide, string>> = {
  subject: 'the subject',
  reference: 'the reference',
};

/** All that is asked of one model of the server, and what was found of it. */
class Served {
  private readonly server: Server;
  private readonly model: string;
  private readonly where: string;
  private readonly concurrency: number;
  private fingerprinted: Promise<Trusted> | undefined;
  private readonly steered = new Map<number, Promise<SteeringFindings>>();
  private tokens: readonly SteeredTokens[] = [];
  private found: EngineRecord = {};

  constructor(
    config: VllmConfig,
    private readonly request: EngineRequest,
  ) {
    const { baseUrl, model, named } = servedAs(config, request.side);
    const { api_key_env: variable, timeout_s: timeoutS = 300, retries = 8 } = config;
    const apiKey = variable === undefined ? undefined : request.environment[variable];
    if (variable !== undefined && !apiKey)
      throw new InputError(`${field}.api_key_env: environment variable ${variable} is not set`);
    this.server = openServer({ ...{ baseUrl, apiKey, timeoutS, retries, field }, note: request.note });
    this.model = model;
    this.where = `${field}.${named}`;
    this.concurrency = config.concurrency ?? 64;
  }

  get name(): string {
    return `vLLM at ${this.server.where}`;
  }

  facts(): EngineRecord {
    return this.found;
  }

  makes(tokens: SteeredTokens): boolean {
    return this.tokens.includes(tokens);
  }

  /** Words of a check, with the server's name before them. */
  private async told<T>(work: Promise<T>): Promise<T> {
    return work.catch((error: unknown) => {
      if (error instanceof InputError && !error.message.startsWith(field))
        throw new InputError(`${field}: ${this.name}: ${this.model}: ${error.message}`);
      throw error;
    });
  }

  private async open(): Promise<Trusted> {
    const { request, concurrency, server, model } = this;
    const listed = await listedModel(server, this.where, model);
    const version = await versionOf(server);
    const own = await request.own();
    const { vocabulary, width } = own.model.decoder;
    const raw = servedModel(server, { model, concurrency, vocabulary, width });
    const asked: FingerprintRequest = {
      served: { sampler: (capacity) => raw.sampler({ capacity }) },
      name: modelNames[request.side],
      concurrency,
      own: request.own,
      others: request.others,
      runtime: request.runtime,
    };
    const fingerprint = await this.told(takeFingerprint(asked));
    const difference = await textDifference(server, model, own);
    this.found = {
      ...{ engine: 'vllm', version: version ?? 'not told', model },
      ...(listed.root !== undefined && { root: listed.root }),
      ...(listed.context !== undefined && { max_model_len: listed.context }),
      difference: fingerprint.agreement.difference,
      crowd_difference: fingerprint.crowd.difference,
      crowd_tokens: fingerprint.crowd.differs ? 'differ' : 'same',
      ...(difference !== undefined && { text: difference }),
    };
    this.tell(fingerprint, version, difference);
    return { raw, listed, fingerprint, asked };
  }

  private tell(
    { agreement, crowd }: EngineFingerprint,
    version: string | undefined,
    difference: string | undefined,
  ): void {
    const { request, server, model } = this;
    const precision = agreement.difference > limits.same ? ': a lower precision than the one here' : '';
    request.note(
      `vLLM ${version ?? '(version not told)'} at ${server.where}: ${model} answers as ${modelNames[request.side]} of the local files: log-probabilities of ${agreement.tokens} tokens differ by ${shown(agreement.difference)} on average${precision}. The same request alone and among ${crowd.requests}: ${crowd.differs ? 'other' : 'the same'} tokens, log-probabilities ${crowd.difference === 0 ? 'the same' : `off by ${shown(crowd.difference)}`}.`,
    );
    if (difference !== undefined)
      request.note(`${field}: ${difference}; prompts are sent as token ids, so that it has no part in them`);
  }

  trusted(): Promise<Trusted> {
    this.fingerprinted ??= this.open().catch((error: unknown) => {
      this.fingerprinted = undefined;
      throw error;
    });
    return this.fingerprinted;
  }

  private async check(layer: number): Promise<SteeringFindings> {
    const { raw, fingerprint } = await this.trusted();
    const { model } = await this.request.own();
    let precision: string | undefined;
    const findings = await this.told(
      checkSteering({
        ...{ runtime: this.request.runtime(), model, layer, fingerprint },
        served: {
          sampler: (capacity, steerAt) => raw.sampler({ capacity, steerAt }),
          residuals:
            cannotUnpack === undefined
              ? async (at, ids, added) => {
                  const found = await raw.residuals(at, ids, added && addedVector(added));
                  precision = found.precision;
                  return found.activation;
                }
              : undefined,
        },
      }),
    );
    const { difference, effect, residuals, tokens } = findings;
    this.found = {
      ...this.found,
      ...(precision !== undefined && { precision }),
      ...{ steered_difference: difference, steered_effect: effect },
      ...(residuals !== undefined && { residual_difference: residuals }),
      steers: tokens.join(', '),
    };
    this.request.note(
      `${this.name}: ${this.model} steers at resid_post ${layer} as the local files do: a vector as long as the mean residual changes log-probabilities by ${shown(effect)} a token, ${shown(difference)} off${residuals === undefined ? `; residuals are not compared: ${cannotUnpack}` : `; residuals (${precision}) are off by ${Number((100 * residuals).toPrecision(2))} %`}.`,
    );
    return findings;
  }

  async ready(layer: number | undefined): Promise<void> {
    await this.trusted();
    if (layer === undefined) return;
    const checked =
      this.steered.get(layer) ??
      this.check(layer).catch((error: unknown) => {
        this.steered.delete(layer);
        throw error;
      });
    this.steered.set(layer, checked);
    this.tokens = (await checked).tokens;
  }

  async sampler(options: SamplerOptions): Promise<Sampler> {
    await this.ready(options.steerAt);
    const { raw, listed, fingerprint, asked } = await this.trusted();
    if (listed.context !== undefined && options.capacity > listed.context)
      throw new InputError(
        `${field}: ${this.name}: expected room for ${options.capacity} tokens of prompt and completion, found ${listed.context} (--max-model-len)`,
      );
    return raw.sampler(options, {
      confirm: (signal) => this.told(checkUnchangedSince(fingerprint, asked, signal)),
      every: Math.max(64, 2 * this.concurrency),
    });
  }
}

interface Trusted {
  readonly raw: ServedModel;
  readonly listed: ListedModel;
  readonly fingerprint: EngineFingerprint;
  readonly asked: FingerprintRequest;
}

function opened(config: VllmConfig, request: EngineRequest): OpenEngine {
  const served = new Served(config, request);
  return {
    name: served.name,
    ready: (layer) => served.ready(layer),
    makes: (steering) => isAdded(steering) && (steering === undefined || served.makes(steering.tokens)),
    sampler: (options) => served.sampler(options),
    async residuals(layer) {
      const { raw } = await served.trusted();
      return {
        run: async (ids, added) => (await raw.residuals(layer, ids, added && addedVector(added))).activation,
        release: async () => undefined,
      };
    },
    facts: () => served.facts(),
  };
}

export const vllmKind: EngineKind<VllmConfig> = {
  kind: 'vllm',
  about: 'a vLLM server with the plugin vllm-lens',
  schema,
  identity(config, side) {
    const { model } = servedAs(config, side);
    return { kind: 'vllm', model };
  },
  open: opened,
};
