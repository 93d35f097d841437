/** fidelity.json from what the removal of each latent came to. */
import { estimateAgreement, firstOrderFault } from '../../methods/attribution/fidelity.ts';
import type { FidelityGroup, FidelityLatent, FidelityRecord, LatentRow } from '../../results.ts';
import type { RemovedLatent } from './removals.ts';

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

function latentOf(
  { latent, rank, delta }: LatentRow,
  group: FidelityLatent['group'],
  { first_order, exact, integrated }: RemovedLatent,
): FidelityLatent {
  const [first, whole] = [mean(first_order), mean(exact)];
  const followed = integrated.length > 0;
  return {
    latent,
    group,
    rank,
    delta,
    first_order: first,
    exact: whole,
    integrated: followed ? mean(integrated) : null,
    integrated_exact: followed ? mean(exact.slice(0, integrated.length)) : null,
    fault: firstOrderFault(first, whole),
  };
}

function groupOf(latents: readonly FidelityLatent[]): FidelityGroup {
  const followed = latents.filter(({ integrated }) => integrated !== null);
  return {
    latents: latents.length,
    faults: latents.filter(({ fault }) => fault !== null).length,
    first_order: estimateAgreement(
      latents.map(({ first_order }) => first_order),
      latents.map(({ exact }) => exact),
    ),
    integrated:
      followed.length === 0
        ? null
        : {
            latents: followed.length,
            ...estimateAgreement(
              followed.map(({ integrated }) => integrated!),
              followed.map(({ integrated_exact }) => integrated_exact!),
            ),
          },
  };
}

/** The latents in the order of their groups; `rows` are those of latents.parquet. */
export function fidelityOf(
  rows: readonly LatentRow[],
  groups: Readonly<Record<FidelityLatent['group'], readonly number[]>>,
  removed: (latent: number) => RemovedLatent,
  measured: Omit<FidelityRecord, 'top' | 'random' | 'latents'>,
): FidelityRecord {
  const byLatent = new Map(rows.map((row) => [row.latent, row]));
  const of = (group: FidelityLatent['group']) =>
    groups[group].map((latent) => latentOf(byLatent.get(latent)!, group, removed(latent)));
  const [top, random] = [of('top'), of('random')];
  return { ...measured, top: groupOf(top), random: groupOf(random), latents: [...top, ...random] };
}
