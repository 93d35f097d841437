/**
 * A second judge on the texts of a finished causal test: on the completions that latents were found by, on a sample
 * of changed texts, and on all texts behind the effects of the confirmed latents. docs/method.md section 5.
 */
import { InputError } from '../../errors.ts';
import type { Judge, JudgeItem, Verdict } from '../../judges/judge.ts';
import { accuracy, kappa, twoByTwo } from '../../methods/judging/raterAgreement.ts';
import { bootstrap, type Interval } from '../../methods/statistics/bootstrap.ts';
import { grouped, shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import { effectOf, type PromptTallies, type Tally } from '../../methods/steering/effect.ts';
import { promptInterval } from '../../methods/steering/promptInterval.ts';
import {
  confirmedLatents,
  type Prompt,
  type RankedSteeringRow,
  type SecondJudge,
  type SteeredCompletion,
  type TrialRecord,
} from '../../results.ts';
import { openKeptJudge } from '../judging/keptJudge.ts';
import { judgeOf } from '../judging/openJudge.ts';
import { readGrades } from '../open/records.ts';
import type { OpenStudy } from '../open/study.ts';
import type { CausalTest } from './causalTest.ts';

/**
 * The study with its second judge in the first one's place; undefined where it names none, and in a control. Throws
 * InputError for one that learns: it would be trained over the first.
 */
export function underSecondJudge(study: OpenStudy): OpenStudy | undefined {
  const { second_judge, control } = study.config;
  if (second_judge === undefined || control !== undefined) return undefined;
  const second = { ...study, config: { ...study.config, judge: second_judge } };
  if (judgeOf(second).trains)
    throw new InputError(
      `${study.file}: second_judge.kind: expected a judge that is not trained in this study, found ${second_judge.kind}`,
    );
  return second;
}

/** Throws InputError where the second judge cannot work beside the first. */
export async function checkSecondJudge(study: OpenStudy): Promise<void> {
  const second = underSecondJudge(study);
  if (second === undefined) return;
  await judgeOf(second).check();
}

/** Changed texts that the second judge reads, beside those behind confirmed effects. */
export const changedSample = 60;

/** What a judge says, in short. */
export interface ShortVerdict {
  readonly positive: boolean;
  readonly coherent: boolean;
}

/** A text with the first judge's verdict. */
export interface TextOfFirst {
  readonly item: JudgeItem;
  readonly prompt_id: string;
  readonly first: ShortVerdict;
}

const ratingOf = ({ label, coherent }: Pick<Verdict, 'label' | 'coherent'>): ShortVerdict => ({
  positive: label === 'positive',
  coherent,
});

type SecondSays = ReadonlyMap<string, ShortVerdict>;

const statisticsOf = (pairs: readonly { readonly a: ShortVerdict; readonly b: ShortVerdict }[]) => {
  const table = twoByTwo(
    pairs.map(({ a }) => a.positive),
    pairs.map(({ b }) => b.positive),
  );
  return {
    agreement: accuracy(table),
    kappa: kappa(table),
    sensitivity: table.both / (table.both + table.onlyB),
    specificity: table.neither / (table.neither + table.onlyA),
  };
};

const estimateOf = (value: number, { low, high }: Interval) =>
  [value, low, high].every(Number.isFinite) ? { value, low, high } : null;

/** The first judge against the second, with 95 % intervals over prompts. */
export function comparedOn(
  texts: SecondJudge['compared'][number]['texts'],
  judged: readonly TextOfFirst[],
  second: SecondSays,
  seed: number,
): SecondJudge['compared'][number] {
  const pairs = judged.flatMap(({ item, prompt_id, first }) => {
    const found = second.get(item.id);
    return first.coherent && found?.coherent ? [{ prompt_id, a: first, b: found }] : [];
  });
  const groups = [...grouped(pairs, ({ prompt_id }) => prompt_id).values()];
  const counts = { texts, compared: pairs.length, prompts: groups.length };
  if (pairs.length === 0)
    return { ...counts, agreement: null, kappa: null, sensitivity: null, specificity: null };
  const values = statisticsOf(pairs);
  const intervals = bootstrap(groups, statisticsOf, { seed });
  const of = (name: keyof typeof values) => estimateOf(values[name], intervals[name]);
  return {
    ...counts,
    agreement: of('agreement'),
    kappa: of('kappa'),
    sensitivity: of('sensitivity'),
    specificity: of('specificity'),
  };
}

const tallyOf = (ratings: readonly ShortVerdict[]): Tally => {
  const coherent = ratings.filter((one) => one.coherent);
  return {
    completions: ratings.length,
    coherent: coherent.length,
    positives: coherent.filter(({ positive }) => positive).length,
  };
};

function effectEstimate(prompts: readonly PromptTallies[]) {
  return prompts.length === 0 ? null : estimateOf(effectOf(prompts), promptInterval(prompts));
}

/** An effect by each of both judges, over the prompts of which the second has rated every text. */
export function effectByBoth(
  changed: readonly TextOfFirst[],
  alone: readonly TextOfFirst[],
  second: SecondSays,
): Pick<SecondJudge['effects'][number], 'prompts' | 'first' | 'second'> {
  const by = (texts: readonly TextOfFirst[]) => grouped(texts, ({ prompt_id }) => prompt_id);
  const [of, beside] = [by(changed), by(alone)];
  const whole = [...of.keys()].filter((id) =>
    [...of.get(id)!, ...beside.get(id)!].every(({ item }) => second.has(item.id)),
  );
  const tallies = (rating: (text: TextOfFirst) => ShortVerdict) =>
    whole.map((id) => ({
      steered: tallyOf(of.get(id)!.map(rating)),
      alone: tallyOf(beside.get(id)!.map(rating)),
    }));
  return {
    prompts: whole.length,
    first: effectEstimate(tallies(({ first }) => first)),
    second: effectEstimate(tallies(({ item }) => second.get(item.id)!)),
  };
}

function textsIn(prompts: ReadonlyMap<string, Prompt>, { id, completions }: TrialRecord): TextOfFirst[] {
  return completions.map((one: SteeredCompletion) => ({
    item: {
      id: `${id}/${one.prompt_id}/${one.index}`,
      prompt: prompts.get(one.prompt_id)!,
      completion: one.text,
      ended: one.stop !== 'length',
    },
    prompt_id: one.prompt_id,
    first: ratingOf(one),
  }));
}

async function discoveryTexts(study: OpenStudy): Promise<TextOfFirst[]> {
  const grades = await readGrades(study.folder);
  return (await study.completions()).flatMap(({ id, prompt_id, prompt, text, stop }) => {
    const grade = grades.get(id);
    const item = { id: `completion/${id}`, prompt, completion: text, ended: stop !== 'length' };
    return grade ? [{ item, prompt_id, first: ratingOf(grade) }] : [];
  });
}

interface EffectTexts {
  readonly row: RankedSteeringRow;
  readonly changed: readonly TextOfFirst[];
  readonly alone: readonly TextOfFirst[];
}

/** The texts behind each effect of the confirmed latents. */
function effectTexts(
  evaluated: readonly TrialRecord[],
  rows: readonly RankedSteeringRow[],
  textsOf: (trial: TrialRecord) => TextOfFirst[],
): EffectTexts[] {
  return confirmedLatents(rows).flatMap(({ remove, away, toward }) =>
    [remove, away, toward].flatMap((row) => {
      if (row?.effect == null) return [];
      const on = evaluated.filter(({ side }) => side === row.side);
      const changed = on.find(
        (one) =>
          one.operation === row.operation && one.direction === row.direction && one.dose === (row.dose ?? 0),
      )!;
      const alone = on.find(({ operation }) => operation === null)!;
      return [{ row, changed: textsOf(changed), alone: textsOf(alone) }];
    }),
  );
}

async function ratingsBy(judge: Judge, items: readonly JudgeItem[], study: OpenStudy): Promise<SecondSays> {
  const ratings = new Map<string, ShortVerdict>();
  const stage = study.progress.stage(`Second judge, ${judge.name}`, items.length);
  try {
    const { stopped } = await judge.grade(items, async ({ id }, verdict) => {
      ratings.set(id, ratingOf(verdict));
      stage.advance();
    });
    if (stopped !== undefined) study.progress.note(`second judge stopped: ${stopped}`);
  } finally {
    stage.end();
    await judge.close();
  }
  return ratings;
}

/** Undefined for a study without a second judge. One whose budget is spent rates what it can. */
export async function secondJudgment(
  study: OpenStudy,
  { trials }: Pick<CausalTest, 'trials'>,
  rows: readonly RankedSteeringRow[],
  prompts: ReadonlyMap<string, Prompt>,
): Promise<SecondJudge | undefined> {
  const second = underSecondJudge(study);
  if (second === undefined) return undefined;
  const { seed } = study.config.steering;
  const evaluated = trials.filter(({ part }) => part === 'evaluation');
  const textsOf = (trial: TrialRecord) => textsIn(prompts, trial);
  const discovery = await discoveryTexts(study);
  const all = evaluated.filter(({ operation }) => operation !== null).flatMap(textsOf);
  const changed = shuffled(all, generatorOf(seed)).slice(0, changedSample);
  const effects = effectTexts(evaluated, rows, textsOf);
  const wanted = [...discovery, ...changed, ...effects.flatMap((one) => [...one.changed, ...one.alone])];
  const items = [...new Map(wanted.map(({ item }) => [item.id, item])).values()];
  const judge = await openKeptJudge(second);
  const ratings = await ratingsBy(judge, items, study);
  return {
    judge: judge.name,
    asked: items.length,
    missing: items.length - ratings.size,
    compared: [
      comparedOn('completions', discovery, ratings, seed),
      comparedOn('changed', changed, ratings, seed),
    ],
    effects: effects.map(({ row, ...texts }) => ({
      latent: row.latent!,
      operation: row.operation,
      side: row.side,
      ...effectByBoth(texts.changed, texts.alone, ratings),
    })),
  };
}
