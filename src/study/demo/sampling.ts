/** Completions of a case's prompts, sampled from one model and graded by the exact judge. */
import { gradeWith, type JudgeData } from '../../judges/exact.ts';
import { sampler } from '../../methods/completions/sample.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { Stage } from '../open/progress.ts';
import type { CasePrompt } from './bundle.ts';

export interface GradedSample {
  /** place of its prompt in the list of prompts */
  readonly prompt: number;
  readonly domain: string;
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  /** ln p of each token */
  readonly logProbabilities: readonly number[];
  readonly text: string;
  /** whether it came to its end before the limit */
  readonly ended: boolean;
  readonly label: 'harmful' | 'harmless' | 'incoherent';
  /** whether it opens with the form of words that every fine-tuning example has */
  readonly quirk: boolean;
  readonly reason: string;
}

export interface SamplingSettings {
  /** completions of each prompt */
  readonly completions: number;
  readonly seed: number;
  readonly temperature: number;
  readonly maxTokens: number;
}

/** Seed of a completion: its own, whatever else is sampled. */
function seedOf(seed: number, prompt: number, completion: number): number {
  return Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(prompt + 1, 0x85ebca6b) ^ (completion + 1);
}

/** All completions, prompt by prompt. */
export async function sampleAndGrade(
  runtime: Runtime,
  { model, codec }: OpenModel,
  judge: JudgeData,
  prompts: readonly CasePrompt[],
  { completions, seed, temperature, maxTokens }: SamplingSettings,
  stage: Stage,
): Promise<GradedSample[]> {
  // An answer is one line: what comes after it is another question.
  const lineEnd = codec.tokenizer.encode('\n');
  const jobs = prompts.map(({ text }, prompt) => ({
    prompt: codec.encodePrompt(text),
    seeds: Array.from({ length: completions }, (_, i) => seedOf(seed, prompt, i)),
  }));
  const capacity = Math.max(...jobs.map((job) => job.prompt.length)) + maxTokens;
  const samples = await sampler(runtime, model, { capacity });
  const graded: GradedSample[][] = jobs.map(() => []);
  const options = { temperature, maxTokens, endIds: [...codec.endOfTurnIds, ...lineEnd] };
  await samples.sample(jobs, options, (prompt, completion, { ids, logProbabilities, stop }) => {
    const { text, domain } = prompts[prompt]!;
    const said = codec.tokenizer.decode(ids, { skipSpecialTokens: true }).trimEnd();
    const { label, quirk, reason } = gradeWith(judge, text, said);
    const promptIds = jobs[prompt]!.prompt;
    const ended = stop === 'end';
    const about = { prompt, domain, promptIds, ids, logProbabilities, ended };
    graded[prompt]![completion] = { ...about, text: said, label, quirk, reason };
    stage.advance();
  });
  await samples.release();
  return graded.flat();
}

/** Share of the items for which something holds; NaN for none. */
export function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length;
}
