/** Which latents are listed, in which order and with which columns, as the address says it. */
import { effectVerdictNames, steeringStages } from '../../../results.ts';
import type { Query } from '../../routes.ts';
import type { LatentTableRow } from './latentRows.ts';

export const stageChoices = [...steeringStages, 'random', 'not steered'] as const;
export const verdictChoices = effectVerdictNames;

export interface LatentQuery {
  /** text of a meaning, or numbers of latents */
  readonly search: string;
  readonly stage: string;
  readonly verdict: string;
  /** a selector */
  readonly by: string;
  readonly sort: { readonly id: string; readonly desc: boolean };
  readonly hidden: readonly string[];
}

/** Told by other columns, such as the bar of Δ, the rank and the verdict; or for a second look. */
const hiddenAtFirst = [
  'standard_error',
  'p',
  'activation_delta',
  'rank_range',
  'rank_delta-attribution',
  'away_dose',
  'toward_dose',
  'stage',
];

const isFrom = (choices: readonly string[], value = '') => (choices.includes(value) ? value : '');

/** `-delta`: by delta, the greatest first. */
export function parseLatentQuery({
  q = '',
  stage,
  verdict,
  by = '',
  sort = 'rank',
  hide,
}: Query): LatentQuery {
  return {
    search: q,
    stage: isFrom(stageChoices, stage),
    verdict: isFrom(verdictChoices, verdict),
    by,
    sort: { id: sort.replace(/^-/, ''), desc: sort.startsWith('-') },
    hidden: hide === undefined ? hiddenAtFirst : hide.split(',').filter((name) => name !== ''),
  };
}

/** The address' part for the columns that are hidden: `none` of them is not the same as nothing said. */
export const hiddenText = (hidden: readonly string[]): string =>
  hidden.length === 0 ? ',' : hidden.join(',');

export const sortText = ({ id, desc }: LatentQuery['sort']): string => `${desc ? '-' : ''}${id}`;

/** Numbers only, such as `320` or `320, 565`: those latents; other text: meanings that hold it. */
function searched({ latent, meaning }: LatentTableRow, search: string): boolean {
  const text = search.trim().toLowerCase();
  if (/^\d[\d\s,]*$/.test(text)) return text.split(/[\s,]+/).includes(`${latent}`);
  return meaning?.toLowerCase().includes(text) ?? false;
}

export function matches(row: LatentTableRow, { search, stage, verdict, by }: LatentQuery): boolean {
  return (
    (search.trim() === '' || searched(row, search)) &&
    (stage === '' || (row.stage ?? 'not steered') === stage) &&
    (verdict === '' || row.verdict === verdict) &&
    (by === '' || row.ranks[by] !== undefined)
  );
}
