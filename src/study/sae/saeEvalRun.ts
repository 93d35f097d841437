/** Measuring an SAE from files: model, SAE and corpora in, numbers out. */
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readCorpus } from '../../files/pairs.ts';
import type { TextCodec } from '../../files/textCodec.ts';
import { evaluateSae, recovered, type SaeEvaluation } from '../../methods/sae/saeEval.ts';
import { checkSite } from '../../models/passes.ts';
import type { Manifest } from '../../results.ts';
import { passageIds } from '../attribution/baselineRun.ts';
import { type Machine, openRuntime } from '../open/machine.ts';
import { openModel } from '../open/openModel.ts';
import { openChosenSae, type SaeChoice, siteFor } from '../open/openSae.ts';
import { type Progress, type ProgressStage, silent } from '../open/progress.ts';
import { heldFiles } from '../store/heldFiles.ts';
import { dateText, hashInputs, systemClock, versions } from '../store/runRecord.ts';

export interface SaeEvalRequest extends Machine {
  readonly model: string;
  readonly adapter?: string | undefined;
  readonly sae: string;
  /** what its files leave open */
  readonly saeSaid?: Omit<SaeChoice, 'path'> | undefined;
  /** layer L of `resid_post L`; default the SAE's own */
  readonly site?: number | undefined;
  readonly corpora: readonly string[];
  /** passages taken from each corpus; default all */
  readonly passages?: number | undefined;
  /** each passage is cut to this many tokens; default 256 */
  readonly passageTokens?: number | undefined;
  /** stop the cross-entropy once this many tokens are predicted; default 10,000 */
  readonly lossTokens?: number | undefined;
  /** a JSON file for the numbers */
  readonly json?: string | undefined;
  /** for chat templates that print the date; default the clock's */
  readonly date?: Date | undefined;
  readonly progress?: Progress | undefined;
}

export const saeEvalDefaults = { passageTokens: 256, lossTokens: 10_000 };

export interface SaeEvalResult extends SaeEvaluation {
  readonly site: number;
  readonly recovered: { readonly zero: number; readonly mean: number };
  /** latents active at no token */
  readonly neverActive: number;
  readonly histogram: readonly DensityBin[];
}

/** Latents whose density lies in [from, to). */
export interface DensityBin {
  readonly from: number;
  readonly to: number;
  readonly latents: number;
}

/**
 * Half a decade a bin, from the least density above 0 to the greatest; latents that are never active are in
 * none.
 */
export function densityHistogram(density: ArrayLike<number>): DensityBin[] {
  const places = Array.from(density)
    .filter((x) => x > 0)
    .map((x) => Math.floor(2 * Math.log10(x) + 1e-9));
  if (places.length === 0) return [];
  const [least, most] = places.reduce(([a, b], p) => [Math.min(a, p), Math.max(b, p)], [0, -1e9]);
  return Array.from({ length: most - least + 1 }, (_, i) => ({
    from: 10 ** ((least + i) / 2),
    to: 10 ** ((least + i + 1) / 2),
    latents: places.filter((p) => p === least + i).length,
  }));
}

/** The passages of one corpus, encoded and cut. */
async function readPassages(
  corpus: string,
  { passages = Number.POSITIVE_INFINITY, passageTokens = saeEvalDefaults.passageTokens }: SaeEvalRequest,
  codec: TextCodec,
  context: number,
): Promise<number[][]> {
  const read: number[][] = [];
  let taken = 0;
  for await (const { value } of readCorpus(corpus)) {
    if (taken++ >= passages) break;
    const ids = passageIds(value, codec).slice(0, Math.min(passageTokens, context));
    if (ids.length > 0) read.push(ids);
  }
  return read;
}

/** An item of each list in turn, so that the first of them are of every kind. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}

async function writeJson(
  path: string,
  { density, ...result }: SaeEvalResult,
  inputs: Manifest['inputs'],
  date: Date | undefined,
): Promise<void> {
  const day = date && { date: dateText(date) };
  const told = { ...result, density: Array.from(density), inputs, versions, ...day };
  await replaceFile(path, async (file) => {
    await file.writeFile(`${JSON.stringify(told)}\n`);
  });
}

/** Measures an SAE. Throws InputError for anything wrong in what was given. */
export async function runSaeEval(request: SaeEvalRequest): Promise<SaeEvalResult> {
  const { progress = silent, lossTokens = saeEvalDefaults.lossTokens, corpora } = request;
  const { date: now = systemClock() } = request;
  const { model, codec, source } = await openModel(request.model, { ...request, now });
  const sae = await openChosenSae({ ...request.saeSaid, path: request.sae });
  const site = siteFor(sae, request.site, model.decoder.width);
  checkSite(model, site);
  const read = corpora.map((corpus) => readPassages(corpus, request, codec, model.decoder.context));
  const passages = inTurn(await Promise.all(read));
  const total = passages.reduce((sum, ids) => sum + ids.length, 0);
  if (!passages.some((ids) => ids.length > 1))
    throw new InputError(`${corpora.join(', ')}: no tokens to evaluate on (a passage needs two)`);
  const paths = Object.fromEntries(corpora.map((path, i) => [`corpus.${i}`, path]));
  const held = heldFiles();
  const all = { model: source, adapter: request.adapter, sae: request.sae, ...paths };
  const inputs = await hashInputs(all, held);
  const runtime = openRuntime(request);
  try {
    const quality = progress.stage('Reconstruction, tokens', total);
    let loss: ProgressStage | undefined;
    let predicted = 0;
    const found = await evaluateSae(runtime, { model, layer: site, sae }, passages, lossTokens, {
      onQuality: (n) => quality.advance(n),
      onLoss: (n) => {
        if (!loss) quality.end();
        loss ??= progress.stage('Cross-entropy, tokens', Math.min(lossTokens, total));
        loss.advance(Math.min(n, lossTokens - predicted));
        predicted += n;
      },
    });
    loss?.end();
    await held.check();
    const { crossEntropy, density } = found;
    const result: SaeEvalResult = {
      ...found,
      site,
      recovered: { zero: recovered(crossEntropy, 'zero'), mean: recovered(crossEntropy, 'mean') },
      neverActive: density.filter((x) => x === 0).length,
      histogram: densityHistogram(density),
    };
    if (request.json !== undefined) await writeJson(request.json, result, inputs, codec.date);
    return result;
  } finally {
    await runtime.close();
  }
}
