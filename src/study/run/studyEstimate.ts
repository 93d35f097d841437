/**
 * What a study would take before it is run: tokens counted, the subject timed on this machine, prices as
 * study.yaml gives them. Knows no stage by name.
 */
import type { Model } from '../../models/decoder.ts';
import { logitsSession } from '../../models/sessions.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64 } from '../../tensor.ts';
import { completionsAreImported } from '../open/records.ts';
import type { StageEstimate, StudyStage } from '../open/stage.ts';
import type { OpenStudy } from '../open/study.ts';
import { type Clock, systemClock } from '../store/runRecord.ts';
import type { StageStatus } from '../store/status.ts';
import { checkStudy, openFor, type StudyRequest, stagesOf } from './studyRun.ts';
import { statusOf } from './studyStatus.ts';

export interface EstimateLine {
  readonly stage: string;
  /** undefined where it is not known before the stage is done */
  readonly units: number | undefined;
  readonly done: number;
  /** about */
  readonly seconds: number;
  readonly note: string;
  /** what a run will do with it, in words, as the status says it */
  readonly will: string;
  readonly changes: readonly string[];
}

export interface Estimate {
  readonly lines: readonly EstimateLine[];
  readonly seconds: number;
  /** of the judge's calls and the explainer's, by the prices given */
  readonly price: number | undefined;
  readonly assumptions: readonly string[];
}

/** Tokens of the pass that is timed; a pass is timed this often, and the fastest counts. */
const timedTokens = 128;
const timedPasses = 3;

/** Seconds of one token's forward pass through a model, by a pass over a few prompts, timed now. */
async function secondsPerToken(
  runtime: Runtime,
  model: Model,
  ids: readonly number[],
  clock: Clock,
): Promise<number> {
  const tree = sequence(ids.slice(0, Math.min(timedTokens, model.decoder.context)));
  const session = await logitsSession(runtime, model);
  const feeds = { ...treeFeeds(tree), rows: i64([1], [tree.ids.length - 1]) };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= timedPasses; i++) {
    const start = clock().getTime();
    await session.run(feeds);
    // The first pass also makes room for the others.
    if (i > 0) least = Math.min(least, clock().getTime() - start);
  }
  await session.release();
  return Math.max(1, least) / 1000 / tree.ids.length;
}

/** Mean tokens of a prompt, and seconds of one token's forward pass. */
async function sizesOf(study: OpenStudy): Promise<{ readonly prompt: number; readonly token: number }> {
  const { model, codec } = await study.model(study.config.subject);
  const taken = study.config.prompts === undefined || (await completionsAreImported(study.folder));
  const asked = taken ? await study.completions() : (await study.prompts()).discovery;
  const encoded = asked.map(({ prompt }) => codec.encodePrompt(prompt));
  const tokens = encoded.reduce((sum, { length }) => sum + length, 0);
  const token = await secondsPerToken(study.runtime(), model, repeated(encoded.flat()), study.clock);
  return { prompt: tokens / asked.length, token };
}

/** At least as many ids as are timed. */
const repeated = (ids: readonly number[]): number[] =>
  Array.from({ length: Math.max(timedTokens, ids.length) }, (_, i) => ids[i % ids.length]!);

/** From what was timed already, where something was. */
function secondsOf({ finished, secondsLeft }: StageStatus, { seconds, besides = 0 }: StageEstimate): number {
  return finished ? 0 : (secondsLeft ?? seconds) + besides;
}

function lineOf(status: StageStatus, estimate: StageEstimate): EstimateLine {
  const { name, finished, done, left, bound, known, will, changes } = status;
  return {
    stage: name,
    units: known || (finished && bound === undefined) ? done + left : undefined,
    done,
    seconds: secondsOf(status, estimate),
    note: finished ? 'done' : estimate.note,
    will,
    changes,
  };
}

/** Of an open study. Throws InputError for anything wrong in it. */
export async function estimateOf(
  study: OpenStudy,
  list?: readonly StudyStage[] | undefined,
): Promise<Estimate> {
  await checkStudy(study, list);
  const { stages } = await statusOf(study, list);
  const sizes = await sizesOf(study);
  const estimates: StageEstimate[] = [];
  for (const [i, stage] of stagesOf(study, list).entries())
    estimates.push(await stage.estimate(study, { ...sizes, status: stages[i]! }));
  const lines = estimates.map((estimate, i) => lineOf(stages[i]!, estimate));
  const prices = estimates.flatMap(({ price }) => price ?? []);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    lines,
    seconds: sum(lines.map(({ seconds }) => seconds)),
    price: prices.length === 0 ? undefined : sum(prices),
    assumptions: [
      `Times are this machine's, by a pass of ${timedTokens} tokens through the subject just now.`,
      ...estimates.flatMap(({ assumption }) => assumption ?? []),
    ],
  };
}

/** Throws InputError for anything wrong in the study. */
export async function estimateStudy(request: StudyRequest): Promise<Estimate> {
  const study = await openFor({ clock: systemClock, ...request });
  try {
    return await estimateOf(study, request.list);
  } finally {
    await study.close();
  }
}
