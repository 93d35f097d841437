/** An attribution from its contrasts to what its files hold, of a study or without one. */
import { type Attribution, attribute } from '../../methods/attribution/attribute.ts';
import { type LatentEvidence, latentEvidence } from '../../methods/attribution/latentEvidence.ts';
import type { Ranking } from '../../methods/attribution/reranking.ts';
import type { Contrast, LossKind, TokenSet } from '../../methods/site/contrast.ts';
import type { Model } from '../../models/decoder.ts';
import type { LatentRow } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import type { Progress } from '../open/progress.ts';
import type { RowStore } from '../store/rowStore.ts';
import type { Clock, Timings } from '../store/runRecord.ts';
import { type AttributedFrom, evidenceCounts, latentRows } from './attributionFiles.ts';
import { allRows, rowCounts } from './contrastRuns.ts';
import { type RerankOptions, rerankedRows } from './rerank.ts';

export interface AttributionWork {
  readonly runtime: Runtime;
  readonly model: Model;
  readonly layer: number;
  readonly sae: Sae;
  /** `cluster`: the prompt, which errors count */
  readonly contrasts: readonly (Contrast & { readonly cluster: string })[];
  /** ā [d] */
  readonly baseline: Float32Array;
  readonly tokens: TokenSet;
  readonly loss: LossKind;
  /** latents reported token by token */
  readonly top: number;
  readonly rank: Ranking;
  /** of a ranking by removal: the first 4·wanted are measured, on so many pairs, and kept in a journal */
  readonly removal: Pick<RerankOptions, 'wanted' | 'pairs' | 'journal' | 'check'>;
  /** where the contrasts' gradients are kept while not all are known */
  readonly store: RowStore;
  readonly timings: Timings;
  readonly clock: Clock;
  readonly progress: Progress;
}

export interface Attributed {
  readonly result: Attribution;
  readonly evidence: LatentEvidence;
  /** every latent, first rank first */
  readonly latents: readonly LatentRow[];
  readonly from: AttributedFrom;
  /** as the manifest has them */
  readonly counts: Readonly<Record<string, number>>;
}

/** Attributes, or goes on with it. Throws InputError where a value is not finite. */
export async function attributed(work: AttributionWork): Promise<Attributed> {
  const { runtime, model, layer, sae, contrasts, baseline, tokens, loss, top, timings, progress } = work;
  const of = { model, layer, contrasts, baseline, tokens, loss };
  const rows = await timings.of('gradients', () => allRows(runtime, of, work.store, progress));
  const result = await timings.of('scores', () => attribute(runtime, rows, sae, { top }));
  const clusters = contrasts.map(({ cluster }) => cluster);
  const evidence = await timings.of('evidence', () =>
    latentEvidence(runtime, result, { rows, clusters, baseline, sae }),
  );
  return {
    result,
    evidence,
    latents: await rankedRows(work, latentRows(result, evidence)),
    from: { rows, baseline },
    counts: { ...rowCounts(rows, contrasts, sae), ...evidenceCounts(evidence) },
  };
}

/** The rows in the order that is asked for. */
async function rankedRows(
  { rank, removal, timings, contrasts, clock, progress, ...work }: AttributionWork,
  rows: readonly LatentRow[],
): Promise<readonly LatentRow[]> {
  if (rank === 'first-order') return rows;
  const { runtime, model, layer, sae, baseline, tokens: tokenSet, loss } = work;
  const on = { runtime, model, layer, sae, options: { baseline, tokenSet, loss } };
  return timings.of('removal', () =>
    rerankedRows(on, contrasts, rows, { rank, ...removal, clock, progress }),
  );
}
