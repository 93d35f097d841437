/**
 * Whether sampling does what it is taken to do: steering by nothing changes no bit, steering by one mean norm
 * changes something, and a completion is the same alone as beside others.
 */
import type { Completion, SampleJob, SampleOptions, Sampler } from '../completions/sample.ts';
import { addedVector } from '../steering/steer.ts';

/** Every first completion of the jobs, in their order. */
export async function firstCompletions(
  sampler: Sampler,
  jobs: readonly SampleJob[],
  options: SampleOptions,
): Promise<Completion[]> {
  const made: Completion[] = [];
  await sampler.sample(jobs, options, (job, completion, sampled) => {
    if (completion === 0) made[job] = sampled;
  });
  return made;
}

/** Tokens of a that b does not have in the same place, or with an ln p that differs in any bit. */
function differing(a: Completion, b: Completion): number {
  return a.ids.filter((id, i) => id !== b.ids[i] || a.logProbabilities[i] !== b.logProbabilities[i]).length;
}

/** Tokens of what is sampled again: a completion begins alike however long it may grow. */
const againTokens = 8;

export interface SamplingSanity {
  /** tokens of the completions that were sampled alone again */
  readonly tokens: number;
  /** of these, those that differ from the ones sampled beside others */
  readonly alone: number;
  /** differing tokens of the first completion at dose 0, and at dose 1 */
  readonly doseZero: number;
  readonly doseOne: number;
}

/**
 * Samples the first tokens of the first `again` jobs alone, and the first of them steered by 0 and by 1 times `norm` along
 * `direction` (a unit vector [d]), and compares with `beside`, what all jobs gave together.
 */
export async function samplingSanity(
  sampler: Sampler,
  jobs: readonly SampleJob[],
  beside: readonly Completion[],
  options: SampleOptions,
  steered: { readonly direction: Float32Array; readonly norm: number; readonly again: number },
): Promise<SamplingSanity> {
  const { direction, norm, again } = steered;
  const begun = { ...options, maxTokens: Math.min(options.maxTokens, againTokens) };
  let [tokens, alone] = [0, 0];
  for (const [i, job] of jobs.slice(0, again).entries()) {
    const [made] = await firstCompletions(sampler, [job], begun);
    tokens += made!.ids.length;
    alone += differing(made!, beside[i]!);
  }
  const at = async (dose: number) => {
    const steer = addedVector(direction.map((x) => dose * norm * x));
    const [made] = await firstCompletions(sampler, [{ ...jobs[0]!, steer }], begun);
    return differing(made!, beside[0]!);
  };
  return { tokens, alone, doseZero: await at(0), doseOne: await at(1) };
}
