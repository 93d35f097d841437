/** Which latents are listed, in which order and with which columns, as the address says it. */
import { effectVerdictNames, steeringStages } from '../../../results.ts';
import type { Query } from '../../routes.ts';
import type { LatentTableRow } from './latentRows.ts';

export const stageChoices = [...steeringStages, 'random', 'not steered'] as const;
export const verdictChoices = effectVerdictNames;
export const listedOf = ['candidates', 'all'] as const;

export interface LatentQuery {
  /** text of a meaning, or numbers of latents */
  readonly search: string;
  readonly stage: string;
  readonly verdict: string;
  /** a selector */
  readonly by: string;
  /** which are listed where nothing else says so; candidates only where there are any */
  readonly of: (typeof listedOf)[number];
  readonly sort: { readonly id: string; readonly desc: boolean };
  /** columns; undefined where the address does not say */
  readonly hidden: readonly string[] | undefined;
}

/** Told by other columns, such as the bar of Δ, the rank and the verdict; or for a second look. */
const hiddenAtFirst = [
  'standard_error',
  'p',
  'silent_share',
  'deflated',
  'activation_delta',
  'rank_range',
  'away_dose',
  'toward_dose',
  'stage',
];

/** The columns that are not shown, of these. */
export const hiddenOf = ({ hidden }: LatentQuery, columns: readonly string[]): readonly string[] =>
  hidden ?? columns.filter((id) => hiddenAtFirst.includes(id) || id.startsWith('rank_'));

const isFrom = (choices: readonly string[], value = '') => (choices.includes(value) ? value : '');

/** `-delta`: by delta, the greatest first. */
export function parseLatentQuery({
  q = '',
  stage,
  verdict,
  by = '',
  of,
  sort = 'rank',
  hide,
}: Query): LatentQuery {
  return {
    search: q,
    stage: isFrom(stageChoices, stage),
    verdict: isFrom(verdictChoices, verdict),
    by,
    of: of === 'all' ? 'all' : 'candidates',
    sort: { id: sort.replace(/^-/, ''), desc: sort.startsWith('-') },
    hidden: hide === undefined ? undefined : hide.split(',').filter((name) => name !== ''),
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

/** Whether a filter says which are listed. */
const isNarrowed = ({ search, stage, verdict, by }: LatentQuery) =>
  [search.trim(), stage, verdict, by].some((asked) => asked !== '');

function matches(row: LatentTableRow, { search, stage, verdict, by }: LatentQuery): boolean {
  return (
    (search.trim() === '' || searched(row, search)) &&
    (stage === '' || (row.stage ?? 'not steered') === stage) &&
    (verdict === '' || row.verdict === verdict) &&
    (by === '' || row.ranks[by] !== undefined)
  );
}

export const isCandidate = ({ verdict }: LatentTableRow): boolean => verdict !== undefined;

/** Those that are asked for: by the filters, else the candidates, or all where there are none. */
export function listedRows(rows: readonly LatentTableRow[], query: LatentQuery): LatentTableRow[] {
  if (isNarrowed(query)) return rows.filter((row) => matches(row, query));
  const candidates = query.of === 'all' ? [] : rows.filter(isCandidate);
  return candidates.length > 0 ? candidates : [...rows];
}
