/**
 * The result files of a run: their types, and bytes to values and back. Knows neither disk nor models, so that a browser can read them with
 * the same code.
 */
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { z } from 'zod';

/** A row of latents.parquet: one latent of the dictionary. */
export interface LatentRow {
  readonly latent: number;
  /** Δ in nats: positive supports the positive completions */
  readonly delta: number;
  /** 1 for the greatest Δ */
  readonly rank: number;
  /** standard error of Δ over pairs, in nats */
  readonly standard_error: number;
  /** share of pairs whose own Δ has the sign of the mean */
  readonly same_sign: number;
}

/** A row of differences.parquet: one latent by model diffing. */
export interface DifferenceRow {
  readonly latent: number;
  /** Δ-activation: mean SAE activation on the prompts, subject minus reference, in units of the residual stream */
  readonly delta_activation: number;
  /** 1 for the greatest */
  readonly rank: number;
}

/** How far a latent went in the proof by steering. */
export const steeringStages = ['log-odds', 'no dose', 'few', 'many'] as const;
export type SteeringStage = (typeof steeringStages)[number];

/** A row of steering.parquet: one latent in one direction. What was not measured is null. Its ranks by selector stand in columns `rank_SELECTOR`. */
export interface SteeringRow {
  readonly latent: number;
  readonly direction: 'away' | 'toward';
  /** proposed by a selector, or drawn at random for the gray zone */
  readonly role: 'candidate' | 'random';
  readonly stage: SteeringStage;
  /** change of the log-odds of positive against negative completions to first order, nats a token, at `forced_dose` */
  readonly estimate: number;
  /** the same by running the steered model on them */
  readonly log_odds: number;
  /** mean rise of their loss, nats a token */
  readonly damage: number;
  readonly forced_dose: number;
  /** α, signed, in parts of the mean residual norm */
  readonly dose: number | null;
  /** what called too many completions of a stronger dose incoherent; null where no stronger one was refused */
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

type ColumnType = 'INT32' | 'FLOAT' | 'STRING' | 'BOOLEAN';
type Columns<Row> = { readonly [C in keyof Row]: ColumnType };

const steeringColumns = {
  latent: 'INT32',
  direction: 'STRING',
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
} as const satisfies Columns<SteeringRow>;

const columns = {
  latent: 'INT32',
  delta: 'FLOAT',
  rank: 'INT32',
  standard_error: 'FLOAT',
  same_sign: 'FLOAT',
} as const satisfies Columns<LatentRow>;

const differenceColumns = {
  latent: 'INT32',
  delta_activation: 'FLOAT',
  rank: 'INT32',
} as const satisfies Columns<DifferenceRow>;

function encodeRows<Row extends object>(rows: readonly Row[], types: Columns<Row>): ArrayBuffer {
  return parquetWriteBuffer({
    columnData: (Object.keys(types) as (keyof Row & string)[]).map((name) => ({
      name,
      type: types[name],
      data: rows.map((row) => row[name] as number | string | boolean | null),
    })),
  });
}

/** latents.parquet, rows in the order given. */
export const encodeLatents = (rows: readonly LatentRow[]): ArrayBuffer => encodeRows(rows, columns);

/** differences.parquet, rows in the order given. */
export const encodeDifferences = (rows: readonly DifferenceRow[]): ArrayBuffer =>
  encodeRows(rows, differenceColumns);

/** The rows of a latents.parquet. */
export async function decodeLatents(file: AsyncBuffer | ArrayBuffer): Promise<LatentRow[]> {
  return (await parquetReadObjects({ file, columns: Object.keys(columns) })) as unknown as LatentRow[];
}

/** The rows of a differences.parquet. */
export async function decodeDifferences(file: AsyncBuffer | ArrayBuffer): Promise<DifferenceRow[]> {
  const columns = Object.keys(differenceColumns);
  return (await parquetReadObjects({ file, columns })) as unknown as DifferenceRow[];
}

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
  /** whose effect has left the gray zone: downwards when steered away, upwards when steered toward, and both */
  outside: z.object({ away: z.int(), toward: z.int(), both: z.int() }),
  /** how many of them were sampled, and the mean effect of those; null for none */
  sampled: bySide(z.int()),
  mean_effect: bySide(z.number().nullable()),
});
export type SelectorClaim = z.infer<typeof selectorClaim>;

/** steering.json: the gray zone, and the table of the source's claims. */
export const steeringSummarySchema = z.object({
  behaviour: z.string(),
  site: z.string(),
  /** s of the subject (away) and of the reference (toward): mean residual norm, sinks left out */
  norm: bySide(z.number()),
  /** central 95 % of the random latents' effects, each edge with its own 95 % interval, and how many effects these are */
  zone: bySide(interval.extend({ lowInterval: interval, highInterval: interval, effects: z.int() })),
  /** log-odds within which candidates were not sampled; null where all were */
  gate: bySide(interval).nullable(),
  /** greatest share of incoherent completions of a dose */
  limit: bySide(z.number()),
  /** completions left alone, on the evaluation prompts */
  alone: bySide(tally),
  random: z.int(),
  /** rank correlation of the log-odds with the sampled effect, over latents that have both; null for fewer than three */
  log_odds_agreement: bySide(z.number().nullable()),
  /** of those that leave the gray zone in both directions the one whose two effects are greatest together; null for none */
  first: z
    .object({ latent: z.int(), away: z.number(), toward: z.number(), ranks: z.record(z.string(), z.int()) })
    .nullable(),
  selectors: z.array(selectorClaim),
  /** latents by the stage that they reached, candidates and random ones */
  stages: bySide(z.record(z.string(), z.int())),
});
export type SteeringSummary = z.infer<typeof steeringSummarySchema>;

/** A token of the vocabulary beside a latent's direction d: `dot` = W'_v·d and `cosine` = W'_v·d / |W'_v|, W' the unembedding with the final norm's gain folded in. */
const lensToken = z.object({ id: z.int(), token: z.string(), cosine: z.number(), dot: z.number() });
/** Greatest first in `top`, least first in `bottom`. */
const lensEnds = z.object({ top: z.array(lensToken), bottom: z.array(lensToken) });
export const lensSchema = z.object({ cosine: lensEnds, dot: lensEnds });
export type Lens = z.infer<typeof lensSchema>;

/** A latent's SAE activation at each token of a text; null at attention sinks. */
const shadedTokens = {
  ids: z.array(z.int()),
  tokens: z.array(z.string()),
  activations: z.array(z.number().nullable()),
};

/** A window of a corpus passage around the token where the latent is most active in it. */
export const passageWindow = z.object({
  /** which of the corpora, and the line of the passage in it */
  corpus: z.int(),
  line: z.int(),
  /** the window's first token in the passage, and the most active one in the window */
  start: z.int(),
  peak: z.int(),
  ...shadedTokens,
});
export type PassageWindow = z.infer<typeof passageWindow>;

/** Where in a corpus a latent is active. */
export const latentPassages = z.object({
  /** tokens looked at, sinks not among them; those with an activation above 0; passages with such a token */
  tokens: z.int(),
  active: z.int(),
  passages: z.int(),
  active_passages: z.int(),
  /** of the tokens where it is active: mean and greatest activation */
  mean: z.number().nullable(),
  max: z.number(),
  /** how many of them have an activation from edges[i] on, below edges[i + 1] */
  histogram: z.object({ edges: z.array(z.number()), counts: z.array(z.int()) }),
  /** the passages with the greatest activations, greatest first */
  top: z.array(passageWindow),
  /** passages drawn at random from each part of the range of their greatest activations, from the lowest part to the highest */
  quantiles: z.array(z.object({ low: z.number(), high: z.number(), passages: z.array(passageWindow) })),
  /** random windows in which it is not active */
  zero: z.array(passageWindow),
});
export type LatentPassages = z.infer<typeof latentPassages>;

/** The tokens of a text with a latent's δ at each, in nats; null at attention sinks. */
const deltaTokens = z.object({
  ids: z.array(z.int()),
  tokens: z.array(z.string()),
  activations: z.array(z.number().nullable()),
  delta: z.array(z.number().nullable()),
});
export type DeltaTokens = z.infer<typeof deltaTokens>;

/** One of the study's pairs as a latent sees it: on the prompt δ of positive minus negative, on a completion's own tokens that of its own loss. */
export const latentPair = z.object({
  pair: z.string(),
  /** Δ of the pair alone, nats */
  delta: z.number(),
  prompt: deltaTokens,
  positive: deltaTokens,
  negative: deltaTokens,
});
export type LatentPair = z.infer<typeof latentPair>;

/** latents/NNN.json: what a latent does and seems to mean. */
export const latentPageSchema = z.object({
  latent: z.int(),
  site: z.string(),
  behaviour: z.string(),
  delta: z.number(),
  rank: z.int(),
  standard_error: z.number(),
  same_sign: z.number(),
  lens: lensSchema,
  /** nearest by cosine of decoder directions, nearest first */
  neighbours: z.array(z.object({ latent: z.int(), cosine: z.number() })),
  /** reported latents that point the same way or fire together, this one among them; empty where it stands alone */
  group: z.array(z.int()),
  /** over which corpora, read by which model */
  corpora: z.array(z.string()),
  passages: latentPassages,
  /** the pairs that count most for it, greatest |Δ| first */
  pairs: z.array(latentPair),
});
export type LatentPage = z.infer<typeof latentPageSchema>;

/** A file or folder that went into a run, with the hash of its contents. */
const inputFile = z.object({ path: z.string(), sha256: z.string() });

/** manifest.json: what was run, on what, and what came of it, so that the run can be repeated and checked. */
export const manifestSchema = z.object({
  command: z.enum(['attribute', 'baseline', 'demo']),
  /** hash of inputs, options and versions: equal keys mean equal results */
  key: z.string(),
  created: z.iso.datetime(),
  versions: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), inputFile),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** numbers about the run, such as token counts */
  counts: z.record(z.string(), z.number()),
  /** seconds by part of the work */
  seconds: z.record(z.string(), z.number()),
});
export type Manifest = z.infer<typeof manifestSchema>;
