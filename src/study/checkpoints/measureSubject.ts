/** One subject: what it says unsteered, and under the same changes as the others. Knows no file. */
import { bootstrap, type Interval } from '../../methods/statistics/bootstrap.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { type Tally, total } from '../../methods/steering/effect.ts';
import { meanOf } from '../../methods/steering/forced.ts';
import { effectAtMatchedLength } from '../../methods/steering/matchedLength.ts';
import { predictionInterval } from '../../methods/steering/predictionInterval.ts';
import type {
  CheckpointArm,
  CheckpointEstimate,
  CheckpointLatent,
  CheckpointSubject,
  SteeredCompletion,
  TrialPart,
  TrialRecord,
} from '../../results.ts';
import { meanOfRows, type TextReader } from '../monitor/meanResiduals.ts';
import { type MeasuredArm, measuredOf } from '../steering/armOutcome.ts';
import type { Coherence } from '../steering/coherence.ts';
import type { TestedDirection } from '../steering/direction.ts';
import type { Arm } from '../steering/trial.ts';
import type { TrialRunner } from '../steering/trials.ts';
import { leftAlone, tallyByPrompt } from '../steering/unsteered.ts';
import type { SteeringWork } from '../steering/work.ts';

/** A latent, and the doses that it is steered at. */
export interface DosedLatent {
  readonly latent: number;
  readonly direction: TestedDirection;
  /** |α| in parts of the norm */
  readonly away: number;
  readonly toward: number;
}

export interface Compared {
  readonly latents: readonly DosedLatent[];
  /** removed alone */
  readonly random: readonly TestedDirection[];
  readonly parts: readonly TrialPart[];
  readonly seed: number;
}

const known = (x: number): number | null => (Number.isFinite(x) ? x : null);
const estimateOf = (value: number, { low, high }: Interval): CheckpointEstimate => ({
  value: known(value),
  low: known(low),
  high: known(high),
});
const tallyFields = ({ completions, coherent, positives }: Tally) => ({ completions, coherent, positives });

function armOf({ prompts, effect, interval }: MeasuredArm): CheckpointArm {
  return {
    ...tallyFields(total(prompts.map(({ steered }) => steered))),
    effect: estimateOf(effect, interval),
  };
}

/** Everything that was sampled on one subject: unsteered first, then of each latent three arms, then random ones. */
interface Sampled {
  readonly coherence: Coherence;
  readonly alone: readonly SteeredCompletion[];
  readonly arms: readonly (readonly SteeredCompletion[])[];
}

const armsOf = ({ latents, random }: Compared): Arm[] => [
  ...latents.flatMap(({ direction, away, toward }): Arm[] => [
    { direction, operation: 'remove', dose: 0 },
    { direction, operation: 'add', dose: -away },
    { direction, operation: 'add', dose: toward },
  ]),
  ...random.map((direction): Arm => ({ direction, operation: 'remove', dose: 0 })),
];

async function sample(
  runner: TrialRunner,
  work: SteeringWork,
  compared: Compared,
  name: string,
): Promise<Sampled> {
  const { coherence } = await leftAlone(runner, 'away', work.options);
  const { parts } = compared;
  const every = [undefined, ...armsOf(compared)];
  const records = await runner.run(
    every.flatMap((arm) => parts.map((part) => ({ arm, part }))),
    `${name}: the latents removed and steered along, random ones removed`,
  );
  const [alone, ...arms] = every.map((_, n) =>
    records
      .slice(n * parts.length, (n + 1) * parts.length)
      .flatMap(({ completions }: TrialRecord) => completions),
  );
  return { coherence, alone: alone!, arms };
}

/** Mean residual of each unsteered completion that has a token left, with its prompt. */
async function meansOf(
  reader: TextReader,
  work: SteeringWork,
  alone: readonly SteeredCompletion[],
): Promise<{ prompt_id: string; mean: Float32Array }[]> {
  const prompts = new Map(work.prompts.evaluation.map(({ id, prompt }) => [id, prompt]));
  const found: { prompt_id: string; mean: Float32Array }[] = [];
  for (const [prompt_id, own] of grouped(alone, (one) => one.prompt_id)) {
    const texts = own.map(({ text }) => text).filter((text) => text !== '');
    for (const rows of await reader.read(prompts.get(prompt_id)!, texts))
      if (rows !== undefined) found.push({ prompt_id, mean: meanOfRows(rows) });
  }
  return found;
}

async function activationOf(
  means: readonly { readonly prompt_id: string; readonly mean: Float32Array }[],
  { vectors, sign }: TestedDirection,
  baseline: Float32Array,
  seed: number,
): Promise<CheckpointEstimate> {
  const [direction] = await vectors();
  const along = (mean: Float32Array) =>
    sign * mean.reduce((sum, x, i) => sum + (x - baseline[i]!) * direction![i]!, 0);
  const values = [...grouped(means, ({ prompt_id }) => prompt_id).values()].map((own) =>
    own.map(({ mean }) => along(mean)),
  );
  if (values.length === 0) return { value: null, low: null, high: null };
  const statistic = (all: readonly number[]) => ({ mean: meanOf(all) });
  return estimateOf(statistic(values.flat()).mean, bootstrap(values, statistic, { seed }).mean);
}

function matchedOf(
  toward: readonly SteeredCompletion[],
  away: readonly SteeredCompletion[],
  seed: number,
): CheckpointLatent['matched'] {
  const { effect, low, high, overlap } = effectAtMatchedLength(toward, away, { seed });
  return { ...estimateOf(effect, { low, high }), overlap: known(overlap) };
}

/** Effects of random latents that leave no coherent text are null, and not part of the range. */
function randomOf(measured: readonly MeasuredArm[], seed: number): CheckpointSubject['random'] {
  const effects = measured.map(({ effect }) => effect);
  const finite = effects.filter(Number.isFinite);
  const range =
    finite.length < 3 ? { low: Number.NaN, high: Number.NaN } : predictionInterval(finite, { seed });
  return { effects: effects.map(known), low: known(range.low), high: known(range.high) };
}

/** Samples and measures. Throws JudgeStopped where the judge's budget is spent. */
export async function measureSubject(
  {
    name,
    runner,
    reader,
    work,
  }: {
    readonly name: string;
    readonly runner: TrialRunner;
    readonly reader: TextReader;
    readonly work: SteeringWork;
  },
  compared: Compared,
): Promise<Pick<CheckpointSubject, 'unsteered' | 'latents' | 'random'>> {
  const { seed } = compared;
  const { coherence, alone, arms } = await sample(runner, work, compared, name);
  const byPrompt = tallyByPrompt(alone, coherence);
  const beside = (completions: readonly SteeredCompletion[], against = byPrompt) =>
    measuredOf(completions, { coherence, byPrompt: against });
  const means = await meansOf(reader, work, alone);
  const latents: CheckpointLatent[] = [];
  for (const [k, { latent, direction }] of compared.latents.entries()) {
    const [removed, away, toward] = arms.slice(3 * k, 3 * k + 3) as [
      readonly SteeredCompletion[],
      readonly SteeredCompletion[],
      readonly SteeredCompletion[],
    ];
    const between = beside(toward, tallyByPrompt(away, coherence));
    latents.push({
      latent,
      activation: await activationOf(means, direction, work.held.baseline, seed),
      remove: armOf(beside(removed)),
      away: armOf(beside(away)),
      toward: armOf(beside(toward)),
      diffing: estimateOf(between.effect, between.interval),
      matched: matchedOf(toward, away, seed),
    });
  }
  return {
    unsteered: {
      ...tallyFields(total([...byPrompt.values()])),
      mean_tokens: known(meanOf(alone.map(({ tokens }) => tokens))),
    },
    latents,
    random: randomOf(
      arms.slice(3 * compared.latents.length).map((one) => beside(one)),
      seed,
    ),
  };
}
