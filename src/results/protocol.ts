/**
 * What the server of `culprit view` and the app in a browser say to each other: the addresses, and a schema
 * for each answer, event and request. Knows neither
 * HTTP nor how a study is made or shown.
 */
import { z } from 'zod';
import { promptSchema, stopReasons } from './completions.ts';
import { deltaTokens } from './latentPage.ts';

/** The list of the studies, below the server's own address. */
export const studiesAddress = 'api/studies';

/** The addresses of one study. For a server's router the id is a pattern, for a request it is encoded. */
export const studyAddresses = <Id extends string>(id: Id) =>
  ({
    files: `${studiesAddress}/${id}/files`,
    events: `${studiesAddress}/${id}/events`,
    steer: `${studiesAddress}/${id}/steer`,
    read: `${studiesAddress}/${id}/read`,
  }) as const;

/**
 * What a request for steered.jsonl may name, a latent: the answer has the trials along it and those in which nothing
 * is done, and the other lines blank, so that each keeps its number.
 */
export const latentAsked = 'latent';

/** The type of an answer that comes line by line. */
export const linesType = 'application/x-ndjson';

export const servedStudies = z.object({
  studies: z.array(z.object({ id: z.string(), name: z.string(), folder: z.string() })).readonly(),
});
export type ServedStudies = z.output<typeof servedStudies>;

const servedFile = z.object({
  /** in the study's folder, parts joined by `/` */
  path: z.string(),
  size: z.number(),
  /** milliseconds since 1970 */
  modified: z.number(),
});
export type ServedFile = z.output<typeof servedFile>;

export const servedFiles = z.object({ files: z.array(servedFile).readonly() });
export type ServedFiles = z.output<typeof servedFiles>;

const stageProgress = z.object({
  name: z.string(),
  state: z.enum(['finished', 'running', 'waiting', 'stale']),
  done: z.number(),
  units: z.number(),
  /** null where that is not known */
  seconds_left: z.number().nullable(),
  /** why its results are of an earlier state of the study, where they are */
  stale: z.string().optional(),
});
export type StageProgress = z.output<typeof stageProgress>;

const studyProgress = z.object({
  stages: z.array(stageProgress).readonly(),
  running: z.boolean(),
  /** why the stages are not known, in one line */
  problem: z.string().optional(),
});
export type StudyProgress = z.output<typeof studyProgress>;

/** What is sent of a study that somebody looks at, whenever it changes, by the event's name. */
export const servedEvents = { status: studyProgress, files: servedFiles } as const;
type EventName = keyof typeof servedEvents;
export type ServedEvent = {
  [E in EventName]: { readonly event: E; readonly data: z.output<(typeof servedEvents)[E]> };
}[EventName];

export const steeredModels = ['subject', 'reference'] as const;

/** What the playground asks for; doses in parts of s. */
export const steerBody = z.strictObject({
  prompt: promptSchema,
  latents: z
    .array(z.strictObject({ latent: z.int().min(0), dose: z.number().min(-100).max(100) }))
    .min(1)
    .max(32)
    .readonly(),
  max_tokens: z.int().min(1).max(4096),
  temperature: z.number().min(0).max(100),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  model: z.enum(steeredModels),
});
export type SteerBody = z.output<typeof steerBody>;

/** The two texts that answer it: one left alone, one steered. */
export const steerSides = ['alone', 'steered'] as const;
export type SteerSide = (typeof steerSides)[number];

const likelyText = { id: z.int(), text: z.string(), log_probability: z.number() };
const side = z.enum(steerSides);

/**
 * A line of the answer: a token with the likeliest ones in its place, the end of a text, or why there is no
 * more.
 */
export const steerLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('token'), side, ...likelyText, top: z.array(z.object(likelyText)) }),
  z.object({ kind: z.literal('end'), side, stop: z.enum(stopReasons) }),
  z.object({ kind: z.literal('error'), message: z.string() }),
]);
export type SteerLine = z.output<typeof steerLine>;

/** A text of one's own that a model is to read: what a latent does on each of its tokens. */
export const readBody = z.strictObject({
  latent: z.int().min(0),
  prompt: z.string().min(1).max(20_000),
  completion: z.string().min(1).max(20_000),
  model: z.enum(steeredModels),
});
export type ReadBody = z.output<typeof readBody>;

/** δ on prompt and completion is that of the completion's own loss, per token: above 0 supports the completion. */
export const readAnswer = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('read'),
    prompt: deltaTokens,
    completion: deltaTokens,
    /** mean cross-entropy of the completion's tokens, nats */
    loss: z.number(),
  }),
  z.object({ kind: z.literal('error'), message: z.string() }),
]);
export type ReadAnswer = z.output<typeof readAnswer>;
export type OwnTextRead = Extract<ReadAnswer, { kind: 'read' }>;
