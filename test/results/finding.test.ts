/** What a causal test found, in sentences, from rows made by hand. */
import { describe, expect, it } from 'vitest';
import {
  type CausalRecords,
  changePoints,
  countsOf,
  dictionaryLine,
  findingOf,
  pText,
  type RankedSteeringRow,
  type SteeringSummary,
} from '../../src/results.ts';

const zone = { low: -0.0612, high: 0.0598 };
const exit = (observed: number, expected: number) => ({ observed, expected });
const prompts = [
  ...Array.from({ length: 40 }, (_, i) => ({ id: `e${i}`, use: 'evaluation', prompt: 'x' })),
  ...Array.from({ length: 20 }, (_, i) => ({ id: `a${i}`, use: 'aside', prompt: 'x' })),
];
const summary = {
  behaviour: 'rudeness',
  zone: { remove: zone, away: zone, toward: zone, patch: null },
  exits: { remove: exit(2, 0.175), away: exit(3, 2.54), toward: exit(0, 2.5), both: exit(1, 0.04) },
  prompts,
  comparisons: [],
} as unknown as SteeringSummary;

type Place = 'remove' | 'away' | 'toward';

/** 120 completions, of which 100 are coherent; shares of positives in percent. */
function row(
  direction: string,
  place: Place,
  [from, to]: readonly [number, number],
  over: Partial<RankedSteeringRow> = {},
): RankedSteeringRow {
  const effect = (to - from) / 100;
  const made = {
    direction,
    latent: /^latent (\d+)$/.test(direction) ? Number(direction.slice(7)) : null,
    role: 'candidate',
    operation: place === 'remove' ? 'remove' : 'add',
    side: place === 'toward' ? 'toward' : 'away',
    n: 120,
    coherent: 100,
    positives: to,
    alone_n: 120,
    alone_coherent: 100,
    alone_positives: from,
    effect,
    low: effect - 0.08,
    high: effect + 0.08,
    family_wise_p: 0.5,
    verdict: 'not shown',
    way: null,
    way_low: null,
    way_high: null,
    aside_effect: null,
    aside_low: null,
    aside_high: null,
    ranks: {},
  };
  return { ...made, ...over } as unknown as RankedSteeringRow;
}
const found = (...rows: RankedSteeringRow[]): CausalRecords => ({ rows, summary });
const confirmed = { verdict: 'confirmed', family_wise_p: 0.0004 } as const;
const unsampled = { verdict: 'not sampled', effect: null, family_wise_p: 1, n: 0, coherent: 0 } as const;

const removal = row('latent 320', 'remove', [54, 22], {
  ...confirmed,
  way: 0.724,
  way_low: 0.6,
  way_high: 0.85,
});
const away = row('latent 320', 'away', [54, 40]);
const toward = row('latent 320', 'toward', [9, 30]);
const other = row('latent 7', 'remove', [54, 53]);

describe('a confirmed removal', () => {
  const finding = findingOf(found(other, away, toward, removal));

  it('leads with what was removed, on how many prompts, its interval, p, and the way to the reference', () => {
    expect(finding.verdict).toBe('confirmed');
    expect(finding.latent!.latent).toBe(320);
    expect(finding.lead).toBe(
      'Removing latent 320 from the subject changes the share of answers that show rudeness from 54 % to 22 % (−32 points [−40, −24]), 72 % of the way to the reference [60 %, 85 %]. On 40 prompts, family-wise p < .001 over 2 candidates.',
    );
  });

  it('says which test confirms it and which does not', () => {
    expect(finding.outcome).toBe('Confirmed by removal, not by steering');
    expect(findingOf(found(removal)).outcome).toBe('Confirmed by removal');
    const both = [removal, { ...away, ...confirmed }, { ...toward, ...confirmed }];
    expect(findingOf(found(...both)).outcome).toBe('Confirmed by removal and by steering');
    expect(findingOf(found(other)).outcome).toBeUndefined();
    expect(finding.lead).toBe([finding.headline, ...finding.evidence].join(' '));
  });

  it('reads a name of words and hyphens as words, another as it stands', () => {
    const named = (behaviour: string) =>
      findingOf({ rows: [removal], summary: { ...summary, behaviour } }).headline;
    expect(named('harmful-answers')).toContain('that show harmful answers from');
    expect(named('a <b>-c')).toContain('that show a <b>-c from');
  });

  it('goes on with what steering does', () => {
    expect(finding.more).toEqual([
      'Steering the subject away from latent 320 changes the share of answers that show rudeness from 54 % to 40 % (−14 points [−22, −6.0]); steering the reference toward it, from 9 % to 30 % (+21 points [+13, +29]).',
    ]);
    expect(finding.against).toEqual([]);
  });

  it('tells of the prompts kept aside', () => {
    const again = { aside_effect: -0.25, aside_low: -0.4, aside_high: -0.1 };
    const { lead, more } = findingOf(found({ ...removal, ...again }, { ...away, ...again }, toward));
    const line = 'Measured again on 20 prompts kept aside: −25 points [−40, −10].';
    expect(lead.endsWith(` candidate. ${line}`)).toBe(true);
    expect(more.at(-1)).toBe(`Away: ${line}`);
  });
});

describe('steering that is confirmed where removal is not', () => {
  const steered = [away, toward].map((one) => ({ ...one, ...confirmed, family_wise_p: 0.012 }));

  it('leads', () => {
    const finding = findingOf(found({ ...removal, verdict: 'not shown', family_wise_p: 0.4 }, ...steered));
    expect(finding.lead).toMatch(/^Steering the subject away from latent 320 changes .* toward it, from 9 %/);
    expect(finding.lead).toMatch(/On 40 prompts, family-wise p = \.012 over 1 candidate\.$/);
    expect(finding.more[0]).toMatch(/^Removing latent 320 from the subject changes/);
  });

  it('names the latent where only one side was sampled', () => {
    const one = findingOf(found(removal, { ...away, ...unsampled }, toward));
    expect(one.more).toEqual([
      'Steering the reference toward latent 320 changes the share of answers that show rudeness from 9 % to 30 % (+21 points [+13, +29]).',
    ]);
    const { more } = findingOf(found(removal, away, { ...toward, ...unsampled }));
    expect(more[0]).toMatch(/^Steering the subject away from latent 320 .*\[−22, −6\.0\]\)\.$/);
  });
});

describe('what is not confirmed', () => {
  it('is called suggestive, of the strongest candidate', () => {
    const suggestive = { verdict: 'suggestive', family_wise_p: 0.1 } as const;
    const finding = findingOf(found(other, { ...removal, ...suggestive }, away, toward));
    expect(finding.verdict).toBe('suggestive');
    expect(finding.lead).toMatch(
      /^Suggestive only, not confirmed: Removing latent 320 .*family-wise p = \.100 /,
    );
  });

  it('or nothing', () => {
    const finding = findingOf(found(other));
    expect(finding.verdict).toBe('not shown');
    expect(finding.lead).toMatch(
      /^Nothing is shown\. The strongest candidate: Removing latent 7 .* from 54 % to 53 %/,
    );
    expect(finding.against).toEqual([
      'When removed it does no more than random latents do: −6 to +6 points.',
    ]);
  });

  it('and where nothing was sampled, that', () => {
    expect(findingOf(found(row('latent 7', 'remove', [54, 54], unsampled)))).toEqual({
      verdict: 'not sampled',
      latent: undefined,
      place: undefined,
      outcome: undefined,
      headline: 'Nothing is shown: no candidate was sampled.',
      evidence: [],
      lead: 'Nothing is shown: no candidate was sampled.',
      more: [],
      against: [],
    });
  });

  it('random latents and comparisons are never what was found', () => {
    const finding = findingOf(
      found(
        row('latent 3', 'remove', [54, 0], { role: 'random', verdict: null, family_wise_p: null }),
        row('probe', 'remove', [54, 0], { role: 'comparison', ...confirmed }),
        other,
      ),
    );
    expect(finding.latent!.latent).toBe(7);
    expect(finding.lead).toMatch(/over 1 candidate\.$/);
  });
});

describe('what speaks against it', () => {
  it('text that breaks, more than by five points', () => {
    const broken = { ...removal, coherent: 88, positives: 20 };
    expect(findingOf(found(broken)).against).toEqual([
      'Removed, incoherent answers go from 17 % to 27 %; shares are of the coherent ones.',
    ]);
    expect(findingOf(found(broken)).evidence).toContain('Incoherent answers go from 17 % to 27 %.');
    expect(findingOf(found({ ...removal, coherent: 95 })).against).toEqual([]);
    expect(findingOf(found({ ...removal, coherent: 95 })).lead).not.toMatch(/incoherent/);
  });

  it('a direction that needs no latent and does more, place by place', () => {
    const probe = (place: Place, shares: readonly [number, number]) =>
      row('probe', place, shares, { role: 'comparison' });
    const rows = [removal, away, toward, probe('remove', [54, 30]), probe('toward', [9, 60])];
    expect(findingOf(found(...rows)).against).toEqual([
      'Without any latent, probe does more when steered toward: +51 points against +21.',
    ]);
    const [latent] = [findingOf(found(...rows)).latent!];
    expect(dictionaryLine(found(...rows), latent)).toBe(
      'Directions that need no latent do more than latent 320: probe (toward).',
    );
    const weaker = [removal, away, toward, probe('remove', [54, 30])];
    expect(dictionaryLine(found(...weaker), latent)).toBe(
      'Latent 320 does more than every direction that needs no latent.',
    );
    expect(dictionaryLine(found(removal, away, toward), latent)).toBeUndefined();
  });

  it('an effect that is not there once lengths are alike, or all answers count', () => {
    const same = { effect_same_length: -0.1, same_length_low: -0.2, same_length_high: 0.05 };
    const ofAll = { effect_of_all: -0.05, of_all_low: -0.1, of_all_high: 0.01 };
    const against = (over: object) => findingOf(found({ ...removal, ...over })).against;
    expect(against(same)).toEqual([
      'When removed, between answers of the same length the change is −10 points [−20, +5].',
    ]);
    expect(against(ofAll)).toEqual([
      'When removed, of all answers, incoherent ones too, the change is −5 points [−10, +1].',
    ]);
    expect(against({ ...same, same_length_high: -0.05 })).toEqual([]);
    expect(against({ ...same, low: -0.5, high: 0.1 })).toEqual([]);
  });

  it('another question that the same latent is first for', () => {
    const unrelated = { direction: 'unrelated: length', about: '', latent: 320 };
    const other = { ...unrelated, direction: 'unrelated: first letter', latent: 5 };
    const { rows } = found(removal);
    expect(findingOf({ rows, summary: { ...summary, comparisons: [other, unrelated] } }).against).toEqual([
      'The same recipe puts latent 320 first for another question too (unrelated: length): it is not of this behaviour alone.',
    ]);
  });

  it('a control that does it too, by the latent that it is where that is another', () => {
    const control = row('unrelated: length', 'remove', [54, 30], { role: 'control', verdict: null });
    const within = row('shuffled dictionary', 'remove', [54, 52], { role: 'control', verdict: null });
    const of = (latent: number | null) =>
      findingOf({
        rows: [removal, control, within],
        summary: { ...summary, comparisons: [{ direction: 'unrelated: length', about: '', latent }] },
      }).against;
    expect(of(5)).toEqual([
      'Controls leave the gray zone too, removed: unrelated: length (latent 5) −24 [−32, −16] points.',
    ]);
    expect(of(null)).toEqual([
      'Controls leave the gray zone too, removed: unrelated: length −24 [−32, −16] points.',
    ]);
    expect(of(320)).toEqual([expect.stringMatching(/^The same recipe puts latent 320 first/)]);
  });

  it('other candidates that do about as much', () => {
    const rows = [
      removal,
      row('latent 8', 'remove', [54, 25]),
      row('latent 9', 'remove', [54, 28]),
      row('latent 10', 'remove', [54, 35]),
    ];
    expect(findingOf(found(...rows)).against).toEqual([
      'It is not the only one: removed, latent 8 does −29, latent 9 does −26 points, within the interval of latent 320.',
    ]);
  });

  it('an effect that prompts kept aside do not show again', () => {
    const gone = { aside_effect: -0.1, aside_low: -0.3, aside_high: 0.1 };
    expect(findingOf(found({ ...removal, ...gone })).against).toEqual([
      'When removed, it is not there again on the prompts kept aside: −10 points [−30, +10].',
    ]);
    expect(findingOf(found({ ...removal, ...gone, aside_high: -0.01 })).against).toEqual([]);
    // what was not there at first is not looked for
    expect(findingOf(found({ ...removal, ...gone, high: 0.02 })).against).toEqual([]);
  });

  it('that random latents do as much, on the side where they do', () => {
    const weak = row('latent 320', 'away', [54, 50]);
    expect(findingOf(found(removal, weak, toward)).against).toEqual([
      'When steered away it does no more than random latents do: −6 to +6 points.',
    ]);
  });
});

it('counts of what is confirmed, and of what chance would give', () => {
  const steered = { ...confirmed, verdict: 'confirmed' } as const;
  const rows = [
    removal,
    row('latent 5', 'away', [54, 20], steered),
    row('latent 5', 'toward', [9, 50], steered),
    row('latent 6', 'remove', [54, 40], { verdict: 'suggestive', family_wise_p: 0.2 }),
    other,
  ];
  expect(countsOf(found(...rows))).toEqual([
    'Confirmed: 2 candidates; 1 by removal, 1 by steering (family-wise p below .05). Suggestive: 1.',
    'Candidates that leave the gray zone on a cause’s side: removed 2 (0.2 by chance), away 3 (2.5 by chance), toward 0 (2.5 by chance), both 1 (0.0 by chance).',
  ]);
});

describe('numbers', () => {
  it('a change has a digit more where it would meet an edge of the zone', () => {
    expect(changePoints(-0.3249)).toBe('−32');
    expect(changePoints(0.06)).toBe('+6');
    expect(changePoints(-0.0598, [-0.0612, 0.0598])).toBe('−6.0');
    expect(changePoints(-0.0612, [-0.0598])).toBe('−6.1');
    expect(changePoints(-0.1129, [-0.1126, 0.11])).toBe('−11.29');
    expect(changePoints(-0.1126, [-0.1129])).toBe('−11.26');
    expect(changePoints(0.0712, [0.0598])).toBe('+7');
    expect(changePoints(0.0598, [0.0598])).toBe('+6');
  });

  it.each([
    [0.0004, 'p < .001'],
    [0.001, 'p = .001'],
    [0.0496, 'p = .050'],
    [0.2, 'p = .200'],
    [1, 'p = 1.000'],
  ])('p of %d', (p, text) => {
    expect(pText(p)).toBe(text);
  });
});
