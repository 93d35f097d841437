/** What a study's judge would take for so many completions, and cost. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resultFiles } from '../../results.ts';
import type { OpenStudy } from '../open/study.ts';
import { mostWritten } from './classifierTexts.ts';
import { readLabelled } from './labelledFile.ts';

/** A chat judge's call, where none was timed yet. */
export const callSeconds = 2;
/** Tokens of a judge's question beside prompt and completion, and of its reply. */
export const questionTokens = 350;
export const replyTokens = 40;
const callsPerCompletion = 2;

/** What is graded: completions of each prompt, and their tokens. */
export interface Graded {
  readonly left: number;
  readonly completions: number;
  readonly max_tokens: number;
}

export interface JudgeEstimate {
  readonly seconds: number;
  readonly price: number | undefined;
}

function secondsOf(
  { config: { judge } }: OpenStudy,
  { left, completions, max_tokens }: Graded,
  { prompt, token }: { readonly prompt: number; readonly token: number },
  trainingTexts: number,
): number {
  const shared = prompt / completions + max_tokens;
  switch (judge.kind) {
    case 'pattern':
      return 0;
    case 'chat':
      return (left * callsPerCompletion * callSeconds) / judge.concurrency;
    case 'local':
      return left * callsPerCompletion * (questionTokens + prompt + max_tokens) * token;
    case 'classifier':
      return left === 0 ? 0 : (left + trainingTexts) * shared * token;
  }
}

function priceOf(
  { config: { judge, sampling } }: OpenStudy,
  left: number,
  prompt: number,
): number | undefined {
  if (judge.kind !== 'chat' || judge.price === undefined) return undefined;
  const calls = left * callsPerCompletion;
  const inputs = calls * (questionTokens + prompt + sampling.max_tokens);
  return (inputs * judge.price.input + calls * replyTokens * judge.price.output) / 1e6;
}

/** Texts that a classifier judge reads and writes before its first verdict: its examples, broken forms of most, and what is written for it. */
async function trainingTexts({ config: { judge }, folder }: OpenStudy): Promise<number> {
  if (judge.kind !== 'classifier' || existsSync(join(folder, resultFiles.judge))) return 0;
  const examples = (await readLabelled(judge.positive)).length + (await readLabelled(judge.negative)).length;
  return 1.75 * examples + 2 * Math.min(mostWritten, examples);
}

/** For completions that are to be graded; `training`: with a judge's training, where it is not trained yet. */
export async function judgeEstimate(
  study: OpenStudy,
  graded: Graded,
  basis: { readonly prompt: number; readonly token: number },
  { training }: { readonly training: boolean },
): Promise<JudgeEstimate> {
  return {
    seconds: secondsOf(study, graded, basis, training ? await trainingTexts(study) : 0),
    price: priceOf(study, graded.left, basis.prompt),
  };
}

/** The judge in a phrase for an estimate. */
export function judgeNote({ config: { judge } }: OpenStudy): string {
  const calls = judge.kind === 'chat' ? `, ${callsPerCompletion} calls a completion` : '';
  const training = judge.kind === 'classifier' ? ', and its training before the first' : '';
  return `${judge.kind} judge${calls}${training}`;
}

/** What the estimate takes for granted of it. */
export const judgeAssumption = ({ config: { judge } }: OpenStudy): string | undefined =>
  judge.kind === 'chat'
    ? `A call of the judge is taken to last ${callSeconds} s and to send ${questionTokens} tokens beside prompt and completion.`
    : undefined;
