/**
 * judge-error.json: how often the study's judge errs on texts that were steered or left alone, as people or
 * a second judge read them, and what the effects are without that error.
 */
import { z } from 'zod';
import { inDecimals, signedPoints } from './numbers.ts';

const count = z.int().min(0);

/** A value with its 95 % interval. Null where nothing was read that tells it. */
const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable();

/** What was done to the model that wrote a text. */
export const textArms = ['alone', 'steered', 'removed', 'patched'] as const;
export type TextArm = (typeof textArms)[number];

const stratum = z.object({
  /** texts of which the judge said this */
  texts: count,
  /** those of them that were read */
  read: count,
});

const labelError = {
  sensitivity: estimate,
  specificity: estimate,
  kappa: estimate,
  coherent_kept: estimate,
  incoherent_found: estimate,
};

const armError = z.object({
  arm: z.enum(textArms),
  /** by what the judge said */
  strata: z.object({ positive: stratum, negative: stratum, incoherent: stratum }),
  ...labelError,
});

const differential = z.object({
  arm: z.enum(textArms),
  /** this arm's minus that of texts left alone */
  sensitivity: estimate,
  specificity: estimate,
  /** change of the share of positives that the judge would show where nothing changed */
  bias: estimate,
});

const correctedRow = z.object({
  arm: z.enum(textArms),
  side: z.string(),
  latent: count.nullable(),
  /** of a direction that is no latent */
  name: z.string().nullable(),
  /** change of the share of positives among the texts that the judge finds coherent, as it shows */
  effect: z.number(),
  /** with the judge's error on each side taken out */
  corrected: estimate,
  /** with its error over all texts taken out, as if it erred alike on all */
  corrected_alike: estimate,
});
export type CorrectedRow = z.output<typeof correctedRow>;

const agreement = z.object({
  /** the second judge */
  judge: z.string(),
  /** completions of the study, coherent to both, and their prompts */
  compared: count,
  prompts: count,
  kappa: estimate,
  accuracy: estimate,
});

const sheetError = z.object({
  /** who read: `people`, or a second judge */
  reader: z.string(),
  /** SHA-256 of the steered.jsonl whose texts were read */
  steered: z.string(),
  /** rows of the sheet, and those left empty */
  rows: count,
  empty: count,
  arms: z.array(armError).readonly(),
  /** over the texts of all arms together */
  all: z.object(labelError),
  /** of each arm but those left alone */
  differential: z.array(differential).readonly(),
  /** greatest first, by what the judge shows */
  effects: z.array(correctedRow).readonly(),
});
export type SheetError = z.output<typeof sheetError>;

export const judgeErrorSchema = z.object({
  /** null where no sheet was read */
  sheet: sheetError.nullable(),
  /** kappa of the study's judge and a second one on the same completions; null where none was asked */
  agreement: agreement.nullable(),
});
export type JudgeErrorFile = z.output<typeof judgeErrorSchema>;

const percent = (x: number) => `${(100 * x).toFixed(0)} %`;

const lowKappa = 0.6;

export const armWords: Readonly<Record<TextArm, string>> = {
  alone: 'unsteered texts',
  steered: 'steered texts',
  removed: 'texts with a direction removed',
  patched: 'texts with a direction patched in',
};

function differenceWarnings({ arm, sensitivity, specificity }: SheetError['differential'][number]): string[] {
  const differs = (name: string, found: typeof sensitivity) =>
    found !== null && (found.low > 0 || found.high < 0)
      ? [
          [
            `The judge's ${name} differs between ${armWords[arm]} and unsteered ones, by ${signedPoints(found.value)}`,
            `points (95 % interval ${signedPoints(found.low)} to ${signedPoints(found.high)}): part of an effect may be`,
            'the judge. The corrected effects allow for it.',
          ].join(' '),
        ]
      : [];
  return [...differs('sensitivity', sensitivity), ...differs('specificity', specificity)];
}

function biasWarnings({ arm, bias }: SheetError['differential'][number], sheet: SheetError): string[] {
  const greatest = sheet.effects.find((row) => row.arm === arm);
  if (bias === null || greatest === undefined) return [];
  const possible = Math.max(Math.abs(bias.low), Math.abs(bias.high));
  if (possible <= Math.abs(greatest.effect)) return [];
  const read = sheet.rows - sheet.empty;
  return [
    [
      `From ${read} texts read it cannot be ruled out that the judge's error differs so much between`,
      `${armWords[arm]} and unsteered ones that it alone shows ${signedPoints(possible).slice(1)} points, more`,
      `than the greatest effect (${signedPoints(greatest.effect)}). A longer sheet (--count) would tell.`,
    ].join(' '),
  ];
}

function weakWarnings(sheet: SheetError): string[] {
  const { sensitivity, specificity } = sheet.all;
  if (sensitivity === null || specificity === null)
    return [
      'The sheet has too few texts of one label to tell how often the judge errs on them: read a longer one.',
    ];
  const shows = Math.max(0, sensitivity.value + specificity.value - 1);
  return shows >= 0.5
    ? []
    : [
        [
          `Read again, the judge finds ${percent(sensitivity.value)} of the positive and`,
          `${percent(specificity.value)} of the negative texts: an effect appears at ${percent(shows)} of its size.`,
        ].join(' '),
      ];
}

/** What a careful reader should know of the judge; `steered`: the hash of steered.jsonl as it is now. */
export function judgeErrorWarnings(
  { sheet, agreement: found }: JudgeErrorFile,
  steered: string | undefined,
): string[] {
  const kappa = found?.kappa;
  return [
    ...(sheet === null
      ? []
      : [
          ...(steered === undefined || steered === sheet.steered
            ? []
            : [
                "The judge's error was measured on the texts of an earlier causal test: draw a new sheet with `culprit judge sample`.",
              ]),
          ...weakWarnings(sheet),
          ...sheet.differential.flatMap((one) => [...differenceWarnings(one), ...biasWarnings(one, sheet)]),
        ]),
    ...(found && kappa && kappa.value < lowKappa
      ? [
          `The study's judge and ${found.judge} agree poorly (kappa ${inDecimals(kappa.value, 2)}): at least one of them is often wrong.`,
        ]
      : []),
  ];
}
