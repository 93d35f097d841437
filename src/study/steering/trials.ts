/**
 * Runs trials: those that the journal lacks are sampled many at once in one batch, and each is graded and
 * kept as soon as it is whole, while others grow. Knows neither what a trial adds to the model nor what the
 * judge is asked.
 */
import type { Side, TrialRecord } from '../../results.ts';
import { boundedQueue } from './boundedQueue.ts';
import { keptTrial, type PlannedTrial, type SteeringTrial, trialPlanner, trialRecordOf } from './trial.ts';
import { gradeTrial } from './trialGrading.ts';
import { type TrialSampler, trialSampler } from './trialSampling.ts';
import type { Advance } from './trialVerdicts.ts';
import type { SteeringWork } from './work.ts';

export interface TrialRunner {
  /** The records of these trials, in their order; those that are missing are run. Throws JudgeStopped. */
  run(trials: readonly SteeringTrial[], label: string): Promise<TrialRecord[]>;
  /** every record that `run` has returned, of parts that have prompts */
  readonly used: ReadonlyMap<string, TrialRecord>;
  release(): Promise<void>;
}

/** Whole trials that may wait for the judge, the one it is at included: the sampler waits for room. */
const mostUngraded = 4;

export function trialRunner(work: SteeringWork, side: Side): TrialRunner {
  const planned = trialPlanner(work, side);
  const sampling = trialSampler(work, side);
  const used = new Map<string, TrialRecord>();
  return {
    used,
    async run(trials, label) {
      const all = trials.map(planned);
      await runMissing(work, sampling, all, label);
      const records = all.map((trial) => keptTrial(work.journal, trial));
      for (const record of records) if (record) used.set(record.id, record);
      return all.map((trial, n) => records[n] ?? withoutPrompts(trial));
    },
    release: () => sampling.release(),
  };
}

/** The record of a trial of a part without prompts. */
const withoutPrompts = (trial: PlannedTrial): TrialRecord =>
  trialRecordOf(trial, { completions: [], cost: { calls: 0, price: 0 } });

async function runMissing(
  work: SteeringWork,
  sampling: TrialSampler,
  trials: readonly PlannedTrial[],
  label: string,
): Promise<void> {
  const { journal, progress } = work;
  const missing = trials.filter((trial) => trial.prompts.length > 0 && !keptTrial(journal, trial));
  if (missing.length === 0) return;
  const size = (some: readonly PlannedTrial[]) => some.reduce((sum, trial) => sum + trial.size, 0);
  const stage = progress.stage(label, size(trials), size(trials) - size(missing));
  journal.begin();
  try {
    await sampleAndGrade(work, sampling, missing, stage.advance);
  } finally {
    stage.end();
  }
}

/** Trials are graded one after another while others grow; what fails stops both. */
async function sampleAndGrade(
  work: SteeringWork,
  sampling: TrialSampler,
  trials: readonly PlannedTrial[],
  advance: Advance,
): Promise<void> {
  const grading = boundedQueue(mostUngraded);
  await sampling
    .sample(trials, async (sampled) => {
      grading.check();
      if (sampled.left === 0) await grading.add(() => gradeTrial(work, sampled, advance));
    })
    .catch(grading.fail);
  await grading.end();
}
