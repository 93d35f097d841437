/**
 * What a causal test found, in sentences that the terminal, the report and the app share: what was measured, on
 * how many prompts, with its interval and family-wise p, and what speaks against it.
 */
import { secondJudgeLines } from './secondJudge.ts';
import { bothSides } from './steered.ts';
import type { EffectVerdictName, RankedSteeringRow, SteeringSummary } from './steering.ts';
import {
  confirmedBy,
  type DirectionEffects,
  directionEffects,
  type EffectPlace,
  effectsOf,
  familyWiseP,
  type LatentEffects,
  leastFamilyWiseP,
  rowActsAsCause,
  strongerComparison,
  strongestFirst,
  verdictOf,
  withVerdict,
} from './verdict.ts';

export interface CausalRecords {
  readonly rows: readonly RankedSteeringRow[];
  readonly summary: SteeringSummary;
}

export interface Finding {
  readonly verdict: EffectVerdictName;
  /** the candidate that it is about; undefined where none was sampled */
  readonly latent: LatentEffects | undefined;
  /** what was done in the test that tells most; undefined where none was sampled */
  readonly place: 'remove' | 'away' | 'toward' | undefined;
  /** which of its tests confirm it and which do not; undefined where none does */
  readonly outcome: string | undefined;
  /** the effect of the test that tells most */
  readonly headline: string;
  /** how sure that is: prompts, p, text that breaks, the same measured again on prompts kept aside */
  readonly evidence: readonly string[];
  /** the headline and its evidence */
  readonly lead: string;
  /** what the other test measured */
  readonly more: readonly string[];
  /** what speaks against it, or limits it */
  readonly against: readonly string[];
}

/** A share that rose by more than this is worth a sentence. */
export const moreIncoherent = 0.05;

export const inPercent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** Points with as many digits as tell `apart` from one another. */
function pointsOf(x: number, digits: number): string {
  const text = Math.abs(100 * x).toFixed(digits);
  return Number(text) === 0 ? text : `${x < 0 ? '−' : '+'}${text}`;
}

/** Of a value and what it is not to be taken for: more decimals say nothing. */
const mostDigits = 3;

/**
 * A change in percentage points, signed: a digit where the edges of an interval and of a zone would meet, and as many
 * as tell the two apart.
 */
export function changePoints(x: number, beside: readonly number[] = []): string {
  const others = beside.filter((edge) => pointsOf(edge, mostDigits) !== pointsOf(x, mostDigits));
  const meets = others.some((edge) => Math.abs(edge - x) < 0.01);
  const toldApart = (digits: number) =>
    others.every((edge) => pointsOf(edge, digits) !== pointsOf(x, digits));
  let digits = meets ? 1 : 0;
  while (!toldApart(digits)) digits++;
  return pointsOf(x, digits);
}

/** A p-value: two digits where they tell, or that it is below the least that draws show. */
export const pText = (p: number): string =>
  p < 0.001 ? 'p < .001' : `p = ${p.toFixed(3).replace(/^0/, '')}`;

const shareOf = (positives: number, coherent: number) => inPercent(positives / coherent);
const interval = ({ low, high }: { low: number | null; high: number | null }, beside: readonly number[]) =>
  `[${changePoints(low!, beside)}, ${changePoints(high!, beside)}]`;

const promptsIn = ({ prompts }: SteeringSummary, use: 'evaluation' | 'aside') =>
  prompts.filter((one) => one.use === use).length;

const plural = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;

const incoherentShare = (n: number, coherent: number) => 1 - coherent / n;

/** "from 17 % to 29 %"; undefined where that is not worth saying. */
function brokenShares({ n, coherent, alone_n, alone_coherent }: RankedSteeringRow): string | undefined {
  const [before, after] = [incoherentShare(alone_n, alone_coherent), incoherentShare(n, coherent)];
  return after - before > moreIncoherent ? `from ${inPercent(before)} to ${inPercent(after)}` : undefined;
}

/** Where that is worth saying. */
function brokenText(row: RankedSteeringRow): string {
  const shares = brokenShares(row);
  return shares === undefined ? '' : `, incoherent answers ${shares}`;
}

/** A name of words and hyphens as words. */
/** A behaviour's name as words of a sentence. */
export const behaviourText = (behaviour: string) =>
  /^[a-z0-9]+(-[a-z0-9]+)*$/.test(behaviour) ? behaviour.replaceAll('-', ' ') : behaviour;

/** "from 68 % to 21 % (−47 points [−60, −33])" */
function change(row: RankedSteeringRow, beside: readonly number[] = []): string {
  const { alone_positives, alone_coherent, positives, coherent, effect } = row;
  return [
    `from ${shareOf(alone_positives, alone_coherent)} to ${shareOf(positives, coherent)}`,
    `(${changePoints(effect!, beside)} points ${interval(row, beside)})`,
  ].join(' ');
}

const edges = ({ low, high }: { low: number; high: number }) => [low, high];

function again(row: RankedSteeringRow, summary: SteeringSummary): string[] {
  if (row.aside_effect === null) return [];
  return [
    `Measured again on ${plural(promptsIn(summary, 'aside'), 'prompt')} kept aside: ${changePoints(row.aside_effect)} points [${changePoints(row.aside_low!)}, ${changePoints(row.aside_high!)}].`,
  ];
}

function wayText({ way, way_low, way_high }: RankedSteeringRow): string {
  if (way === null) return '';
  return `, ${inPercent(way)} of the way to the reference [${inPercent(way_low!)}, ${inPercent(way_high!)}]`;
}

function removed(one: LatentEffects, behaviour: string, summary: SteeringSummary): string[] {
  const row = one.remove;
  if (row?.effect == null) return [];
  const broken = brokenShares(row);
  return [
    `Removing latent ${one.latent} from the subject changes the share of answers that show ${behaviourText(behaviour)} ${change(row, edges(summary.zone.remove))}${wayText(row)}.`,
    ...(broken === undefined ? [] : [`Incoherent answers go ${broken}.`]),
    ...again(row, summary),
  ];
}

function steered(one: LatentEffects, behaviour: string, summary: SteeringSummary): string[] {
  const { latent, away, toward } = one;
  const shares = `changes the share of answers that show ${behaviourText(behaviour)}`;
  const told = (row: RankedSteeringRow, zone: { low: number; high: number }) =>
    `${change(row, edges(zone))}${brokenText(row)}`;
  const said = [
    away?.effect != null &&
      `Steering the subject away from latent ${latent} ${shares} ${told(away, summary.zone.away)}`,
    toward?.effect != null &&
      `${away?.effect == null ? `Steering the reference toward latent ${latent} ${shares}` : 'steering the reference toward it,'} ${told(toward, summary.zone.toward)}`,
  ].filter((text) => text !== false);
  if (said.length === 0) return [];
  return [
    `${said.join('; ')}.`,
    ...bothSides.flatMap((side) => {
      const row = one[side];
      return row ? again(row, summary).map((text) => `${side === 'away' ? 'Away' : 'Toward'}: ${text}`) : [];
    }),
  ];
}

const holdsZero = (low: number | null, high: number | null): boolean =>
  low === null || high === null || (low <= 0 && high >= 0);

/** Where an effect that differs from 0 does not any more when it is counted otherwise. */
function countedOtherwise(row: RankedSteeringRow, under: string): string[] {
  if (holdsZero(row.low, row.high)) return [];
  const ways = [
    ['between answers of the same length', row.effect_same_length, row.same_length_low, row.same_length_high],
    ['of all answers, incoherent ones too,', row.effect_of_all, row.of_all_low, row.of_all_high],
  ] as const;
  return ways.flatMap(([counted, effect, low, high]) =>
    effect == null || low == null || high == null || !holdsZero(low, high)
      ? []
      : `When ${under}, ${counted} the change is ${changePoints(effect)} points [${changePoints(low)}, ${changePoints(high)}].`,
  );
}

const steps = ['remove', 'away', 'toward'] as const;

const done: Record<EffectPlace, string> = {
  remove: 'removed',
  away: 'steered away',
  toward: 'steered toward',
  patch: 'patched',
};

/** Controls that leave the gray zone as a cause does: they have nothing to do with the behaviour. */
function controlsBeyond(
  all: readonly DirectionEffects[],
  { zone, comparisons }: SteeringSummary,
  latent: number,
): string[] {
  const named = ({ direction }: DirectionEffects) => {
    const own = comparisons.find((one) => one.direction === direction)?.latent ?? null;
    return own === null ? direction : `${direction} (latent ${own})`;
  };
  // that the latent itself is first for another question too is said by itself
  const isItself = ({ direction }: DirectionEffects) =>
    comparisons.some((one) => one.direction === direction && one.latent === latent);
  const controls = all.filter((one) => one.role === 'control' && !isItself(one));
  return steps.flatMap((place) => {
    const beyond = controls.flatMap((control) => {
      const row = control[place];
      return row?.effect == null || !rowActsAsCause(row, zone)
        ? []
        : [`${named(control)} ${changePoints(row.effect)} ${interval(row, [])}`];
    });
    return beyond.length === 0
      ? []
      : [`Controls leave the gray zone too, ${done[place]}: ${beyond.join(', ')} points.`];
  });
}

/** Latents that a sentence names. */
const mostNamed = 3;

/** Of a candidate: others that do about as much, by the interval of its own effect. */
function alikeText(
  { latent, ...own }: LatentEffects,
  all: readonly DirectionEffects[],
  { zone }: SteeringSummary,
): string[] {
  return steps.flatMap((place) => {
    const row = own[place];
    if (row?.effect == null || row.low === null || row.high === null || !rowActsAsCause(row, zone)) return [];
    const { low, high } = row;
    const alike = effectsOf(
      all.flatMap((one) => (one.role === 'candidate' ? (one[place] ?? []) : [])),
    ).filter((one) => {
      const found = one[place];
      return (
        one.latent !== latent &&
        found?.effect != null &&
        found.effect >= low &&
        found.effect <= high &&
        rowActsAsCause(found, zone)
      );
    });
    if (alike.length === 0) return [];
    const named = alike
      .slice(0, mostNamed)
      .map((other) => `latent ${other.latent} does ${changePoints(other[place]!.effect!)}`)
      .join(', ');
    const more = alike.length > mostNamed ? `, and ${alike.length - mostNamed} more do as much` : '';
    return [
      `It is not the only one: ${done[place]}, ${named} points${more}, within the interval of latent ${latent}.`,
    ];
  });
}

/** An effect that the prompts kept aside do not show again. */
function notAgain(row: RankedSteeringRow, place: EffectPlace): string[] {
  const { low, high, aside_effect, aside_low, aside_high } = row;
  if (aside_effect === null || holdsZero(low, high) || !holdsZero(aside_low, aside_high)) return [];
  return [
    `When ${done[place]}, it is not there again on the prompts kept aside: ${changePoints(aside_effect)} points [${changePoints(aside_low!)}, ${changePoints(aside_high!)}].`,
  ];
}

/** What else moves the behaviour as far, breaks the text, or limits what can be said. */
function against(one: LatentEffects, all: readonly DirectionEffects[], summary: SteeringSummary): string[] {
  const { zone, comparisons } = summary;
  const names = done;
  const out = comparisons
    .filter(({ latent }) => latent === one.latent)
    .map(
      ({ direction }) =>
        `The same recipe puts latent ${one.latent} first for another question too (${direction}): it is not of this behaviour alone.`,
    );
  out.push(...controlsBeyond(all, summary, one.latent), ...alikeText(one, all, summary));
  for (const place of steps) {
    const row = one[place];
    if (row?.effect == null) continue;
    out.push(...notAgain(row, place));
    const before = incoherentShare(row.alone_n, row.alone_coherent);
    const after = incoherentShare(row.n, row.coherent);
    if (after - before > moreIncoherent)
      out.push(
        `${names[place][0]!.toUpperCase()}${names[place].slice(1)}, incoherent answers go from ${inPercent(before)} to ${inPercent(after)}; shares are of the coherent ones.`,
      );
    out.push(...countedOtherwise(row, names[place]));
    const better = strongerComparison(all, one, place);
    const other = better?.[place];
    if (other?.effect != null)
      out.push(
        `Without any latent, ${better!.direction} does more when ${names[place]}: ${changePoints(other.effect)} points against ${changePoints(row.effect)}.`,
      );
    const range = zone[place];
    if (row.effect >= range.low && row.effect <= range.high)
      out.push(
        `When ${names[place]} it does no more than random latents do: ${changePoints(range.low)} to ${changePoints(range.high)} points.`,
      );
  }
  return out;
}

const leads: Record<EffectVerdictName, string> = {
  confirmed: '',
  suggestive: 'Suggestive only, not confirmed: ',
  'not shown': 'Nothing is shown. The strongest candidate: ',
  'not sampled': 'Nothing is shown: no candidate was sampled.',
};

/** Of one that is confirmed: by which test, and by which not. */
function outcomeOf(one: LatentEffects): string | undefined {
  const names = { remove: 'removal', add: 'steering' } as const;
  const confirming = confirmedBy(one);
  const by = (['remove', 'add'] as const).filter((each) => confirming.includes(each));
  if (by.length === 0) return undefined;
  const tried = (operation: 'remove' | 'add') =>
    operation === 'remove' ? one.remove?.effect != null : bothSides.some((side) => one[side]?.effect != null);
  const not = (['remove', 'add'] as const).filter((each) => !by.includes(each) && tried(each));
  return [
    `Confirmed by ${by.map((each) => names[each]).join(' and by ')}`,
    ...not.map((each) => `not by ${names[each]}`),
  ].join(', ');
}

/** The strongest candidate, and what the test says of it. */
export function findingOf({ rows, summary }: CausalRecords): Finding {
  const latents = effectsOf(rows).filter(({ role }) => role === 'candidate');
  const [first] = strongestFirst(latents.filter((one) => verdictOf(one) !== 'not sampled'));
  if (first === undefined)
    return {
      verdict: 'not sampled',
      latent: undefined,
      place: undefined,
      outcome: undefined,
      headline: leads['not sampled'],
      evidence: [],
      lead: leads['not sampled'],
      more: [],
      against: [],
    };
  const verdict = verdictOf(first);
  const byRemoval = familyWiseP(first, 'remove') <= familyWiseP(first, 'add') && first.remove?.effect != null;
  const parts = [
    removed(first, summary.behaviour, summary),
    steered(first, summary.behaviour, summary),
  ].filter((part) => part.length > 0);
  const [[lead, ...rest] = [], ...others] = byRemoval ? parts : parts.reverse();
  const headline = `${leads[verdict]}${lead}`;
  const evidence = [
    `On ${plural(promptsIn(summary, 'evaluation'), 'prompt')}, family-wise ${pText(leastFamilyWiseP(first))} over ${plural(latents.length, 'candidate')}.`,
    ...rest,
  ];
  const places = byRemoval ? (['remove', ...bothSides] as const) : ([...bothSides, 'remove'] as const);
  return {
    verdict,
    latent: first,
    place: places.find((place) => first[place]?.effect != null),
    outcome: outcomeOf(first),
    headline,
    evidence,
    lead: [headline, ...evidence].join(' '),
    more: [...others.flat(), ...(summary.second_judge ? secondJudgeLines(summary.second_judge) : [])],
    against: against(first, directionEffects(rows), summary),
  };
}

/** How many are confirmed, and by what; and what chance alone would give. */
export function countsOf({ rows, summary }: CausalRecords): string[] {
  const all = effectsOf(rows);
  const confirmed = withVerdict(all, 'confirmed');
  const by = (operation: 'remove' | 'add') =>
    confirmed.filter((one) => confirmedBy(one).includes(operation)).length;
  const { remove, away, toward, both } = summary.exits;
  const exits = ({ observed, expected }: typeof away) => `${observed} (${expected.toFixed(1)} by chance)`;
  return [
    `Confirmed: ${plural(confirmed.length, 'candidate')}; ${by('remove')} by removal, ${by('add')} by steering (family-wise p below .05). Suggestive: ${withVerdict(all, 'suggestive').length}.`,
    `Candidates that leave the gray zone on a cause’s side: removed ${exits(remove)}, away ${exits(away)}, toward ${exits(toward)}, both ${exits(both)}.`,
  ];
}

/** Whether a latent does more than what needs no dictionary. Undefined where nothing can be compared. */
export function dictionaryLine({ rows }: CausalRecords, latent: LatentEffects): string | undefined {
  const all = directionEffects(rows);
  const places = (['remove', 'away', 'toward'] as const).filter((place) => latent[place]?.effect != null);
  if (places.length === 0 || !all.some(({ role }) => role === 'comparison')) return undefined;
  const names = { remove: 'removed', away: 'away', toward: 'toward' };
  const beaten = places.filter((place) => strongerComparison(all, latent, place) === undefined);
  if (beaten.length === places.length)
    return `Latent ${latent.latent} does more than every direction that needs no latent.`;
  const better = places.flatMap((place) => {
    const found = strongerComparison(all, latent, place);
    return found ? [`${found.direction} (${names[place]})`] : [];
  });
  return `Directions that need no latent do more than latent ${latent.latent}: ${better.join(', ')}.`;
}
