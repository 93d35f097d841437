/**
 * What latents do and seem to mean, from models and pairs to values: pages without labels and explanations,
 * and pairs token by token. Knows no study.
 */

import { directionsOf } from '../../methods/attribution/score.ts';
import { latentGroups } from '../../methods/interpretation/latentGroups.ts';
import { type LatentLens, type LensEnds, logitLens } from '../../methods/interpretation/logitLens.ts';
import { cosines, neighbours } from '../../methods/interpretation/neighbours.ts';
import type { LossKind } from '../../methods/site/contrast.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import { counted, type LatentPage, type LatentRow, type Lens, type PairTokens } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import type { StudyContrast } from '../open/contrasts.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { Progress } from '../open/progress.ts';
import { type Clock, Timings } from '../store/runRecord.ts';
import { type CorpusScan, type CorpusScanRequest, corpusScan } from './corpusScan.ts';
import { type PairsInTokens, pairsInTokens } from './latentPairs.ts';

/** Of each list of the logit lens; nearest latents; pairs token by token. */
const listed = { lens: 20, neighbours: 10, pairs: 3 };

export interface EvidenceRequest {
  readonly runtime: Runtime;
  /** the subject, whose pairs they are */
  readonly opened: OpenModel;
  /** the model that reads the texts */
  readonly reader: OpenModel;
  readonly sae: Sae;
  /** L of resid_post L */
  readonly layer: number;
  /** the latents that are reported */
  readonly rows: readonly LatentRow[];
  readonly behaviour: string;
  readonly passages: CorpusScanRequest['passages'];
  /** what they are called */
  readonly corpora: readonly string[];
  /** tokens of them, at most */
  readonly tokens: number;
  readonly passageTokens: number;
  readonly contrasts: readonly StudyContrast[];
  /** Δ of each contrast alone [P, N] */
  readonly perContrast: Float32Array;
  /** ā [d] */
  readonly baseline: Float32Array;
  readonly loss: LossKind;
  /** where a scan that is stopped is kept, and the hash of all that it depends on */
  readonly folder: string;
  readonly key: string;
  readonly clock: Clock;
  readonly progress: Progress;
}

export interface PageEvidence {
  readonly pages: readonly LatentPage[];
  readonly lines: readonly PairTokens[];
}

export interface MadeEvidence extends PageEvidence {
  /** seconds by part of the work */
  readonly seconds: Readonly<Record<string, number>>;
  /** Removes what is kept of the scan. */
  remove(): Promise<void>;
}

async function pairsOf(request: EvidenceRequest, latents: readonly number[]): Promise<PairsInTokens> {
  const { runtime, opened, layer, contrasts, progress } = request;
  const pass = await sitePass(runtime, opened.model, layer);
  const told = progress.stage('Pairs, token by token', contrasts.length);
  const wanted = { ...request, pass, codec: opened.codec, count: listed.pairs };
  try {
    return await pairsInTokens(wanted, latents, () => told.advance());
  } finally {
    told.end();
    await pass.release();
  }
}

/** The other latents of each one's group, itself among them; none where it stands alone. */
async function groupsOf(sae: Sae, latents: readonly number[], scan: CorpusScan): Promise<number[][]> {
  const groups = latentGroups({
    cosine: cosines(await directionsOf(sae, latents), latents.length),
    both: scan.both,
    active: scan.latents.map(({ active }) => active),
  });
  return latents.map(
    (_, i) => groups.find(({ members }) => members.includes(i))?.members.map((at) => latents[at]!) ?? [],
  );
}

/** The lens with its tokens' texts. */
function withTokens({ cosine, dot }: LatentLens, textOf: (id: number) => string): Lens {
  const named = (entries: LensEnds['top']) => entries.map((entry) => ({ ...entry, token: textOf(entry.id) }));
  const ends = ({ top, bottom }: LensEnds) => ({ top: named(top), bottom: named(bottom) });
  return { cosine: ends(cosine), dot: ends(dot) };
}

/** Throws InputError where a corpus has no tokens. */
export async function makeEvidence(request: EvidenceRequest): Promise<MadeEvidence> {
  const { runtime, opened, reader, sae, layer, rows, behaviour, corpora, clock, progress } = request;
  const { model, codec } = opened;
  const latents = rows.map(({ latent }) => latent);
  const timings = new Timings(clock);
  progress.note(`Logit lens and neighbours of ${counted(latents.length, 'latent')}`);
  const lens = await timings.of('lens', () => logitLens(runtime, model, sae, latents, listed.lens));
  const near = await timings.of('lens', () => neighbours(runtime, sae, latents, listed.neighbours));
  const scan = await timings.of('passages', () =>
    corpusScan(runtime, { ...request, model: reader.model, codec: reader.codec, latents }),
  );
  const groups = await groupsOf(sae, latents, scan);
  const pairs = await timings.of('pairs', () => pairsOf(request, latents));
  const textOf = (id: number) => codec.tokenizer.tokenText(id);
  const pages = rows.map(
    ({ latent, delta, rank, standard_error, same_sign }, i): LatentPage => ({
      latent,
      site: `resid_post ${layer}`,
      behaviour,
      delta,
      rank,
      standard_error: Number.isNaN(standard_error) ? null : standard_error,
      same_sign,
      lens: withTokens(lens[i]!, textOf),
      neighbours: near[i]!,
      group: groups[i]!,
      corpora: [...corpora],
      passages: scan.latents[i]!,
      pairs: pairs.byLatent.get(latent)!,
      labels: [],
      explanation: null,
    }),
  );
  return { pages, lines: pairs.lines, seconds: timings.seconds, remove: () => scan.remove() };
}
