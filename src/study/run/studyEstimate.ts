/**
 * What a study would take before it is run: tokens counted, the machine timed on a few products, prices as
 * study.yaml gives them. Knows no stage by name.
 */
import { input, matmul } from '../../graph/build.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { sizeOf, tensor } from '../../tensor.ts';
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

const side = 512;
const rounds = 8;

/** Part of plain products' speed that sampling and attribution reach. */
const efficiency = 0.5;

/** Floating-point operations a second in plain products. */
async function productRate(runtime: Runtime, clock: Clock): Promise<number> {
  const [a, b] = [input('a', [side, side]), input('b', [side, side])];
  let y = matmul(a, b);
  for (let i = 1; i < rounds; i++) y = matmul(y, b);
  const session = await runtime.load({ outputs: { y } }, new Map());
  const square = tensor('f32', [side, side], new Float32Array(side * side).fill(1 / side));
  let best = 0;
  for (let i = 0; i < 4; i++) {
    const start = clock().getTime();
    await session.run({ a: square, b: square });
    best = Math.max(best, (rounds * 2 * side ** 3) / Math.max(1e-3, (clock().getTime() - start) / 1000));
  }
  await session.release();
  return best;
}

/** Multiply-adds of one token through the model. */
function weightsOf(model: {
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}): number {
  let sum = 0;
  for (const { shape } of model.weights.values()) if (shape.length === 2) sum += sizeOf(shape);
  return sum;
}

/** Mean tokens of a prompt, and seconds of one token's forward pass. */
async function sizesOf(study: OpenStudy): Promise<{ readonly prompt: number; readonly token: number }> {
  const { model, codec } = await study.model(study.config.subject);
  const rate = await productRate(study.runtime(), study.clock);
  const taken = study.config.prompts === undefined || (await completionsAreImported(study.folder));
  const asked = taken ? await study.completions() : (await study.prompts()).discovery;
  const tokens = asked.reduce((sum, { prompt }) => sum + codec.encodePrompt(prompt).length, 0);
  return { prompt: tokens / asked.length, token: (2 * weightsOf(model)) / (efficiency * rate) };
}

/** From what was timed already, where something was. */
function secondsOf({ finished, bound, left, secondsLeft }: StageStatus, { seconds }: StageEstimate): number {
  if (finished) return 0;
  return bound === 'at most' || left === 0 ? seconds : (secondsLeft ?? seconds);
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
      `Times assume that models reach ${efficiency} of this machine's speed on plain matrix products, measured just now.`,
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
