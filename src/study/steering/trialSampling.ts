/**
 * The completions of trials, many trials in one batch. A trial's completions depend on its arm and its
 * prompts alone, never on what was sampled beside it. Knows neither judge nor journal.
 */
import { createHash } from 'node:crypto';
import type { Engine } from '../../methods/completions/engine.ts';
import { localEngine } from '../../methods/completions/localEngine.ts';
import type {
  Completion,
  SampleJob,
  SampleOptions,
  Sampler,
  SamplerOptions,
} from '../../methods/completions/sample.ts';
import type { Side } from '../../results.ts';
import { stopsAt } from '../open/stopTexts.ts';
import { steeringOf } from './armSteering.ts';
import { groupSize } from './direction.ts';
import { sinkNorms } from './sinkNorms.ts';
import type { PlannedTrial } from './trial.ts';
import type { SteeringWork } from './work.ts';

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

/** An engine is opened with the first batch for it, and with the first after a release. */
export function trialSampler(work: SteeringWork, side: Side): TrialSampler {
  const { opened, engine } = work.sides[side];
  const local = localEngine(work.runtime, opened.model);
  const own = engine ?? local;
  const loading = new Map<Engine, Promise<Sampler>>();
  let told = false;
  const sinks = sinkNorms(work, side);

  async function sampleOn(
    engine: Engine,
    batch: readonly TrialJob[],
    onCompletion: (sampled: SampledTrial) => Promise<void>,
  ): Promise<void> {
    if (batch.length === 0) return;
    const loaded = loading.get(engine) ?? loadSampler(work, side, engine);
    loading.set(engine, loaded);
    await (await loaded).sample(
      batch.map(({ job }) => job),
      sampleOptions(work, side),
      async (job, index, one) => {
        const { sampled, prompt } = batch[job]!;
        sampled.completions[prompt * sampled.trial.perPrompt + index] = one;
        sampled.left--;
        await onCompletion(sampled);
      },
    );
  }

  return {
    async sample(trials, onCompletion) {
      const batch = await batchOf(work, trials, sinks.of);
      await own.ready(work.layer);
      const made = ({ job }: TrialJob) => own.makes(job.steer);
      await sampleOn(own, batch.filter(made), onCompletion);
      const others = batch.filter((one) => !made(one));
      if (others.length > 0 && !told) {
        work.progress.note(
          `Projections that are held, and what else ${own.name} cannot say as an added vector, are made on this machine.`,
        );
        told = true;
      }
      await sampleOn(local, others, onCompletion);
    },
    async release() {
      await sinks.release();
      const all = [...loading.values()];
      loading.clear();
      for (const one of all) await (await one.catch(() => undefined))?.release();
    },
  };
}

/** Projections that an arm may hold. */
const mostHeld = ({ options }: SteeringWork) =>
  Math.max(1, groupSize(options.remeasured), options.greedy?.size ?? 0, options.heldTogether ?? 0);

/** Latents that an arm may subtract. */
function subtractableOf({ encoder, candidates, controls }: SteeringWork): SamplerOptions['subtractable'] {
  if (encoder === undefined) return undefined;
  const latents = [...candidates, ...controls].flatMap(({ latent }) => latent ?? []);
  return { sae: encoder, latents };
}

function loadSampler(work: SteeringWork, side: Side, engine: Engine): Promise<Sampler> {
  const { layer, prompts, options, system } = work;
  const all = [...prompts.calibration, ...prompts.evaluation].map(({ ids }) => ids);
  if (side === 'away' && system) all.push(...system.ids.values());
  return engine.sampler({
    rows: options.rows,
    capacity: Math.max(...all.map(({ length }) => length)) + options.sampling.maxTokens,
    steerAt: layer,
    projections: mostHeld(work),
    samePrompts: true,
    ...(side === 'away' && { subtractable: subtractableOf(work) }),
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

async function batchOf(
  work: SteeringWork,
  trials: readonly PlannedTrial[],
  sinkNormOf: (ids: readonly number[]) => Promise<number>,
): Promise<TrialJob[]> {
  const batch: TrialJob[] = [];
  for (const trial of trials) {
    const sampled = { trial, completions: Array<Completion>(trial.size), left: trial.size };
    const jobs = await jobsOf(work, trial, sinkNormOf);
    batch.push(...jobs.map((job, prompt) => ({ job, sampled, prompt })));
  }
  return batch;
}

async function jobsOf(
  work: SteeringWork,
  trial: PlannedTrial,
  sinkNormOf: (ids: readonly number[]) => Promise<number>,
): Promise<SampleJob[]> {
  const { seed } = work.options;
  const steering = await steeringOf(work, trial.side, trial.arm);
  return Promise.all(
    trial.prompts.map(async ({ id, ids }) => ({
      prompt: trial.arm?.operation === 'system' ? work.system!.ids.get(id)! : ids,
      seeds: Array.from({ length: trial.perPrompt }, (_, index) => seedOf(seed, id, index)),
      steer:
        steering && (steering.held.length > 0 || steering.subtracted)
          ? { ...steering, sinkNorm: await sinkNormOf(ids) }
          : steering,
    })),
  );
}

/** A completion's seed is the same under every arm: differences between them are the arms' doing. */
function seedOf(seed: number, prompt: string, index: number): number {
  const digest = createHash('sha256').update(JSON.stringify(['steer', seed, prompt, index]));
  return digest.digest().readInt32LE();
}
