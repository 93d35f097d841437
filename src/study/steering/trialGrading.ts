/**
 * From the sampled completions of a whole trial to its record in the journal: judged, measured without the
 * judge, or both.
 */
import type { Completion } from '../../methods/completions/sample.ts';
import { repetitionOf } from '../../methods/judging/cheapCoherence.ts';
import type { SteeredCompletion } from '../../results.ts';
import { textOf } from '../open/stopTexts.ts';
import { type PlannedTrial, trialRecordOf } from './trial.ts';
import type { SampledTrial } from './trialSampling.ts';
import {
  type Advance,
  type AskedCompletion,
  costOfVerdicts,
  type KeptVerdict,
  notAsked,
  trialVerdicts,
} from './trialVerdicts.ts';
import type { SteeringWork } from './work.ts';

/** A completion of a whole trial, with what the judge is asked of it. */
interface SaidCompletion extends AskedCompletion {
  readonly index: number;
  readonly one: Completion;
}

/** What is measured of a completion without the judge. */
type CheapMeasures = Pick<SteeredCompletion, 'log_probability' | 'repetition'>;

/** Grades a trial that is whole, and keeps it. Throws JudgeStopped; verdicts that were paid are kept then. */
export async function gradeTrial(
  work: SteeringWork,
  { trial, completions }: SampledTrial,
  advance: Advance,
): Promise<void> {
  const said = saidIn(work, trial, completions);
  const asked = work.options.incoherence !== 'cheap' || trial.part !== 'calibration';
  const verdicts = asked ? await trialVerdicts(work, trial, said, advance) : said.map(() => notAsked);
  const measures = await measuresOf(work, trial, completions);
  const graded = said.map((one, n) => steeredCompletion(one, verdicts[n]!, asked, measures[n]!));
  const record = trialRecordOf(trial, { completions: graded, cost: costOfVerdicts(verdicts) });
  await work.journal.append([record]);
  if (!asked) advance(said.length);
}

function saidIn(
  work: SteeringWork,
  trial: PlannedTrial,
  completions: readonly Completion[],
): SaidCompletion[] {
  return completions.map((one, n) => {
    const prompt = trial.prompts[Math.floor(n / trial.perPrompt)]!;
    const index = n % trial.perPrompt;
    const id = `${trial.id}/${prompt.id}/${index}`;
    const completion = shownText(work, trial, one);
    return {
      prompt,
      index,
      one,
      item: { id, prompt: prompt.prompt, completion, ended: one.stop !== 'length' },
    };
  });
}

/** The text of a completion as judge and reader see it. */
function shownText({ sides, options }: SteeringWork, { side }: PlannedTrial, { ids }: Completion): string {
  const text = textOf(sides[side].opened.codec, ids);
  return options.textOf?.(text) ?? text;
}

/** Likelihood and repetition of each completion, where they are wanted. */
async function measuresOf(
  { options, likelihood }: SteeringWork,
  trial: PlannedTrial,
  completions: readonly Completion[],
): Promise<CheapMeasures[]> {
  if (options.incoherence === 'judge')
    return completions.map(() => ({ log_probability: null, repetition: null }));
  const texts = trial.prompts.map(({ ids }, p) => ({
    prompt: ids,
    completions: completions.slice(p * trial.perPrompt, (p + 1) * trial.perPrompt).map((one) => one.ids),
  }));
  const logs = (await likelihood(texts)).flat();
  return completions.map(({ ids }, n) => ({ log_probability: logs[n]!, repetition: repetitionOf(ids) }));
}

function steeredCompletion(
  { prompt, index, one, item }: SaidCompletion,
  { cost: _, ...verdict }: KeptVerdict,
  judged: boolean,
  measures: CheapMeasures,
): SteeredCompletion {
  const text = { text: item.completion, tokens: one.ids.length, stop: one.stop };
  return { prompt_id: prompt.id, index, ...text, ...verdict, judged, ...measures };
}
