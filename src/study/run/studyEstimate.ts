/** What a study would take before it is run: tokens counted, the machine timed on a few products, the judge's prices as study.yaml gives them. */

import { input, matmul } from '../../graph/build.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { sizeOf, tensor } from '../../tensor.ts';
import { corpusDefaults } from '../attribution/baselineRun.ts';
import { interpretOptions } from '../interpretation/6-interpret.ts';
import { mostQuestions } from '../interpretation/explainPages.ts';
import { callSeconds, replyTokens } from '../judging/callCosts.ts';
import type { GradingWork } from '../judging/judgeKind.ts';
import { judgeKindOf } from '../judging/openJudge.ts';
import { readCompletions } from '../open/records.ts';
import type { OpenStudy } from '../open/study.ts';
import { causalTestSize } from '../steering/size.ts';
import { type Clock, systemClock } from '../store/runRecord.ts';
import type { StageStatus } from '../store/status.ts';
import { checkStudy, isImported, openFor, type StageName, type StudyRequest } from './studyRun.ts';
import { statusOf } from './studyStatus.ts';

export interface EstimateLine {
  readonly stage: StageName;
  readonly units: number | undefined;
  readonly done: number;
  /** about; undefined where it cannot be told */
  readonly seconds: number | undefined;
  readonly note: string;
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
/** Tokens of a question to an explainer. */
const explainerTokens = 700;

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

interface Sizes {
  /** mean tokens of a prompt */
  readonly prompt: number;
  /** seconds of one token's forward pass */
  readonly token: number;
}

async function sizesOf(study: OpenStudy): Promise<Sizes> {
  const { model, codec } = await study.model(study.config.subject);
  const rate = await productRate(study.runtime(), study.clock);
  const asked =
    study.config.prompts === undefined || (await isImported(study.folder, 'sample'))
      ? await readCompletions(study.folder)
      : (await study.prompts()).discovery;
  const tokens = asked.reduce((sum, { prompt }) => sum + codec.encodePrompt(prompt).length, 0);
  return { prompt: tokens / asked.length, token: (2 * weightsOf(model)) / (efficiency * rate) };
}

/** What is graded: completions of each prompt, and their tokens. */
interface Graded {
  readonly completions: number;
  readonly max_tokens: number;
}

const gradingOf = (
  left: number,
  { prompt, token }: Sizes,
  { completions, max_tokens }: Graded,
): GradingWork => ({
  completions: left,
  perPrompt: completions,
  promptTokens: prompt,
  completionTokens: max_tokens,
  tokenSeconds: token,
});

/** What the judge reads and writes before its first verdict counts as completions to grade, where any are left. */
async function gradeSeconds(study: OpenStudy, work: GradingWork): Promise<number> {
  const { judge } = study.config;
  const kind = judgeKindOf(judge);
  const first = (await kind.firstTexts?.(judge, study)) ?? 0;
  return work.completions === 0 ? 0 : kind.seconds(judge, { ...work, completions: work.completions + first });
}

/** Questions to the explainer, at most. */
function questionsLeft(study: OpenStudy): number {
  const { latents, explainer } = interpretOptions(study);
  return explainer ? latents * mostQuestions : 0;
}

function interpretSeconds(study: OpenStudy, { token }: Sizes): number {
  const { tokens, explainer } = interpretOptions(study);
  const questions = questionsLeft(study);
  const each = explainer?.kind === 'chat' ? callSeconds / explainer.concurrency : 5 * explainerTokens * token;
  return tokens * token + questions * each;
}

function interpretNote(study: OpenStudy): string {
  const { latents, tokens } = interpretOptions(study);
  const questions = questionsLeft(study);
  return `${latents} latents in ${tokens.toLocaleString('en')} tokens${questions > 0 ? `, at most ${questions} questions to the explainer` : ''}`;
}

function explainPrice(study: OpenStudy, stages: readonly StageStatus[]): number | undefined {
  const { explainer } = interpretOptions(study);
  if (explainer?.kind !== 'chat' || explainer.price === undefined) return undefined;
  if (stages.find(({ name }) => name === 'interpret')?.finished !== false) return 0;
  const { input, output } = explainer.price;
  return (questionsLeft(study) * (explainerTokens * input + replyTokens * output)) / 1e6;
}

/** Throws InputError for anything wrong in the study. */
export async function estimateStudy(request: StudyRequest): Promise<Estimate> {
  const study = await openFor({ clock: systemClock, ...request });
  try {
    const { config } = study;
    await checkStudy(study);
    const { stages } = await statusOf(study);
    const sizes = await sizesOf(study);
    const stageOf = (name: StageName) => stages.find((stage) => stage.name === name)!;
    const left = (name: StageName) => stageOf(name).left;
    /** From what was timed already, where something was. */
    const timed = (name: StageName, estimate: number) => stageOf(name).secondsLeft ?? estimate;
    const { per_prompt } = config.pairs;
    const asked = config.prompts?.discovery ?? 0;
    const pairs =
      left('attribute') || Math.min(config.pairs.limit, asked * (per_prompt === 'all' ? 1 : per_prompt));
    const packed = per_prompt === 'all' ? config.sampling.completions : 2;
    const steerLeft = stages.find(({ name }) => name === 'steer')?.left ?? 0;
    const { judge } = config;
    const kind = judgeKindOf(judge);
    const judging = kind.price?.(judge, gradingOf(left('grade') + steerLeft, sizes, config.sampling));
    const explaining = explainPrice(study, stages);
    const price =
      judging === undefined && explaining === undefined ? undefined : (judging ?? 0) + (explaining ?? 0);
    const sampling =
      left('sample') * (sizes.prompt / config.sampling.completions + config.sampling.max_tokens);
    const baseline =
      config.baseline === undefined || 'corpus' in config.baseline ? corpusDefaults.maxTokens : 0;
    const gradients = pairs * 2.5 * (sizes.prompt + packed * config.sampling.max_tokens);
    const causalTest = causalTestSize(config.steering, config.prompts);
    const { completions, max_tokens = config.sampling.max_tokens } = config.steering;
    const steered =
      steerLeft * (sizes.prompt / completions + max_tokens) * sizes.token +
      kind.seconds(judge, gradingOf(steerLeft, sizes, { completions, max_tokens })) +
      causalTest.forced * 0.5 * (sizes.prompt + packed * max_tokens) * sizes.token;
    const seconds: Record<StageName, number> = {
      steer: steerLeft > 0 ? timed('steer', steered) : 0,
      sample: timed('sample', sampling * sizes.token),
      grade: timed('grade', await gradeSeconds(study, gradingOf(left('grade'), sizes, config.sampling))),
      pair: 0,
      attribute: (gradients + baseline / 2) * sizes.token,
      interpret: interpretSeconds(study, sizes),
    };
    const notes: Record<StageName, string> = {
      sample: `completions of at most ${config.sampling.max_tokens} tokens, prompts of ${Math.round(sizes.prompt)} on average`,
      grade: [`${judge.kind} judge`, ...(kind.note === undefined ? [] : [kind.note])].join(', '),
      pair: '',
      attribute: `pairs, ${pairs} at most`,
      steer: `about ${(Math.round(steerLeft / 100) * 100).toLocaleString('en')} completions, as the funnel decides on the way`,
      interpret: interpretNote(study),
    };
    const lines = stages.map(({ name, done, left: units, finished }) => {
      const stage = name as StageName;
      const known =
        stage === 'sample' || stage === 'grade' || (finished && stage !== 'steer' && stage !== 'interpret');
      return {
        stage,
        units: known ? done + units : undefined,
        done,
        seconds: finished ? 0 : seconds[stage],
        note: finished ? 'done' : notes[stage],
      };
    });
    return {
      lines,
      seconds: lines.reduce((sum, line) => sum + line.seconds, 0),
      price,
      assumptions: [
        `This machine was timed on plain matrix products; models are taken to reach ${efficiency} of that speed.`,
        ...(kind.assumption === undefined ? [] : [kind.assumption]),
      ],
    };
  } finally {
    await study.close();
  }
}
