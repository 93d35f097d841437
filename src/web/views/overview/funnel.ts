/** How many of what were left at each step of a study, from prompts to latents outside the gray zone. */
import { effectsOf, type LatentRow, type StudyManifest, verdictOf, withVerdict } from '../../../results.ts';
import { percent } from '../../format.ts';
import type { SteeringRecords } from '../../study.ts';

export interface Step {
  readonly name: string;
  /** undefined where it is not known yet */
  readonly count: number | undefined;
  readonly note?: string | undefined;
}

const shareNote = (part: number | undefined, whole: number | undefined, what: string) =>
  part === undefined || !whole ? undefined : `${percent(part / whole)} ${what}`;

function steeredSteps(steering: SteeringRecords | undefined): Step[] {
  if (!steering)
    return ['candidates', 'sampled', 'outside in both directions'].map((name) => ({
      name,
      count: undefined,
    }));
  const { rows, summary } = steering;
  const all = effectsOf(rows);
  const candidates = all.filter(({ role }) => role === 'candidate');
  const sampled = candidates.filter((one) => verdictOf(one, summary.zone) !== 'not sampled');
  const side = (verdict: 'away' | 'toward') => withVerdict(all, summary.zone, verdict).length;
  return [
    { name: 'candidates', count: candidates.length, note: `and ${summary.random} random` },
    { name: 'sampled', count: sampled.length, note: 'in either direction' },
    {
      name: 'outside in both directions',
      count: withVerdict(all, summary.zone, 'both').length,
      note: `${side('away')} away only, ${side('toward')} toward only`,
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
    },
    { name: 'graded', count: grades, note: shareNote(counted('grade', 'incoherent'), grades, 'incoherent') },
    {
      name: 'positive',
      count: counted('grade', 'positive'),
      note: shareNote(counted('grade', 'positive'), grades, 'of the graded'),
    },
    { name: 'pairs', count: counted('pair', 'pairs') ?? counted('attribute', 'pairs') },
    { name: 'latents', count: latents?.length ?? counted('attribute', 'latents') },
    ...steeredSteps(steering),
  ];
}
