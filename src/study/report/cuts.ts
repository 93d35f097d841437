/**
 * How much of a study goes into a report that may not be large: one cut after the other, the least that is
 * missed first. Knows no file.
 */

const all = Number.POSITIVE_INFINITY;

export interface Cut {
  /** significant digits of fractions; log-probabilities of completions go where it is finite */
  readonly digits: number;
  /** whether trials on calibration prompts, and those of latents that are not reported, keep their texts */
  readonly otherTexts: boolean;
  /** texts of each evaluation trial of a reported latent */
  readonly trialTexts: number;
  /** whether trials of latents that are not reported stay */
  readonly otherTrials: boolean;
  /** contrasts, which are pairs or all pairs of a prompt; never fewer than pages lead to */
  readonly contrasts: number;
  /** completions of each prompt, beside those of the pairs */
  readonly completions: number;
  /** of a latent's page: passages with the greatest activations, those of each other kind, and pairs */
  readonly top: number;
  readonly others: number;
  readonly pagePairs: number;
  /** latents of a dictionary, half of them the first by rank and half the last */
  readonly latents: number;
}

const whole: Cut = {
  digits: all,
  otherTexts: true,
  trialTexts: all,
  otherTrials: true,
  contrasts: all,
  completions: all,
  top: all,
  others: all,
  pagePairs: all,
  latents: all,
};

/** What each cut takes more than the one before. */
const more: readonly Partial<Cut>[] = [
  { digits: 4 },
  { otherTexts: false },
  { trialTexts: 24, completions: 6 },
  { trialTexts: 12, completions: 3, latents: 50_000 },
  { top: 10, others: 2, completions: 2, latents: 20_000 },
  { trialTexts: 6, completions: 1, top: 6, others: 1 },
  { contrasts: 300, latents: 8_000, pagePairs: 2 },
  { digits: 3, trialTexts: 4, completions: 0, top: 4 },
  { trialTexts: 2, contrasts: 100, latents: 3_000 },
  { trialTexts: 1, otherTrials: false, top: 3, others: 0 },
  { contrasts: 40, latents: 1_000, top: 2, pagePairs: 1 },
  { trialTexts: 0, contrasts: 5, top: 1, latents: 400 },
];

/** Where a cut is too small to fit and the next one fits, what of the next may stay after all, what is missed most first. */
const regained = [
  'contrasts',
  'pagePairs',
  'trialTexts',
  'completions',
  'top',
  'others',
  'latents',
  'otherTrials',
  'otherTexts',
  'digits',
] as const satisfies readonly (keyof Cut)[];

/** Half of what lies between two limits; undefined where that is neither's. */
function between(least: Cut[keyof Cut], most: Cut[keyof Cut]): number | undefined {
  if (typeof least !== 'number' || typeof most !== 'number' || most === all) return undefined;
  const middle = Math.round((least + most) / 2);
  return middle === least || middle === most ? undefined : middle;
}

/** Of each thing that `before` left more of than `cut`: all that it left, or else half of the difference. */
export const regainable = (cut: Cut, before: Cut): Partial<Cut>[][] =>
  regained
    .filter((key) => cut[key] !== before[key])
    .map((key) => {
      const half = between(cut[key], before[key]);
      return [{ [key]: before[key] }, ...(half === undefined ? [] : [{ [key]: half }])];
    });

/** From all of it to the least. */
export const cuts: readonly Cut[] = [
  whole,
  ...more.map((_, i): Cut => Object.assign({}, whole, ...more.slice(0, i + 1))),
];
