/** The baseline of a model over a corpus: passage after passage until enough tokens are read; from files to a file. */
import { InputError } from '../errors.ts';
import { type Passage, readCorpus } from '../files/pairs.ts';
import { writeSafetensors } from '../files/safetensors.ts';
import type { TextCodec } from '../files/textCodec.ts';
import { addPassage, type Baseline, baselineOf, emptySums } from '../methods/baseline.ts';
import { sitePass } from '../methods/siteGradient.ts';
import type { Model } from '../models/decoder.ts';
import { checkSite } from '../models/passes.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { tensor } from '../tensor.ts';
import { hashInputs, versions } from './manifest.ts';
import { openModel } from './openModel.ts';
import { type Progress, silent } from './progress.ts';

/** The subject as a baseline needs it. */
export interface BaselineSubject {
  readonly model: Model;
  readonly codec: TextCodec;
  readonly layer: number;
}

export interface CorpusLimits {
  /** stop once this many tokens were read; default 100,000 */
  readonly maxTokens?: number | undefined;
  /** each passage is cut to this many tokens; default 256 */
  readonly passageTokens?: number | undefined;
  readonly progress?: Progress | undefined;
}

export const corpusDefaults = { maxTokens: 100_000, passageTokens: 256 };

/** A text is encoded as a prompt is; a chat as the model sees it, without a header for a next turn. */
function idsOf(passage: Passage, codec: TextCodec): number[] {
  if ('text' in passage) return codec.encodePrompt(passage.text);
  return codec.tokenizer.encode(codec.chatText(passage.messages, { addGenerationPrompt: false }));
}

/** ā over a corpus. Throws InputError where the corpus has no tokens. */
export async function corpusBaseline(
  runtime: Runtime,
  { model, codec, layer }: BaselineSubject,
  corpus: string,
  limits: CorpusLimits = {},
): Promise<Baseline> {
  const {
    maxTokens = corpusDefaults.maxTokens,
    passageTokens = corpusDefaults.passageTokens,
    progress = silent,
  } = limits;
  const length = Math.min(passageTokens, model.decoder.context);
  const pass = await sitePass(runtime, model, layer);
  const sums = emptySums(model.decoder.width);
  const stage = progress.stage('Baseline tokens', maxTokens);
  for await (const { value: passage } of readCorpus(corpus)) {
    const left = maxTokens - sums.tokens - sums.sinks;
    if (left <= 0) break;
    const ids = idsOf(passage, codec).slice(0, Math.min(length, left));
    if (ids.length === 0) continue;
    await addPassage(sums, pass, ids);
    stage.advance(ids.length);
  }
  stage.end();
  await pass.release();
  if (sums.tokens === 0) throw new InputError(`${corpus}: no tokens to take a baseline over`);
  return baselineOf(sums);
}

export interface BaselineRequest extends CorpusLimits {
  readonly model: string;
  readonly adapter?: string | undefined;
  /** layer L of `resid_post L` */
  readonly site: number;
  readonly corpus: string;
  /** the safetensors file to write: `mean` [d], the statistics in its metadata */
  readonly out: string;
  readonly cacheDir?: string | undefined;
}

/** Computes a baseline and writes it. Throws InputError for anything wrong in what was given. */
export async function runBaseline(request: BaselineRequest): Promise<Baseline> {
  const { model, codec, source } = await openModel(request.model, request);
  checkSite(model, request.site);
  const inputs = await hashInputs({ model: source, adapter: request.adapter, corpus: request.corpus });
  const runtime = nodeRuntime();
  try {
    const baseline = await corpusBaseline(
      runtime,
      { model, codec, layer: request.site },
      request.corpus,
      request,
    );
    const { mean, ...statistics } = baseline;
    await writeSafetensors(
      request.out,
      { mean: tensor('f32', [mean.length], mean) },
      {
        site: `resid_post ${request.site}`,
        statistics: JSON.stringify(statistics),
        inputs: JSON.stringify(inputs),
        versions: JSON.stringify(versions),
      },
    );
    return baseline;
  } finally {
    await runtime.close();
  }
}
