/**
 * The completions of trials, many trials in one batch. A trial's completions depend on its latent, dose and
 * prompts alone, never on what was sampled beside it. Knows neither judge nor journal.
 */
import { createHash } from 'node:crypto';
import { directionsOf } from '../../methods/attribution/score.ts';
import {
  type Completion,
  type SampleJob,
  type SampleOptions,
  type Sampler,
  sampler,
} from '../../methods/completions/sample.ts';
import { addedVector, type Steering } from '../../methods/steering/steer.ts';
import type { Side } from '../../results.ts';
import { stopsAt } from '../open/stopTexts.ts';
import type { PlannedTrial } from './trial.ts';
import type { SteeringPrompt, SteeringWork } from './work.ts';

/** A trial that is being sampled: its completions by prompt and index, whole once none is left. */
export interface SampledTrial {
  readonly trial: PlannedTrial;
  readonly completions: Completion[];
  left: number;
}

export interface TrialSampler {
  /** Tells of the trial of each completion as it comes; waits for the answer. */
  sample(
    trials: readonly PlannedTrial[],
    onCompletion: (sampled: SampledTrial) => Promise<void>,
  ): Promise<void>;
  release(): Promise<void>;
}

/** The model is loaded with the first batch. */
export function trialSampler(work: SteeringWork, side: Side): TrialSampler {
  let loading: Promise<Sampler> | undefined;
  return {
    async sample(trials, onCompletion) {
      const batch = await batchOf(work, trials);
      loading ??= loadSampler(work, side);
      const loaded = await loading;
      await loaded.sample(
        batch.map(({ job }) => job),
        sampleOptions(work, side),
        async (job, index, one) => {
          const { sampled, prompt } = batch[job]!;
          sampled.completions[prompt * sampled.trial.perPrompt + index] = one;
          sampled.left--;
          await onCompletion(sampled);
        },
      );
    },
    async release() {
      await (await loading?.catch(() => undefined))?.release();
    },
  };
}

function loadSampler(work: SteeringWork, side: Side): Promise<Sampler> {
  const { runtime, layer, sides, prompts, options } = work;
  const all = [...prompts.calibration, ...prompts.evaluation];
  return sampler(runtime, sides[side].opened.model, {
    rows: options.rows,
    capacity: Math.max(...all.map(({ ids }) => ids.length)) + options.sampling.maxTokens,
    steerAt: layer,
  });
}

function sampleOptions({ sides, options }: SteeringWork, side: Side): SampleOptions {
  const { codec } = sides[side].opened;
  const { stops = [], sampling, endIds = [] } = options;
  return { ...sampling, endIds: [...codec.endOfTurnIds, ...endIds], stops: stopsAt(codec, stops) };
}

/** A job, and which trial and prompt it is of. */
interface TrialJob {
  readonly job: SampleJob;
  readonly sampled: SampledTrial;
  readonly prompt: number;
}

async function batchOf(work: SteeringWork, trials: readonly PlannedTrial[]): Promise<TrialJob[]> {
  const batch: TrialJob[] = [];
  for (const trial of trials) {
    const sampled = { trial, completions: Array<Completion>(trial.size), left: trial.size };
    const jobs = await jobsOf(work, trial);
    batch.push(...jobs.map((job, prompt) => ({ job, sampled, prompt })));
  }
  return batch;
}

async function jobsOf(work: SteeringWork, trial: PlannedTrial): Promise<SampleJob[]> {
  const { seed } = work.options;
  const steer = await steeringOf(work, trial);
  return trial.prompts.map((prompt) => ({
    prompt: prompt.ids,
    seeds: Array.from({ length: trial.perPrompt }, (_, index) => seedOf(seed, prompt, index)),
    steer,
  }));
}

/** What is done to the residual stream; undefined where it is left alone. */
async function steeringOf(
  { dictionary, sides, options }: SteeringWork,
  { latent, dose, side }: PlannedTrial,
): Promise<Steering | undefined> {
  if (latent === undefined) return undefined;
  const { norm } = sides[side];
  const unit = await directionsOf(dictionary, [latent]);
  return addedVector(
    unit.map((x) => dose * norm * x),
    options.tokens,
  );
}

/** A completion's seed is the same under every latent: differences between them are the latents' doing. */
function seedOf(seed: number, prompt: SteeringPrompt, index: number): number {
  const digest = createHash('sha256').update(JSON.stringify(['steer', seed, prompt.id, index]));
  return digest.digest().readInt32LE();
}
