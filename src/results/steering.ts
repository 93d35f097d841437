/** steering.parquet and steering.json: what steering does, latent by latent, and what it comes to. */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { decodeRows, encodeRows, type ParquetColumns } from './columns.ts';
import { promptSchema } from './completions.ts';
import { secondJudgeSchema } from './secondJudge.ts';
import {
  bothSides,
  type Operation,
  operations,
  type Role,
  roles,
  type Side,
  type TokenPart,
  tokenParts,
} from './steered.ts';

/** How far a direction went in the causal test. */
export const steeringStages = ['log-odds', 'no dose', 'sampled'] as const;
export type SteeringStage = (typeof steeringStages)[number];

/** What a test says of a direction: family-wise p < .05, q < .2, neither, or that nothing was sampled. */
export const effectVerdictNames = ['confirmed', 'suggestive', 'not shown', 'not sampled'] as const;
export type EffectVerdictName = (typeof effectVerdictNames)[number];

/**
 * A row of steering.parquet: one operation along one direction on one side. What was not measured is null. Its
 * ranks by selector stand in columns `rank_SELECTOR`.
 */
export interface SteeringRow {
  readonly direction: string;
  readonly latent: number | null;
  readonly role: Role;
  readonly operation: Operation;
  /** away: on the subject; toward: on the reference */
  readonly side: Side;
  /** at which tokens it acts; null where along no direction, and in files of earlier versions */
  readonly tokens: TokenPart | null;
  /** σ: `add` adds α s σ d */
  readonly sign: 1 | -1;
  readonly stage: SteeringStage;
  /** change of the log-odds of positive against negative completions to first order, nats a token */
  readonly estimate: number | null;
  /** the same by running the changed model on them */
  readonly log_odds: number | null;
  /** mean rise of their loss, nats a token */
  readonly damage: number | null;
  /** α of these three; 0 where nothing is added */
  readonly forced_dose: number | null;
  /** α along σ d, signed, in parts of the mean residual norm; null where nothing is added */
  readonly dose: number | null;
  /**
   * what called too many completions of a stronger dose incoherent; null where no stronger one was refused
   */
  readonly dose_limited_by: 'judge' | 'cheap' | 'both' | null;
  /** graded completions, the coherent ones, and the positives among these */
  readonly n: number;
  readonly coherent: number;
  readonly positives: number;
  /** the same prompts left alone */
  readonly alone_n: number;
  readonly alone_coherent: number;
  readonly alone_positives: number;
  /** change in the share of positives among coherent completions, −1 to 1 */
  readonly effect: number | null;
  /** 95 % interval of it, over prompts */
  readonly low: number | null;
  readonly high: number | null;
  /** change in the share of coherent positives among all completions, with its 95 % interval over prompts */
  readonly effect_of_all: number | null;
  readonly of_all_low: number | null;
  readonly of_all_high: number | null;
  /** `effect` with completions of the same length compared, with its 95 % interval over prompts */
  readonly effect_same_length: number | null;
  readonly same_length_low: number | null;
  readonly same_length_high: number | null;
  /** effect less the mean effect of the random latents */
  readonly effect_minus_random: number | null;
  /** how far that is, in deviations of a further random latent */
  readonly t: number | null;
  /** one-sided, of this row alone: both "as a random latent" and "no effect" */
  readonly p: number | null;
  /** Benjamini and Hochberg over the candidates */
  readonly q: number | null;
  /** of the whole test of this operation (both sides of `add`), over all candidates and operations */
  readonly family_wise_p: number | null;
  /** of the whole test too; null for random latents */
  readonly verdict: EffectVerdictName | null;
  /** share of the way to the other model that a removal or patch goes, with its 95 % interval */
  readonly way: number | null;
  readonly way_low: number | null;
  readonly way_high: number | null;
  /** the effect measured again on prompts kept aside, and how many coherent completions it is of */
  readonly aside_n: number;
  readonly aside_coherent: number;
  readonly aside_effect: number | null;
  readonly aside_low: number | null;
  readonly aside_high: number | null;
  readonly mean_tokens: number | null;
  /** whether the effect has left the gray zone */
  readonly outside: boolean;
}

/** A row with the selectors' ranks, 1 the first; absent where a selector did not propose it. */
export type RankedSteeringRow = SteeringRow & { readonly ranks: Readonly<Record<string, number>> };

const steeringColumns = {
  direction: 'STRING',
  latent: 'INT32?',
  role: 'STRING',
  operation: 'STRING',
  side: 'STRING',
  tokens: 'STRING?',
  sign: 'INT32',
  stage: 'STRING',
  estimate: 'FLOAT?',
  log_odds: 'FLOAT?',
  damage: 'FLOAT?',
  forced_dose: 'FLOAT?',
  dose: 'FLOAT?',
  dose_limited_by: 'STRING?',
  n: 'INT32',
  coherent: 'INT32',
  positives: 'INT32',
  alone_n: 'INT32',
  alone_coherent: 'INT32',
  alone_positives: 'INT32',
  effect: 'FLOAT?',
  low: 'FLOAT?',
  high: 'FLOAT?',
  effect_of_all: 'FLOAT?',
  of_all_low: 'FLOAT?',
  of_all_high: 'FLOAT?',
  effect_same_length: 'FLOAT?',
  same_length_low: 'FLOAT?',
  same_length_high: 'FLOAT?',
  effect_minus_random: 'FLOAT?',
  t: 'FLOAT?',
  p: 'FLOAT?',
  q: 'FLOAT?',
  family_wise_p: 'FLOAT?',
  verdict: 'STRING?',
  way: 'FLOAT?',
  way_low: 'FLOAT?',
  way_high: 'FLOAT?',
  aside_n: 'INT32',
  aside_coherent: 'INT32',
  aside_effect: 'FLOAT?',
  aside_low: 'FLOAT?',
  aside_high: 'FLOAT?',
  mean_tokens: 'FLOAT?',
  outside: 'BOOLEAN',
} as const satisfies ParquetColumns<SteeringRow>;

const rankColumn = 'rank_';

/** steering.parquet, rows in the order given. */
export function encodeSteering(rows: readonly RankedSteeringRow[]): ArrayBuffer {
  const selectors = [...new Set(rows.flatMap(({ ranks }) => Object.keys(ranks)))];
  const flat = rows.map(({ ranks, ...row }) => ({
    ...row,
    ...Object.fromEntries(selectors.map((name) => [rankColumn + name, ranks[name] ?? null])),
  }));
  const ranks = Object.fromEntries(selectors.map((name) => [rankColumn + name, 'INT32?' as const]));
  return encodeRows(flat, { ...steeringColumns, ...ranks });
}

/** What a file of an earlier version may lack. */
const unknownColumns = Object.keys(steeringColumns).map((name) => [name, null] as const);

/** Words and signs that a row may have; null for what was not measured, or not written. */
const words = z.object({
  role: z.enum(roles).nullish(),
  operation: z.enum(operations).nullish(),
  side: z.enum(bothSides).nullish(),
  tokens: z.enum(tokenParts).nullish(),
  sign: z.literal([1, -1]).nullish(),
  stage: z.enum(steeringStages).nullish(),
  verdict: z.enum(effectVerdictNames).nullish(),
  dose_limited_by: z.enum(['judge', 'cheap', 'both']).nullish(),
});

/**
 * The rows of a steering.parquet. A column that an earlier version did not write is null. Throws InputError
 * where the file is damaged.
 */
export async function decodeSteering(file: ArrayBuffer): Promise<RankedSteeringRow[]> {
  const { rows } = await decodeRows(file, 'steering.parquet', (found) => ({
    ...Object.fromEntries(Object.entries(steeringColumns).filter(([name]) => found.includes(name))),
    ...Object.fromEntries(
      found.filter((name) => name.startsWith(rankColumn)).map((name) => [name, 'INT32?' as const]),
    ),
  }));
  return rows.map((row, i) => {
    const [issue] = words.safeParse(row).error?.issues ?? [];
    if (issue !== undefined)
      throw new InputError(
        `steering.parquet: row ${i}: ${issue.path.join('.')}: ${issue.message}, found ${JSON.stringify(row[String(issue.path[0])])}`,
      );
    const named = Object.entries(row);
    const ranks = named.filter(([name, value]) => name.startsWith(rankColumn) && value !== null);
    return {
      ...(Object.fromEntries([
        ...unknownColumns,
        ...named.filter(([name]) => !name.startsWith(rankColumn)),
      ]) as unknown as SteeringRow),
      ranks: Object.fromEntries(
        ranks.map(([name, value]) => [name.slice(rankColumn.length), value as number]),
      ),
    };
  });
}

const interval = z.object({ low: z.number(), high: z.number() });
const tally = z.object({ completions: z.int(), coherent: z.int(), positives: z.int() });
const bySide = <S extends z.ZodType>(schema: S) => z.object({ away: schema, toward: schema });

/**
 * The random latents' effects under one operation on one side: the 95 % prediction interval of a further one,
 * each edge with its own 95 % interval; how many effects these are, their mean and deviation.
 */
const zone = interval.extend({
  lowInterval: interval,
  highInterval: interval,
  effects: z.int(),
  mean: z.number(),
  deviation: z.number(),
});

/** Candidates beyond the gray zone as a cause would be, and how many would be by chance, of all candidates. */
const exits = z.object({ expected: z.number(), observed: z.int() });
export type EffectZone = z.infer<typeof zone>;

/** What one selector's candidates came to. */
export const selectorClaim = z.object({
  selector: z.string(),
  about: z.string(),
  candidates: z.int(),
  /** confirmed by removal, by steering, by either */
  confirmed: z.object({ remove: z.int(), add: z.int(), either: z.int() }),
  /** whose effect has left the gray zone as a cause's does */
  outside: z.object({ remove: z.int(), away: z.int(), toward: z.int(), both: z.int() }),
  /** how many of them were sampled, and the mean effect of those; null for none */
  sampled: z.object({ remove: z.int(), away: z.int(), toward: z.int() }),
  mean_effect: z.object({
    remove: z.number().nullable(),
    away: z.number().nullable(),
    toward: z.number().nullable(),
  }),
});
export type SelectorClaim = z.infer<typeof selectorClaim>;

/** A prompt that was steered on. */
const steeredPrompt = z.object({
  id: z.string(),
  use: z.enum(['calibration', 'evaluation', 'aside']),
  prompt: promptSchema,
});
export type SteeredPrompt = z.output<typeof steeredPrompt>;

/** A direction that is compared with, and the latent that it is of where the recipe found it for another question. */
const comparison = z.object({
  direction: z.string(),
  about: z.string(),
  latent: z.int().nullable().default(null),
});

/** A latent that a greedy group took in, the share of positives with the group removed, and removals tried for it. */
const greedyStep = z.object({ latent: z.int(), share: z.number(), tried: z.int() });
export type GreedyStep = z.infer<typeof greedyStep>;

/** steering.json: the gray zones, and the table of the source's claims. */
export const steeringSummarySchema = z.object({
  behaviour: z.string(),
  site: z.string(),
  /** s of the subject (away) and of the reference (toward): mean residual norm, sinks left out */
  norm: bySide(z.number()),
  /**
   * of `add` on each side, of `remove`, of `patch`, null where nothing was patched, and of what else was done
   * with latents
   */
  zone: z.object({
    away: zone,
    toward: zone,
    remove: zone,
    patch: zone.nullable(),
    subtract: zone.optional(),
    remove_all: zone.optional(),
    remove_prompt: zone.optional(),
    remove_completion: zone.optional(),
  }),
  exits: z.object({ remove: exits, away: exits, toward: exits, both: exits }),
  /** log-odds within which candidates were not sampled; null where all were */
  gate: z.object({ remove: interval, away: interval, toward: interval }).nullable(),
  /** greatest share of incoherent completions of a dose */
  limit: bySide(z.number()),
  /** completions left alone, on the evaluation prompts */
  alone: bySide(tally),
  /** number of random latents, and of Gaussian directions */
  random: z.int(),
  gaussian: z.int(),
  /**
   * rank correlation of the log-odds with the sampled effect, over latents that have both; null for fewer
   * than three
   */
  log_odds_agreement: z.object({
    remove: z.number().nullable(),
    away: z.number().nullable(),
    toward: z.number().nullable(),
  }),
  /** the confirmed candidate with the least family-wise p, then the greatest effect; null for none */
  first: z
    .object({
      latent: z.int(),
      operation: z.enum(operations),
      family_wise_p: z.number(),
      ranks: z.record(z.string(), z.int()),
    })
    .nullable(),
  selectors: z.array(selectorClaim),
  comparisons: z.array(comparison),
  /** the system message of the arm without a direction; absent without one */
  system: z.string().optional(),
  /** the group built greedily on calibration prompts, latent by latent; absent where none is asked for */
  greedy: z.array(greedyStep).optional(),
  /** what a second judge says beside the first; absent where the study names none */
  second_judge: secondJudgeSchema.optional(),
  /** arms by the stage that they reached, of candidates and of the others */
  stages: z.record(z.string(), z.record(z.string(), z.int())),
  /** those that doses were found on, then those that effects are of, as steered.jsonl names them */
  prompts: z.array(steeredPrompt),
});
export type SteeringSummary = z.infer<typeof steeringSummarySchema>;
