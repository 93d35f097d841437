/**
 * The baseline of a model over a corpus: passage after passage until enough tokens are read; from files to
 * a file.
 */
import { InputError } from '../../errors.ts';
import type { Passage } from '../../files/pairs.ts';
import { writeSafetensors } from '../../files/safetensors.ts';
import type { TextCodec } from '../../files/textCodec.ts';
import { addPassage, type Baseline, baselineOf, emptySums } from '../../methods/site/baseline.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import type { Model } from '../../models/decoder.ts';
import { checkSite } from '../../models/passes.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { tensor } from '../../tensor.ts';
import { inTurn } from '../open/corpora.ts';
import { type Machine, openRuntime } from '../open/machine.ts';
import { type OpenModel, openModel } from '../open/openModel.ts';
import { type Progress, silent } from '../open/progress.ts';
import { heldFiles } from '../store/heldFiles.ts';
import { outFile } from '../store/outFolder.ts';
import { dateText, hashInputs, systemClock, versions } from '../store/runRecord.ts';

export interface CorpusLimits {
  /** stop once this many tokens were read; default 100,000 */
  readonly maxTokens?: number | undefined;
  /** each passage is cut to this many tokens; default 256 */
  readonly passageTokens?: number | undefined;
}

export const corpusDefaults = { maxTokens: 100_000, passageTokens: 256 };

/** A text is encoded as a prompt is; a chat as the model sees it, without a header for a next turn. */
export function passageIds(passage: Passage, codec: TextCodec): number[] {
  if ('text' in passage) return codec.encodePrompt(passage.text);
  return codec.tokenizer.encode(codec.chatText(passage.messages, { addGenerationPrompt: false }));
}

/** Passages of token ids as far as the limits reach: each cut, as many as give the most tokens. */
export function withinLimits(limits: CorpusLimits, model: Model) {
  const { maxTokens = corpusDefaults.maxTokens, passageTokens = corpusDefaults.passageTokens } = limits;
  const length = Math.min(passageTokens, model.decoder.context);
  const passages: number[][] = [];
  let left = maxTokens;
  return {
    passages,
    /** Takes what there is room for; false once there is none. */
    add(ids: readonly number[]): boolean {
      const cut = ids.slice(0, Math.min(length, left));
      if (cut.length > 0) passages.push(cut);
      left -= cut.length;
      return left > 0;
    },
  };
}

/**
 * Token ids of the passages of a corpus, or of several in turn, read as far as the limits reach. Throws InputError where it is damaged
 * there or has no tokens.
 */
export async function corpusTokens(
  corpus: string | readonly string[],
  { model, codec }: Pick<OpenModel, 'model' | 'codec'>,
  limits: CorpusLimits = {},
): Promise<number[][]> {
  const { passages, add } = withinLimits(limits, model);
  const corpora = [corpus].flat();
  for await (const { passage } of inTurn(corpora)) if (!add(passageIds(passage, codec))) break;
  if (passages.length === 0)
    throw new InputError(`${corpora.join(', ')}: no tokens to measure a baseline on`);
  return passages;
}

/** ā over passages of token ids, one at least. */
export async function corpusBaseline(
  runtime: Runtime,
  model: Model,
  layer: number,
  passages: readonly (readonly number[])[],
  progress: Progress = silent,
): Promise<Baseline> {
  const pass = await sitePass(runtime, model, layer);
  const sums = emptySums(model.decoder.width);
  const tokens = passages.reduce((sum, ids) => sum + ids.length, 0);
  const stage = progress.stage('Baseline, tokens', tokens);
  try {
    const add = async (ids: readonly number[]) => {
      await addPassage(sums, pass, ids);
      return ids.length;
    };
    for await (const done of inGroups(passages, passesAtOnce(runtime, model), add)) stage.advance(done);
  } finally {
    stage.end();
  }
  await pass.release();
  return baselineOf(sums);
}

export interface BaselineRequest extends CorpusLimits, Machine {
  readonly model: string;
  readonly adapter?: string | undefined;
  /** layer L of `resid_post L` */
  readonly site: number;
  /** one corpus, or several, of which passages are taken in turn */
  readonly corpus: string | readonly string[];
  /** the safetensors file to write: `mean` [d], the statistics in its metadata */
  readonly out: string;
  /** for chat templates that print the date; default the clock's */
  readonly date?: Date | undefined;
  readonly progress?: Progress | undefined;
}

/** Computes a baseline and writes it. Throws InputError for anything wrong in what was given. */
export async function runBaseline(request: BaselineRequest): Promise<Baseline> {
  const { date: now = systemClock() } = request;
  const opened = await openModel(request.model, { ...request, now });
  const { model, source, codec } = opened;
  checkSite(model, request.site);
  const passages = await corpusTokens(request.corpus, opened, request);
  const held = heldFiles();
  const corpora = [request.corpus].flat();
  const read = corpora.map((path, i) => [corpora.length === 1 ? 'corpus' : `corpus.${i}`, path]);
  const paths = { model: source, adapter: request.adapter, ...Object.fromEntries(read) };
  const inputs = await hashInputs(paths, held);
  await outFile(request.out);
  const runtime = openRuntime(request);
  try {
    const baseline = await corpusBaseline(runtime, model, request.site, passages, request.progress);
    const { mean, ...statistics } = baseline;
    await held.check();
    await writeSafetensors(
      request.out,
      { mean: tensor('f32', [mean.length], mean) },
      {
        site: `resid_post ${request.site}`,
        statistics: JSON.stringify(statistics),
        inputs: JSON.stringify(inputs),
        versions: JSON.stringify(versions),
        ...(codec.date && { date: dateText(codec.date) }),
      },
    );
    return baseline;
  } finally {
    await runtime.close();
  }
}
