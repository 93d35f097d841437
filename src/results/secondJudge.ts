/** What a second judge says of a study's texts beside its first, in steering.json and in words. */
import { z } from 'zod';
import { operations } from './steered.ts';

const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable();

/** The first judge against the second, on texts that both find coherent; null where it is not defined. */
const comparison = z.object({
  /** `completions`: those that latents are found by; `changed`: a sample of removed and steered texts */
  texts: z.enum(['completions', 'changed']),
  /** rated by both and coherent to both, and of how many prompts */
  compared: z.int(),
  prompts: z.int(),
  agreement: estimate,
  kappa: estimate,
  /** of the texts that the second calls positive, or negative, the share that the first calls so */
  sensitivity: estimate,
  specificity: estimate,
});

/** One effect of a confirmed latent by both judges, over the prompts that the second has rated whole. */
const effectByBoth = z.object({
  latent: z.int(),
  operation: z.enum(operations),
  side: z.enum(['away', 'toward']),
  prompts: z.int(),
  first: estimate,
  second: estimate,
});

export const secondJudgeSchema = z.object({
  judge: z.string(),
  /** texts that it was asked about, and those that it gave no verdict on */
  asked: z.int(),
  missing: z.int(),
  compared: z.array(comparison),
  effects: z.array(effectByBoth),
});
export type SecondJudge = z.infer<typeof secondJudgeSchema>;

const texts = {
  completions: 'the completions that latents were found by',
  changed: 'a sample of removed and steered texts',
} as const;

const did = { remove: 'removed', away: 'steered away', toward: 'steered toward' } as const;

type Estimate = z.infer<typeof estimate>;

const inWords = (found: Estimate, digits: (x: number) => string) =>
  found === null ? 'not defined' : `${digits(found.value)} [${digits(found.low)}, ${digits(found.high)}]`;
const decimal = (x: number) => x.toFixed(2).replace('-', '−');
const points = (x: number) => `${x < 0 ? '−' : '+'}${Math.abs(100 * x).toFixed(0)}`;

/** In sentences. */
export function secondJudgeLines({ judge, asked, missing, compared, effects }: SecondJudge): string[] {
  const unrated = missing === 0 ? '' : ` It gave no verdict on ${missing} of ${asked} texts.`;
  return [
    ...compared.map((one) =>
      [
        `A second judge (${judge}) on ${one.compared} of ${texts[one.texts]}:`,
        `agreement ${inWords(one.agreement, decimal)}, kappa ${inWords(one.kappa, decimal)};`,
        `against it the study's judge has sensitivity ${inWords(one.sensitivity, decimal)} and`,
        `specificity ${inWords(one.specificity, decimal)}.`,
      ].join(' '),
    ),
    ...effects.map(
      ({ latent, operation, side, first, second }) =>
        `Latent ${latent} ${did[operation === 'remove' ? operation : side]}: ${inWords(first, points)} points by the study's judge, ${inWords(second, points)} by the second.`,
    ),
  ].map((line, i) => (i === 0 ? line + unrated : line));
}
