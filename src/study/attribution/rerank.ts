/**
 * A ranking by what removing the first latents does, measured on some of the pairs. One latent is the unit of
 * work: a run that was stopped goes on with the next.
 */
import { z } from 'zod';
import { integratedSteps } from '../../methods/attribution/integrated.ts';
import { measuredPerWanted, type Ranking, reranked } from '../../methods/attribution/reranking.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import type { LatentRow } from '../../results.ts';
import type { Progress } from '../open/progress.ts';
import { openJournal } from '../store/journal.ts';
import type { Clock } from '../store/runRecord.ts';
import { openRemover, type RemovalWork, spread } from './removals.ts';

export interface RerankOptions {
  readonly rank: Exclude<Ranking, 'first-order'>;
  /** k: the first 4k are measured */
  readonly wanted: number;
  /** pairs to measure on, at most */
  readonly pairs: number;
  /** where the effects are kept while not all are known */
  readonly journal: string;
  /** called before an effect is kept; where it throws, none is */
  readonly check?: (() => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly progress: Progress;
}

const measuredRecord = z.object({ id: z.string(), effect: z.number() });

/** The rows in the order that `rank` asks for. */
export async function rerankedRows(
  work: RemovalWork,
  contrasts: readonly Contrast[],
  rows: readonly LatentRow[],
  { rank, wanted, pairs, journal: path, check, clock, progress }: RerankOptions,
): Promise<LatentRow[]> {
  const first = rows.slice(0, measuredPerWanted * wanted).map(({ latent }) => `${latent}`);
  const options = { clock, note: progress.note, check };
  const journal = await openJournal(path, measuredRecord, ({ id }) => id, options);
  const missing = first.filter((latent) => !journal.records.has(latent));
  if (missing.length > 0) {
    const on = spread(contrasts, pairs);
    const remover = await openRemover(work, on);
    journal.begin();
    const stage = progress.stage('Latents ranked by removal', first.length, first.length - missing.length);
    try {
      for (const latent of missing) {
        const found =
          rank === 'exact'
            ? (await remover.remove(Number(latent))).exact
            : (await remover.remove(Number(latent), integratedSteps, on.length)).integrated;
        const effect = found.reduce((sum, x) => sum + x, 0) / found.length;
        await journal.append([{ id: latent, effect }]);
        stage.advance();
      }
    } finally {
      stage.end();
      await remover.release();
    }
  }
  return reranked(
    rows,
    rank,
    first.map((latent) => journal.records.get(latent)!.effect),
  );
}
