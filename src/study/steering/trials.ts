/**
 * Trials: completions under one latent at one dose, sampled many latents at once in one batch, graded and kept in the journal as each trial is
 * whole; verdicts that are paid for as they come. A trial depends on its latent, dose and prompts alone, never on what was sampled beside it.
 */

import { createHash } from 'node:crypto';
import { InputError } from '../../errors.ts';
import type { JudgeItem } from '../../judges/judge.ts';
import { directionsOf } from '../../methods/attribution/score.ts';
import {
  type Completion,
  type SampleJob,
  type SampleOptions,
  type Sampler,
  sampler,
} from '../../methods/completions/sample.ts';
import { repetitionOf } from '../../methods/judging/cheapCoherence.ts';
import { addedVector } from '../../methods/steering/steer.ts';
import type { Direction, SteeredCompletion, TrialPart, TrialRecord } from '../../results.ts';
import { stopsAt, textOf } from '../open/stopTexts.ts';
import { contentOf, promptHash } from '../store/contentHash.ts';
import { jsonHash } from '../store/hash.ts';
import type { SteeringPrompt, SteeringWork, VerdictRecord } from './work.ts';

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

/** What a trial keeps of a verdict. */
type KeptVerdict = Pick<VerdictRecord, 'score' | 'label' | 'coherence' | 'coherent' | 'reason' | 'cost'>;

const notAsked: KeptVerdict = {
  score: 0,
  label: 'negative',
  coherence: 1,
  coherent: true,
  reason: 'not judged',
  cost: emptyCost,
};

const keptOf = ({ score, label, coherence, coherent, reason, cost }: KeptVerdict): KeptVerdict => ({
  score,
  label,
  coherence,
  coherent,
  reason,
  cost: { calls: cost.calls, price: cost.price },
});

/** A trial in the words of an error. */
function nameOf(direction: Direction, { latent, dose, part }: Trial): string {
  const under = latent === undefined ? 'left alone' : `latent ${latent} at dose ${dose}`;
  return `steering ${direction}, ${under}, ${part === 'calibration' ? part : 'evaluation'} prompts`;
}

/** Sampled completions of a trial that is not whole yet: by prompt and index. */
interface Growing {
  readonly trial: Trial;
  readonly sampled: (Completion | undefined)[];
  left: number;
}

/** A completion of a whole trial, and what the judge is asked of it. */
interface Said {
  readonly prompt: SteeringPrompt;
  readonly index: number;
  readonly one: Completion;
  readonly item: JudgeItem;
}

/** Told of completions that are graded. */
type Advance = (completions: number) => void;

/** Whole trials that may wait for the judge, the one it is at included: the sampler waits for room. */
const mostUngraded = 4;

/**
 * Does pieces of work one after another, beside whoever adds them: `add` resolves once fewer than `most` are left. After a failure none is begun, and it is
 * what the next call throws.
 */
function inTurn(most: number) {
  let failed: { readonly error: unknown } | undefined;
  let last: Promise<void> = Promise.resolve();
  const left: Promise<void>[] = [];
  const fail = (error: unknown) => {
    failed ??= { error };
  };
  const check = () => {
    if (failed) throw failed.error;
  };
  return {
    fail,
    check,
    async add(piece: () => Promise<void>): Promise<void> {
      last = last.then(() => (failed ? undefined : piece())).catch(fail);
      left.push(last);
      if (left.length >= most) await left.shift();
      check();
    },
    async end(): Promise<void> {
      await last;
      check();
    },
  };
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

  function said({ ids }: Completion): string {
    const text = textOf(codec, ids);
    return options.textOf?.(text) ?? text;
  }

  function saidIn({ trial, sampled }: Growing): Said[] {
    const { prompts, completions } = parts[trial.part];
    return sampled.map((one, n) => {
      const [prompt, index] = [prompts[Math.floor(n / completions)]!, n % completions];
      const id = `${idOf(trial)}/${prompt.id}/${index}`;
      const item = { id, prompt: prompt.prompt, completion: said(one!), ended: one!.stop !== 'length' };
      return { prompt, index, one: one!, item };
    });
  }

  /** Verdicts in the order of what was said: those that were paid before from the journal, the others by the judge. */
  async function verdictsOn(trial: Trial, said: readonly Said[], advance: Advance): Promise<KeptVerdict[]> {
    const about = { trial: idOf(trial), trial_content: contents[trial.part] };
    const contentBy = new Map(
      said.map(({ item, prompt }) => [item.id, contentOf(prompt.prompt, item.completion)]),
    );
    const verdicts = new Map<string, KeptVerdict>();
    for (const [id, content] of contentBy) {
      const found = journal.records.get(id);
      if (found?.kind !== 'verdict') continue;
      if (found.trial_content === about.trial_content && found.content === content)
        verdicts.set(id, keptOf(found));
    }
    advance(verdicts.size);
    const missing = said.map(({ item }) => item).filter(({ id }) => !verdicts.has(id));
    if (missing.length > 0)
      await graded(trial, missing, async ({ id }, kept) => {
        verdicts.set(id, kept);
        const paid: VerdictRecord = { kind: 'verdict', id, ...about, content: contentBy.get(id)!, ...kept };
        if (kept.cost.calls > 0) await journal.append([paid]);
        advance(1);
      });
    return said.map(({ item }) => verdicts.get(item.id)!);
  }

  /** Asks the judge, which has graded what was left alone before it sees what may be refused for what steering makes of it. */
  async function graded(
    trial: Trial,
    items: readonly JudgeItem[],
    onVerdict: (item: JudgeItem, kept: KeptVerdict) => Promise<void>,
  ): Promise<void> {
    const { stopped } = await work
      .grade(
        items,
        (item, verdict) => onVerdict(item, keptOf(verdict)),
        trial.latent === undefined ? 'suspect' : 'stand',
      )
      .catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        throw new InputError(`${nameOf(direction, trial)}: ${error.message}`, { cause: error });
      });
    if (stopped !== undefined) throw new JudgeStopped(stopped);
  }

  /** Grades a trial that is whole, and keeps it. */
  async function keep(growing: Growing, advance: Advance): Promise<void> {
    const { trial } = growing;
    const said = saidIn(growing);
    const asked = options.incoherence !== 'cheap' || trial.part !== 'calibration';
    const verdicts = asked ? await verdictsOn(trial, said, advance) : said.map(() => notAsked);
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
        completions: said.map(({ one, prompt, index, item }, n) => {
          const { cost: _, ...verdict } = verdicts[n]!;
          const text = { text: item.completion, tokens: one.ids.length, stop: one.stop };
          return { prompt_id: prompt.id, index, ...text, ...verdict, judged: asked, ...measured[n]! };
        }),
        cost: costOf(verdicts),
      },
    ]);
    if (!asked) advance(said.length);
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

  /** The jobs of trials, and which trial and prompt each is of. */
  async function jobsFor(trials: readonly Trial[]) {
    const jobs: SampleJob[] = [];
    const of: { growing: Growing; prompt: number }[] = [];
    for (const trial of trials) {
      const own = await jobsOf(trial);
      const total = own.length * parts[trial.part].completions;
      const growing = { trial, sampled: Array<Completion | undefined>(total).fill(undefined), left: total };
      own.forEach((job, prompt) => {
        jobs.push(job);
        of.push({ growing, prompt });
      });
    }
    return { jobs, of };
  }

  function sampleOptions(): SampleOptions {
    const { stops = [], sampling, endIds = [] } = options;
    return { ...sampling, endIds: [...codec.endOfTurnIds, ...endIds], stops: stopsAt(codec, stops) };
  }

  /** Trials are graded one after another while others grow; what fails stops both. */
  async function sample(trials: readonly Trial[], advance: Advance): Promise<void> {
    const { jobs, of } = await jobsFor(trials);
    const grading = inTurn(mostUngraded);
    const take = async (job: number, completion: number, one: Completion) => {
      grading.check();
      const { growing, prompt } = of[job]!;
      growing.sampled[prompt * parts[growing.trial.part].completions + completion] = one;
      growing.left--;
      if (growing.left === 0) await grading.add(() => keep(growing, advance));
    };
    await sampling()
      .then((loaded) => loaded.sample(jobs, sampleOptions(), take))
      .catch(grading.fail);
    await grading.end();
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
      await (await loaded?.catch(() => undefined))?.release();
    },
  };

  /** Of a part without prompts. */
  function emptyRecord(trial: Trial): TrialRecord {
    const { latent = null, dose, part } = trial;
    const about = { id: idOf(trial), direction, latent, dose, part, content: contents[part] };
    return { kind: 'trial', ...about, completions: [], cost: emptyCost };
  }
}

function costOf(verdicts: readonly KeptVerdict[]): TrialRecord['cost'] {
  return verdicts.reduce(
    (sum, { cost }) => ({ calls: sum.calls + cost.calls, price: sum.price + cost.price }),
    emptyCost,
  );
}
