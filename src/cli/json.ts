/**
 * What `--json` prints: one document on standard output in place of text. docs/schemas has each as a JSON
 * schema.
 */
import { z } from 'zod';
import {
  checkpointsSchema,
  checkSchema,
  judgeErrorSchema,
  latentExplanation,
  monitorSchema,
  traceSchema,
} from '../results.ts';

const count = z.int().min(0);
/** null where it is not defined */
const number = z.number().nullable();

const latent = z.strictObject({
  latent: count,
  rank: z.int().min(1),
  delta: z.number(),
  standard_error: number,
  p: number,
  q: number,
  same_sign: z.number(),
  sign: z.union([z.literal(1), z.literal(-1)]),
  silent_share: number,
  deflated: z.number(),
  /** effect of its removal, where the ranking measured it */
  exact: number,
  integrated: number,
});

const stageStatus = z.strictObject({
  stage: z.string(),
  state: z.enum(['done', 'started', 'to do']),
  done: count,
  left: count,
  bound: z.enum(['about', 'at most']).nullable(),
  seconds_left: number,
  /** what stands in its way */
  problem: z.string().nullable(),
  /** what a run will do with it, in words */
  will: z.string(),
  /** what differs from what its files were made of */
  changes: z.array(z.string()),
});

const effect = z.strictObject({
  direction: z.string(),
  latent: count.nullable(),
  role: z.string(),
  operation: z.string(),
  side: z.string(),
  dose: number,
  n: count,
  effect: number,
  low: number,
  high: number,
  p: number,
  q: number,
  family_wise_p: number,
  verdict: z.string().nullable(),
  ranks: z.record(z.string(), count),
});

const measured = z.strictObject({ value: number, low: number, high: number });
const judged = z.strictObject({ name: z.string(), missing: count, incoherent: count });
const rating = z.strictObject({ label: z.enum(['positive', 'negative']), score: z.number() });

/** along a latent or a vector; `add` has a dose, `set` and `cap` a value */
const intervention = z.strictObject({
  latent: count.optional(),
  vector: z.string().optional(),
  kind: z.enum(['add', 'set', 'cap', 'ablate']),
  dose: z.number().optional(),
  value: z.number().optional(),
});
const said = z.strictObject({ text: z.string(), stop: z.string() });

const page = z.strictObject({
  latent: count,
  rank: z.int().min(1),
  delta: z.number(),
  /** the page, in the study's folder */
  file: z.string(),
  /** tokens of the texts read at which it is active, of how many */
  active: count,
  tokens: count,
  /** tokens that it makes likelier, and less likely, by cosine */
  likelier: z.array(z.string()),
  less_likely: z.array(z.string()),
  nearest: z.array(z.strictObject({ latent: count, cosine: z.number() })),
  group: z.array(count),
  labels: z.array(z.string()),
  explanation: latentExplanation.nullable(),
});

/** lines of a batch's results, and what the first of them says */
const batchLines = z.strictObject({ lines: count, first: z.string() }).nullable();

const size = z.strictObject({
  prompts: count,
  completions: count,
  random: count,
  candidates: count,
  share: z.number(),
  icc: z.number(),
});
/** the least effect, as a share, that is confirmed with the chance `wanted`; null where none is */
const least = z.strictObject({ removal: number, steering: number });

/** The documents by their names, each of one command or several. */
export const documents = {
  status: z.strictObject({
    document: z.literal('status'),
    study: z.string(),
    running: z.strictObject({ pid: z.int(), since: z.string() }).nullable(),
    stages: z.array(stageStatus),
  }),
  estimate: z.strictObject({
    document: z.literal('estimate'),
    study: z.string(),
    seconds: z.number(),
    /** of judge and explainer, in the currency of study.yaml's prices */
    price: number,
    stages: z.array(
      z.strictObject({
        stage: z.string(),
        /** null where it is not known before the stage is done */
        units: count.nullable(),
        done: count,
        seconds: z.number(),
        note: z.string(),
        will: z.string(),
        changes: z.array(z.string()),
      }),
    ),
    assumptions: z.array(z.string()),
  }),
  run: z.strictObject({
    document: z.literal('run'),
    study: z.string(),
    seconds: z.number(),
    stopped: z.strictObject({ stage: z.string(), reason: z.string(), budget_spent: z.boolean() }).nullable(),
    /** why the study does not have a stage, by its name */
    skipped: z.record(z.string(), z.string()),
    stages: z.array(
      z.strictObject({
        stage: z.string(),
        up_to_date: z.boolean().nullable(),
        counts: z.record(z.string(), z.number()),
      }),
    ),
    /** the first by rank, where attribution was run */
    latents: z.array(latent).nullable(),
    /** of the causal test, where it was run */
    effects: z.array(effect).nullable(),
  }),
  attribute: z.strictObject({
    document: z.literal('attribute'),
    out: z.string(),
    site: z.string(),
    tokens: z.string(),
    loss: z.string(),
    up_to_date: z.boolean(),
    seconds: z.number(),
    counts: z.record(z.string(), z.number()),
    latents: z.array(latent),
  }),
  check: z.strictObject({
    document: z.literal('check'),
    study: z.string(),
    seconds: z.number(),
    /** why nothing was looked at; null where it was */
    skipped: z.string().nullable(),
    /** why a run would stop here; null where it would not */
    stopped: z.string().nullable(),
    /** as check.json has them */
    lines: checkSchema,
  }),
  interpret: z.strictObject({
    document: z.literal('interpret'),
    study: z.string(),
    up_to_date: z.boolean(),
    seconds: z.number(),
    /** why not all are explained, where they were to be: the budget is spent */
    stopped: z.string().nullable(),
    /** latents that have a page */
    pages: count,
    /** the first of them, as many as --rows asks for */
    latents: z.array(page),
  }),
  baseline: z.strictObject({
    document: z.literal('baseline'),
    out: z.string(),
    site: z.string(),
    tokens: count,
    sinks: count,
    passages: count,
    /** residual norms of the tokens, sinks left out */
    norm: z.strictObject({
      mean: z.number(),
      median: z.number(),
      least: z.number(),
      greatest: z.number(),
    }),
  }),
  export: z.strictObject({
    document: z.literal('export'),
    study: z.string(),
    to: z.enum(['neuronpedia', 'transformers']),
    files: z.array(z.string()),
    /** records for Neuronpedia; null of a fix */
    features: count.nullable(),
    activations: count.nullable(),
    explanations: count.nullable(),
    /** why the pages, or the fix, are of an earlier state of the study; null where they are not */
    stale: z.string().nullable(),
    /** why that could not be held against study.yaml; null where it was */
    unchecked: z.string().nullable(),
  }),
  monitor: z.strictObject({
    document: z.literal('monitor'),
    study: z.string(),
    files: z.array(z.string()),
    /** as monitor.json has it */
    monitor: monitorSchema,
  }),
  trace: z.strictObject({
    document: z.literal('trace'),
    study: z.string(),
    files: z.array(z.string()),
    /** as trace.json has it */
    trace: traceSchema,
  }),
  compare: z.strictObject({
    document: z.literal('compare'),
    study: z.string(),
    files: z.array(z.string()),
    /** as checkpoints.json has it; null where the judge's budget was spent first */
    compare: checkpointsSchema.nullable(),
    /** why it stopped; null where it did not */
    stopped: z.string().nullable(),
  }),
  /** of `monitor apply`: one for each row, a line each */
  'monitor-row': z.strictObject({
    document: z.literal('monitor-row'),
    id: z.string(),
    /** read; there are no scores where there is none */
    tokens: count,
    scores: z.array(
      z.strictObject({
        detector: z.string(),
        score: z.number(),
        probability: z.number(),
        /** above the threshold */
        flagged: z.boolean(),
      }),
    ),
    /** highest first, of one detector */
    strongest: z.array(z.strictObject({ token: z.string(), position: count, score: z.number() })),
  }),
  fetch: z.strictObject({
    document: z.literal('fetch'),
    downloads: z.array(
      z.strictObject({
        /** the reference as it was given */
        name: z.string(),
        use: z.enum(['model', 'adapter', 'dictionary', 'file']),
        commit: z.string(),
        bytes: count,
        /** of them, those that were there before */
        bytes_here: count,
        files: z.array(z.strictObject({ path: z.string(), bytes: count })),
        /** where it lies; null after --dry-run */
        path: z.string().nullable(),
      }),
    ),
  }),
  power: z.strictObject({
    document: z.literal('power'),
    size,
    /** standard deviation of the random directions' own effects */
    spread: z.number(),
    /** chance that a candidate with such an effect is confirmed; null where the share leaves no room for it */
    chances: z.array(z.strictObject({ effect: z.number(), removal: number, steering: number })),
    wanted: z.number(),
    /** the size asked for, then with each part halved and doubled; completions of both tests, at most */
    sizes: z.array(z.strictObject({ size, least, completions: count })),
  }),
  /** of `grade --batch write` and `--batch read` */
  'judge-batch': z.strictObject({
    document: z.literal('judge-batch'),
    study: z.string(),
    /** null after read */
    written: z
      .strictObject({
        files: z.array(z.strictObject({ file: z.string(), requests: count })),
        /** completions that they are about, equal ones once */
        texts: count,
        /** completions that the budget has no room for, and why; null where it has */
        left: z.strictObject({ texts: count, why: z.string() }).nullable(),
      })
      .nullable(),
    /** null after write */
    read: z
      .strictObject({
        lines: count,
        /** answers kept now, and lines that were read before */
        kept: count,
        before: count,
        /** paid, and to be asked again */
        again: batchLines,
        /** without an answer, and not paid */
        failed: batchLines,
        /** of no question of this study as it is now: not used */
        foreign: batchLines,
        graded: count,
        outstanding: z.strictObject({ texts: count, questions: count }),
      })
      .nullable(),
  }),
  'judge-sheet': z.strictObject({
    document: z.literal('judge-sheet'),
    study: z.string(),
    out: z.string(),
    rows: count,
    /** texts of the causal test that they were drawn from */
    texts: count,
  }),
  'judge-error': z.strictObject({
    document: z.literal('judge-error'),
    study: z.string(),
    /** as judge-error.json has it */
    sheet: judgeErrorSchema.shape.sheet.unwrap(),
    warnings: z.array(z.string()),
  }),
  'sae-train': z.strictObject({
    document: z.literal('sae-train'),
    out: z.string(),
    site: z.string(),
    kind: z.string(),
    latents: count,
    /** trained on, whole steps only */
    tokens: count,
    /** null where nothing was computed */
    harvested: count.nullable(),
    up_to_date: z.boolean(),
  }),
  'judge-compare': z.strictObject({
    document: z.literal('judge-compare'),
    a: judged,
    b: judged,
    items: count,
    compared: count,
    prompts: count,
    table: z.strictObject({ both: count, only_a: count, only_b: count, neither: count }),
    accuracy: measured,
    kappa: measured,
    auc_a: measured,
    auc_b: measured,
    disagreements: count,
    /** the strongest, as many as --rows asks for */
    strongest: z.array(z.strictObject({ id: z.string(), a: rating, b: rating, completion: z.string() })),
  }),
  'sae-eval': z.strictObject({
    document: z.literal('sae-eval'),
    sae: z.string(),
    site: z.string(),
    tokens: count,
    sinks: count,
    explained: number,
    l0: number,
    never_active: count,
    cross_entropy: z.strictObject({
      original: number,
      reconstructed: number,
      zero: number,
      mean: number,
      tokens: count,
    }),
    recovered: z.strictObject({ zero: number, mean: number }),
    histogram: z.array(z.strictObject({ from: z.number(), to: z.number(), latents: count })),
    /** share of tokens at which each latent is active */
    density: z.array(z.number()),
  }),
  steer: z.strictObject({
    document: z.literal('steer'),
    model: z.string(),
    adapter: z.string().nullable(),
    sae: z.string().nullable(),
    baseline: z.string().nullable(),
    site: z.string(),
    /** mean residual norm */
    norm: z.number(),
    scale: z.string(),
    tokens: z.string(),
    sampling: z.record(z.string(), z.unknown()),
    max_tokens: count,
    vectors: z.record(z.string(), z.strictObject({ name: z.string(), norm: z.number() })),
    comparisons: z.array(
      z.strictObject({
        prompt: z.union([
          z.string(),
          z.array(z.looseObject({ role: z.string(), content: z.unknown().optional() })),
        ]),
        seed: count,
        unsteered: said,
        steered: z.array(z.strictObject({ ...said.shape, interventions: z.array(intervention) })),
      }),
    ),
  }),
} as const;

export type DocumentName = keyof typeof documents;
export type DocumentOf<N extends DocumentName> = z.input<(typeof documents)[N]>;

/** A document as text. Numbers that are not finite are null. */
export const documentText = (document: DocumentOf<DocumentName>): string =>
  `${JSON.stringify(document, undefined, 2)}\n`;

export const printDocument = (document: DocumentOf<DocumentName>): void =>
  void process.stdout.write(documentText(document));

/** The flag that has a command print its document. */
export const jsonFlag = ['--json', 'print one JSON document in place of text (docs/schemas)'] as const;

/** null in place of what JSON cannot say. */
export const finite = (x: number | null | undefined): number | null =>
  x === undefined || x === null || !Number.isFinite(x) ? null : x;
