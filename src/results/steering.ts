/** steering.parquet and steering.json: what steering does, latent by latent, and what it comes to. */
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { z } from 'zod';
import { encodeRows, type ParquetColumns } from './columns.ts';
import { promptSchema } from './completions.ts';

/** How far a latent went in the validation by steering. */
export const steeringStages = ['log-odds', 'no dose', 'few', 'many'] as const;
export type SteeringStage = (typeof steeringStages)[number];

/**
 * A row of steering.parquet: one latent in one direction. What was not measured is null. Its ranks by
 * selector stand in columns `rank_SELECTOR`.
 */
export interface SteeringRow {
  readonly latent: number;
  readonly side: 'away' | 'toward';
  /** proposed by a selector, or drawn at random for the gray zone */
  readonly role: 'candidate' | 'random';
  readonly stage: SteeringStage;
  /**
   * change of the log-odds of positive against negative completions to first order, nats a token, at
   * `forced_dose`
   */
  readonly estimate: number;
  /** the same by running the steered model on them */
  readonly log_odds: number;
  /** mean rise of their loss, nats a token */
  readonly damage: number;
  readonly forced_dose: number;
  /** α, signed, in parts of the mean residual norm */
  readonly dose: number | null;
  /**
   * what called too many completions of a stronger dose incoherent; null where no stronger one was refused
   */
  readonly dose_limited_by: 'judge' | 'cheap' | 'both' | null;
  /** graded completions at that dose, the coherent ones, and the positives among these */
  readonly n: number;
  readonly coherent: number;
  readonly positives: number;
  /** the same prompts left alone */
  readonly alone_coherent: number;
  readonly alone_positives: number;
  /** change in the share of positives, −1 to 1 */
  readonly effect: number | null;
  /** 95 % interval of it, over prompts */
  readonly low: number | null;
  readonly high: number | null;
  readonly mean_tokens: number | null;
  /** whether the effect has left the gray zone */
  readonly outside: boolean;
}

/** A row with the selectors' ranks, 1 the first; absent where a selector did not propose it. */
export type RankedSteeringRow = SteeringRow & { readonly ranks: Readonly<Record<string, number>> };

const steeringColumns = {
  latent: 'INT32',
  side: 'STRING',
  role: 'STRING',
  stage: 'STRING',
  estimate: 'FLOAT',
  log_odds: 'FLOAT',
  damage: 'FLOAT',
  forced_dose: 'FLOAT',
  dose: 'FLOAT',
  dose_limited_by: 'STRING',
  n: 'INT32',
  coherent: 'INT32',
  positives: 'INT32',
  alone_coherent: 'INT32',
  alone_positives: 'INT32',
  effect: 'FLOAT',
  low: 'FLOAT',
  high: 'FLOAT',
  mean_tokens: 'FLOAT',
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
  const ranks = Object.fromEntries(selectors.map((name) => [rankColumn + name, 'INT32' as const]));
  return encodeRows(flat, { ...steeringColumns, ...ranks });
}

/** The rows of a steering.parquet. */
export async function decodeSteering(file: AsyncBuffer | ArrayBuffer): Promise<RankedSteeringRow[]> {
  const rows = (await parquetReadObjects({ file })) as Record<string, unknown>[];
  return rows.map((row) => {
    const named = Object.entries(row);
    const ranks = named.filter(([name, value]) => name.startsWith(rankColumn) && value !== null);
    return {
      ...(Object.fromEntries(
        named.filter(([name]) => !name.startsWith(rankColumn)),
      ) as unknown as SteeringRow),
      ranks: Object.fromEntries(
        ranks.map(([name, value]) => [name.slice(rankColumn.length), value as number]),
      ),
    };
  });
}

const interval = z.object({ low: z.number(), high: z.number() });
const tally = z.object({ completions: z.int(), coherent: z.int(), positives: z.int() });
const bySide = <S extends z.ZodType>(schema: S) => z.object({ away: schema, toward: schema });

/** What one selector's candidates came to. */
export const selectorClaim = z.object({
  selector: z.string(),
  about: z.string(),
  candidates: z.int(),
  /**
   * whose effect has left the gray zone: downwards when steered away, upwards when steered toward, and both
   */
  outside: z.object({ away: z.int(), toward: z.int(), both: z.int() }),
  /** how many of them were sampled, and the mean effect of those; null for none */
  sampled: bySide(z.int()),
  mean_effect: bySide(z.number().nullable()),
});
export type SelectorClaim = z.infer<typeof selectorClaim>;

/** A prompt that was steered on. */
const steeredPrompt = z.object({
  id: z.string(),
  use: z.enum(['calibration', 'evaluation']),
  prompt: promptSchema,
});
export type SteeredPrompt = z.output<typeof steeredPrompt>;

/** steering.json: the gray zone, and the table of the source's claims. */
export const steeringSummarySchema = z.object({
  behaviour: z.string(),
  site: z.string(),
  /** s of the subject (away) and of the reference (toward): mean residual norm, sinks left out */
  norm: bySide(z.number()),
  /**
   * central 95 % of the random latents' effects, each edge with its own 95 % interval, and how many effects
   * these are
   */
  zone: bySide(interval.extend({ lowInterval: interval, highInterval: interval, effects: z.int() })),
  /** log-odds within which candidates were not sampled; null where all were */
  gate: bySide(interval).nullable(),
  /** greatest share of incoherent completions of a dose */
  limit: bySide(z.number()),
  /** completions left alone, on the evaluation prompts */
  alone: bySide(tally),
  random: z.int(),
  /**
   * rank correlation of the log-odds with the sampled effect, over latents that have both; null for fewer
   * than three
   */
  log_odds_agreement: bySide(z.number().nullable()),
  /**
   * of those that leave the gray zone in both directions the one whose two effects are greatest together;
   * null for none
   */
  first: z
    .object({ latent: z.int(), away: z.number(), toward: z.number(), ranks: z.record(z.string(), z.int()) })
    .nullable(),
  selectors: z.array(selectorClaim),
  /** latents by the stage that they reached, candidates and random ones */
  stages: bySide(z.record(z.string(), z.int())),
  /**
   * those that doses were found on, then those that effects are of, as steered.jsonl names them; none in a
   * file of before they were kept
   */
  prompts: z.array(steeredPrompt).default([]),
});
export type SteeringSummary = z.infer<typeof steeringSummarySchema>;
