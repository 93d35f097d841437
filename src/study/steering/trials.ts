/**
 * Trials: completions under one latent at one dose, sampled many latents at once in one batch, graded and kept in the journal as each trial is
 * whole. A trial depends on its latent, dose and prompts alone, never on what was sampled beside it.
 */
import { createHash } from 'node:crypto';
import { free, type JudgeItem, type Verdict } from '../../judges/judge.ts';
import { repetitionOf } from '../../methods/cheapCoherence.ts';
import { type Completion, type SampleJob, type Sampler, sampler } from '../../methods/sample.ts';
import { directionsOf } from '../../methods/score.ts';
import { addedVector } from '../../methods/steer.ts';
import { jsonHash } from '../hash.ts';
import { promptHash } from '../records.ts';
import type {
  Direction,
  SteeredCompletion,
  SteeringPrompt,
  SteeringWork,
  TrialPart,
  TrialRecord,
} from './work.ts';

/** A trial to run. */
export interface Trial {
  /** undefined: left alone */
  readonly latent: number | undefined;
  /** α, signed */
  readonly dose: number;
  readonly part: TrialPart;
}

/** The judge stopped before the end; what is done is kept. */
export class JudgeStopped extends Error {}

export interface TrialRunner {
  /** The records of these trials, in their order; those that are missing are run. Throws JudgeStopped. */
  run(trials: readonly Trial[], label: string): Promise<TrialRecord[]>;
  /** every record that `run` has returned, of parts that have prompts */
  readonly used: ReadonlyMap<string, TrialRecord>;
  release(): Promise<void>;
}

/** A completion's seed is the same under every latent: differences between them are the latents' doing. */
function seedOf(seed: number, prompt: SteeringPrompt, index: number): number {
  const digest = createHash('sha256').update(JSON.stringify(['steer', seed, prompt.id, index]));
  return digest.digest().readInt32LE();
}

/** The prompts of each part, and how many completions each has. */
export function partsOf({ prompts, options }: Pick<SteeringWork, 'prompts' | 'options'>) {
  const { calibration, evaluation } = prompts;
  const first = Math.min(evaluation.length, Math.max(1, Math.ceil(options.firstLook * evaluation.length)));
  const { calibrationCompletions, completions } = options;
  return {
    calibration: { prompts: calibration, completions: calibrationCompletions },
    first: { prompts: evaluation.slice(0, first), completions },
    rest: { prompts: evaluation.slice(first), completions },
  } satisfies Record<TrialPart, { prompts: readonly SteeringPrompt[]; completions: number }>;
}

const emptyCost = { calls: 0, price: 0 };

const notAsked: Verdict = {
  score: 0,
  label: 'negative',
  coherence: 1,
  coherent: true,
  reason: 'not judged',
  raw: '',
  cost: free,
};

/** Sampled completions of a trial that is not whole yet: by prompt and index. */
interface Growing {
  readonly trial: Trial;
  readonly sampled: (Completion | undefined)[];
  left: number;
}

export function trialRunner(work: SteeringWork, direction: Direction): TrialRunner {
  const { runtime, layer, sides, dictionary, options, journal, progress } = work;
  const { opened, norm } = sides[direction];
  const { codec, model } = opened;
  const parts = partsOf(work);
  const contents = Object.fromEntries(
    Object.entries(parts).map(([part, { prompts, completions }]) => [
      part,
      jsonHash([prompts.map(({ id, prompt }) => [id, promptHash(prompt)]), completions, norm]),
    ]),
  ) as Record<TrialPart, string>;
  const idOf = ({ latent, dose, part }: Trial) => `${direction}/${latent ?? 'alone'}/${dose}/${part}`;
  const used = new Map<string, TrialRecord>();
  let loaded: Promise<Sampler> | undefined;

  function sampling(): Promise<Sampler> {
    const all = [...work.prompts.calibration, ...work.prompts.evaluation];
    loaded ??= sampler(runtime, model, {
      rows: options.rows,
      capacity: Math.max(...all.map(({ ids }) => ids.length)) + options.sampling.maxTokens,
      steerAt: layer,
    });
    return loaded;
  }

  function done(trial: Trial): TrialRecord | undefined {
    const found = journal.records.get(idOf(trial));
    return found?.kind === 'trial' && found.content === contents[trial.part] ? found : undefined;
  }

  async function jobsOf(trial: Trial): Promise<SampleJob[]> {
    const { prompts, completions } = parts[trial.part];
    const unit = trial.latent === undefined ? undefined : await directionsOf(dictionary, [trial.latent]);
    const steer =
      unit &&
      addedVector(
        unit.map((x) => trial.dose * norm * x),
        options.tokens,
      );
    return prompts.map((prompt) => ({
      prompt: prompt.ids,
      seeds: Array.from({ length: completions }, (_, index) => seedOf(options.seed, prompt, index)),
      steer,
    }));
  }

  function textOf({ ids }: Completion): string {
    const text = codec.tokenizer.decode(ids, { skipSpecialTokens: true });
    return options.textOf?.(text) ?? text;
  }

  /** Grades a trial that is whole, and keeps it. */
  async function keep(growing: Growing): Promise<void> {
    const { trial, sampled } = growing;
    const { prompts, completions } = parts[trial.part];
    const about = sampled.map((one, n) => {
      const prompt = prompts[Math.floor(n / completions)]!;
      return { one: one!, prompt, index: n % completions, text: textOf(one!) };
    });
    const items = about.map(
      ({ one, prompt, index, text }): JudgeItem => ({
        id: `${idOf(trial)}/${prompt.id}/${index}`,
        prompt: prompt.prompt,
        completion: text,
        ended: one.stop !== 'length',
      }),
    );
    const asked = options.incoherence !== 'cheap' || trial.part !== 'calibration';
    const verdicts = asked ? await work.grade(items) : items.map(() => notAsked);
    if ('stopped' in verdicts) throw new JudgeStopped(verdicts.stopped);
    const measured = await measuresOf(growing);
    await journal.append([
      {
        kind: 'trial',
        id: idOf(trial),
        direction,
        latent: trial.latent ?? null,
        dose: trial.dose,
        part: trial.part,
        content: contents[trial.part],
        completions: about.map(({ one, prompt, index, text }, n) => {
          const { score, label, coherence, coherent, reason } = verdicts[n]!;
          const judged = { score, label, coherence, coherent, reason, judged: asked };
          const said = { prompt_id: prompt.id, index, text, tokens: one.ids.length, stop: one.stop };
          return { ...said, ...judged, ...measured[n]! };
        }),
        cost: costOf(verdicts),
      },
    ]);
  }

  /** What is measured of each completion without the judge, where that is wanted. */
  async function measuresOf({
    trial,
    sampled,
  }: Growing): Promise<Pick<SteeredCompletion, 'log_probability' | 'repetition'>[]> {
    if (options.incoherence === 'judge')
      return sampled.map(() => ({ log_probability: null, repetition: null }));
    const { prompts, completions } = parts[trial.part];
    const measures = [];
    for (const [p, prompt] of prompts.entries()) {
      const ids = sampled.slice(p * completions, (p + 1) * completions).map((one) => one!.ids);
      const logs = await work.likelihood(prompt.ids, ids);
      measures.push(...ids.map((own, i) => ({ log_probability: logs[i]!, repetition: repetitionOf(own) })));
    }
    return measures;
  }

  async function sample(trials: readonly Trial[], advance: (completions: number) => void): Promise<void> {
    const jobs: SampleJob[] = [];
    const of: { growing: Growing; prompt: number }[] = [];
    for (const trial of trials) {
      const own = await jobsOf(trial);
      const { completions } = parts[trial.part];
      const total = own.length * completions;
      const growing = { trial, sampled: Array<Completion | undefined>(total).fill(undefined), left: total };
      own.forEach((job, prompt) => {
        jobs.push(job);
        of.push({ growing, prompt });
      });
    }
    // Trials are graded one after another while others grow; what fails stops the sampling.
    let failed: { error: unknown } | undefined;
    let graded: Promise<void> = Promise.resolve();
    const fail = (error: unknown) => {
      failed ??= { error };
    };
    const { stops: texts = [] } = options;
    const decode = (ids: readonly number[]) => codec.tokenizer.decode(ids, { skipSpecialTokens: true });
    const stops =
      texts.length > 0
        ? (ids: readonly number[]) => texts.some((text) => decode(ids).includes(text))
        : undefined;
    const endIds = [...codec.endOfTurnIds, ...(options.endIds ?? [])];
    const take = (job: number, completion: number, one: Completion) => {
      if (failed) throw failed.error;
      const { growing, prompt } = of[job]!;
      growing.sampled[prompt * parts[growing.trial.part].completions + completion] = one;
      growing.left--;
      advance(1);
      if (growing.left === 0) graded = graded.then(() => (failed ? undefined : keep(growing))).catch(fail);
    };
    const all = { ...options.sampling, endIds, stops };
    await sampling()
      .then((loaded) => loaded.sample(jobs, all, take))
      .catch(fail);
    await graded;
    if (failed) throw failed.error;
  }

  return {
    used,
    async run(trials, label) {
      const missing = trials.filter((trial) => parts[trial.part].prompts.length > 0 && !done(trial));
      if (missing.length > 0) {
        const sizeOf = ({ part }: Trial) => parts[part].prompts.length * parts[part].completions;
        const size = (some: readonly Trial[]) => some.reduce((sum, trial) => sum + sizeOf(trial), 0);
        const stage = progress.stage(label, size(trials), size(trials) - size(missing));
        journal.begin();
        try {
          await sample(missing, stage.advance);
        } finally {
          stage.end();
        }
      }
      return trials.map((trial) => {
        const found = done(trial);
        if (found) used.set(found.id, found);
        return found ?? emptyRecord(trial);
      });
    },
    async release() {
      await (await loaded)?.release();
    },
  };

  /** Of a part without prompts. */
  function emptyRecord(trial: Trial): TrialRecord {
    const { latent = null, dose, part } = trial;
    const about = { id: idOf(trial), direction, latent, dose, part, content: contents[part] };
    return { kind: 'trial', ...about, completions: [], cost: emptyCost };
  }
}

function costOf(verdicts: readonly Verdict[]): TrialRecord['cost'] {
  return verdicts.reduce(
    (sum, { cost }) => ({ calls: sum.calls + cost.calls, price: sum.price + cost.price }),
    emptyCost,
  );
}
