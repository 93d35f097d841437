/**
 * Latents over corpora, or over given texts: what a model's residuals make of them, passage after passage,
 * with a checkpoint on disk, so that a scan stopped at any point goes on from there to the same result.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { explained } from '../../files/bytes.ts';
import { readSealedJson, writeSealedJson } from '../../files/sealed.ts';
import type { TextCodec } from '../../files/textCodec.ts';
import { latentScan } from '../../methods/interpretation/latentScan.ts';
import { PassageFinds, passagesSnapshot } from '../../methods/interpretation/passages.ts';
import { gathered } from '../../methods/site/residuals.ts';
import type { Model } from '../../models/decoder.ts';
import type { LatentPassages } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import { passageIds } from '../attribution/baselineRun.ts';
import { inTurn } from '../open/corpora.ts';
import type { Progress } from '../open/progress.ts';
import { tokensUpTo } from '../open/tokenCount.ts';
import type { Clock } from '../store/runRecord.ts';

export interface CorpusScanRequest {
  readonly model: Model;
  readonly codec: TextCodec;
  readonly sae: Sae;
  /** L of `resid_post L` */
  readonly layer: number;
  readonly latents: readonly number[];
  /** files, read in turn, a passage from each; or token ids, as corpus 0 whose lines count from 1 */
  readonly passages:
    | { readonly corpora: readonly string[] }
    | { readonly ids: readonly (readonly number[])[] };
  /** tokens read, at most */
  readonly tokens: number;
  /** each passage is cut to this many */
  readonly passageTokens: number;
  /** for the checkpoint; belongs to one scan at a time */
  readonly folder: string;
  /** hash of all that the result depends on: a checkpoint of another key is dropped */
  readonly key: string;
  /** seconds between checkpoints; default 30 */
  readonly checkpointS?: number;
  readonly clock: Clock;
  readonly progress: Progress;
}

/** What says which texts are read. */
type TextsRequest = Pick<CorpusScanRequest, 'passages' | 'codec' | 'model' | 'passageTokens'>;

export interface CorpusScan {
  /** in the order asked for */
  readonly latents: readonly LatentPassages[];
  /** tokens at which two are both active [n][n] */
  readonly both: readonly (readonly number[])[];
  /** Deletes the checkpoint, once the result stands elsewhere. */
  remove(): Promise<void>;
}

interface Text {
  readonly corpus: number;
  readonly line: number;
  readonly ids: readonly number[];
}

/** `read`: tokens read, sinks among them. */
const checkpoint = z.object({
  key: z.string(),
  texts: z.int(),
  read: z.int(),
  state: passagesSnapshot,
});

/** Texts from number `from` on, each cut; those without tokens count but have none. */
async function* textsFrom(request: TextsRequest, from: number): AsyncGenerator<Text> {
  const { passages, codec, model, passageTokens } = request;
  const length = Math.min(passageTokens, model.decoder.context);
  let n = 0;
  if ('ids' in passages) {
    for (const ids of passages.ids) if (n++ >= from) yield { corpus: 0, line: n, ids: ids.slice(0, length) };
    return;
  }
  for await (const { corpus, line, passage } of inTurn(passages.corpora))
    if (n++ >= from) yield { corpus, line, ids: passageIds(passage, codec).slice(0, length) };
}

/** Texts until they have so many tokens; the last is cut. */
async function* firstTokens(texts: AsyncIterable<Text>, tokens: number): AsyncGenerator<Text> {
  let left = tokens;
  for await (const { ids, ...text } of texts) {
    if (left <= 0) return;
    yield { ...text, ids: ids.slice(0, left) };
    left -= ids.length;
  }
}

async function* idsOf(request: TextsRequest): AsyncGenerator<readonly number[]> {
  for await (const { ids } of textsFrom(request, 0)) yield ids;
}

/** How many tokens a scan will read. */
export const corpusSize = (request: TextsRequest & Pick<CorpusScanRequest, 'tokens'>): Promise<number> =>
  tokensUpTo(idsOf(request), request.tokens);

/**
 * The scan's result: made, gone on with, or found finished. Throws InputError where there are no tokens,
 * and for a damaged corpus.
 */
export async function corpusScan(runtime: Runtime, request: CorpusScanRequest): Promise<CorpusScan> {
  const {
    model,
    codec,
    sae,
    layer,
    latents,
    tokens,
    folder,
    key,
    clock,
    progress,
    checkpointS = 30,
  } = request;
  const path = join(folder, 'scan.json');
  const found = checkpoint.safeParse(await readSealedJson(path)).data;
  const before = found?.key === key ? found : undefined;
  const seen = new PassageFinds(latents.length, {}, before?.state);
  let [texts, read] = [before?.texts ?? 0, before?.read ?? 0];
  const save = async () => {
    await writeSealedJson(path, { key, texts, read, state: seen.snapshot() });
  };
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw explained(error, folder);
  });
  const scan = await latentScan(runtime, model, layer, sae, latents);
  const there = await corpusSize(request);
  const stage = progress.stage('Passages, tokens', there, read);
  try {
    let saved = clock().getTime();
    const wanted = firstTokens(textsFrom(request, texts), tokens - read);
    for await (const group of gathered(wanted, ({ ids }) => ids.length, scan.tokensAtOnce)) {
      const withTokens = group.filter(({ ids }) => ids.length > 0);
      const found = await scan.runAll(withTokens.map(({ ids }) => ids));
      withTokens.forEach((text, i) => {
        seen.add({ ...text, z: found[i]!.z });
        read += text.ids.length;
        stage.advance(text.ids.length);
      });
      texts += group.length;
      if (clock().getTime() - saved < 1000 * checkpointS) continue;
      await save();
      saved = clock().getTime();
    }
    await save();
  } finally {
    stage.end();
    await scan.release();
  }
  if (seen.tokens === 0) {
    const where = 'corpora' in request.passages ? request.passages.corpora.join(', ') : 'the texts given';
    throw new InputError(`${where}: no tokens to read`);
  }
  return {
    latents: seen.results((id) => codec.tokenizer.tokenText(id)),
    both: seen.both,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
