/** How many of what were left at each step of a study, from prompts to confirmed latents. */
import {
  confirmedBy,
  effectsOf,
  type LatentEffects,
  type LatentRow,
  rowActsAsCause,
  type StudyManifest,
  verdictOf,
  withVerdict,
} from '../../../results.ts';
import { fixed, percent } from '../../format.ts';
import type { Query } from '../../routes.ts';
import type { SteeringRecords } from '../../study.ts';

export interface Step {
  readonly name: string;
  /** undefined where it is not known yet */
  readonly count: number | undefined;
  readonly note?: string | undefined;
  /** the view that shows what is counted */
  readonly leads?: { readonly view: string; readonly query?: Query } | undefined;
}

const shareNote = (part: number | undefined, whole: number | undefined, what: string) =>
  part === undefined || !whole ? undefined : `${percent(part / whole)} ${what}`;

const places = ['remove', 'away', 'toward'] as const;

/** The texts that were sampled first. */
const texts = (query: Query = {}) => ({ view: 'transcripts', query: { stage: 'sampled', ...query } });

/** The selector of all candidates; '' where several proposed them. */
function selectorOf(candidates: readonly Pick<LatentEffects, 'ranks'>[]): string {
  const names = new Set(candidates.flatMap(({ ranks }) => Object.keys(ranks)));
  return names.size === 1 ? [...names][0]! : '';
}

function steeredSteps(steering: SteeringRecords | undefined): Step[] {
  if (!steering)
    return ['candidates', 'sampled', 'beyond the gray zone', 'suggestive', 'confirmed'].map((name) => ({
      name,
      count: undefined,
    }));
  const { rows, summary } = steering;
  const all = effectsOf(rows);
  const candidates = all.filter(({ role }) => role === 'candidate');
  const sampled = candidates.filter((one) => verdictOf(one) !== 'not sampled');
  const sampledAt = (place: (typeof places)[number]) =>
    candidates.filter((one) => one[place]?.effect != null).length;
  const beyond = candidates.filter((one) => places.some((place) => rowActsAsCause(one[place], summary.zone)));
  const expected = places.reduce((sum, place) => sum + summary.exits[place].expected, 0);
  const confirmed = withVerdict(all, 'confirmed');
  const by = (operation: 'remove' | 'add') =>
    confirmed.filter((one) => confirmedBy(one).includes(operation)).length;
  return [
    {
      name: 'candidates',
      count: candidates.length,
      note: `and ${summary.random} random`,
      leads: { view: 'latents', query: { by: selectorOf(candidates) } },
    },
    {
      name: 'sampled',
      count: sampled.length,
      leads: { view: 'transcripts', query: { stage: 'causal test' } },
      note: `${sampledAt('remove')} removed, ${sampledAt('away')} steered`,
    },
    {
      name: 'beyond the gray zone',
      count: beyond.length,
      note: `at most ${fixed(expected, 1)} by chance`,
    },
    {
      name: 'suggestive',
      count: withVerdict(all, 'suggestive').length,
      note: 'q below .2',
      leads: { view: 'latents', query: { verdict: 'suggestive' } },
    },
    {
      name: 'confirmed',
      count: confirmed.length,
      note: `${by('remove')} by removal, ${by('add')} by steering`,
      leads: { view: 'latents', query: { verdict: 'confirmed' } },
    },
  ];
}

export function funnelOf(
  manifest: StudyManifest | undefined,
  latents: readonly LatentRow[] | undefined,
  steering: SteeringRecords | undefined,
): Step[] {
  const counted = (stage: string, name: string) => manifest?.stages[stage]?.counts[name];
  const completions = counted('sample', 'completions');
  const grades = counted('grade', 'grades');
  return [
    { name: 'prompts', count: counted('sample', 'prompts') },
    {
      name: 'completions',
      count: completions,
      note: shareNote(counted('sample', 'ended'), completions, 'ended'),
      leads: texts(),
    },
    {
      name: 'graded',
      count: grades,
      note: shareNote(counted('grade', 'incoherent'), grades, 'incoherent'),
      leads: texts(),
    },
    {
      name: 'positive',
      count: counted('grade', 'positive'),
      leads: texts({ verdict: 'positive' }),
      note: shareNote(counted('grade', 'positive'), grades, 'of the graded'),
    },
    {
      name: 'pairs',
      count: counted('pair', 'pairs') ?? counted('attribute', 'pairs'),
      leads: { view: 'pairs' },
    },
    {
      name: 'latents',
      count: latents?.length ?? counted('attribute', 'latents'),
      leads: { view: 'latents' },
    },
    ...steeredSteps(steering),
  ];
}
