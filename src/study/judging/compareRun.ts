/** How far two judges agree on a labelled file. Knows no kind of judge: how one is opened is passed in. */
import { InputError, NothingToWorkOn } from '../../errors.ts';
import type { Judge } from '../../judges/judge.ts';
import { accuracy, auc, kappa, type TwoByTwo, twoByTwo } from '../../methods/judging/raterAgreement.ts';
import { bootstrap, type Interval } from '../../methods/statistics/bootstrap.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { type Progress, silent } from '../open/progress.ts';
import { promptHash } from '../store/contentHash.ts';
import { type ComparedItem, type Rating, readCompared, readRatings } from './comparedFile.ts';

/** A judge from a file: a study.yaml, or a judge's own configuration. */
export type OpenJudge = (path: string, progress: Progress) => Promise<Judge>;

export interface CompareRequest {
  /** completions, as `culprit import` takes them: JSONL or CSV */
  readonly file: string;
  /** `label`: what the file says; `grades:FILE`: grades by id; else a file that `openJudge` opens */
  readonly a: string;
  readonly b: string;
  readonly openJudge: OpenJudge;
  /** default 2,000 */
  readonly resamples?: number | undefined;
  readonly seed: number;
  readonly progress?: Progress | undefined;
}

export interface Measured extends Interval {
  readonly value: number;
}

export interface Disagreement {
  readonly item: ComparedItem;
  readonly a: Rating;
  readonly b: Rating;
}

export interface ComparedSide {
  readonly name: string;
  /** items that it has not rated */
  readonly missing: number;
  /** items that it finds incoherent */
  readonly incoherent: number;
}

export interface JudgeComparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  /** in the file */
  readonly items: number;
  /** rated by both, and coherent to both; their prompts */
  readonly compared: number;
  readonly prompts: number;
  readonly table: TwoByTwo;
  /** 95 % intervals, prompts resampled. aucA: of a's scores against b's labels; aucB the other way round */
  readonly statistics: Readonly<Record<'accuracy' | 'kappa' | 'aucA' | 'aucB', Measured>>;
  /** items that get another label, the furthest apart in score first */
  readonly disagreements: readonly Disagreement[];
}

interface Rater {
  readonly name: string;
  readonly ratings: ReadonlyMap<string, Rating>;
}

function ownLabels(items: readonly ComparedItem[], file: string): Rater {
  const ratings = new Map(items.flatMap(({ id, rating }) => (rating ? [[id, rating] as const] : [])));
  if (ratings.size === 0)
    throw new InputError(`${file}: expected labels in the field label, positive or aligned, found none`);
  return { name: 'label', ratings };
}

async function graded(judge: Judge, items: readonly ComparedItem[], progress: Progress): Promise<Rater> {
  const ratings = new Map<string, Rating>();
  const stage = progress.stage(`Grading, ${judge.name}`, items.length);
  try {
    const { stopped } = await judge.grade(items, async ({ id }, { label, score, coherent }) => {
      ratings.set(id, { positive: label === 'positive', score, coherent });
      stage.advance();
    });
    if (stopped !== undefined) progress.note(`${judge.name} stopped: ${stopped}`);
  } finally {
    stage.end();
    await judge.close();
  }
  return { name: judge.name, ratings };
}

/** What a judge says of the items, by its spec. */
export async function raterOf(
  spec: string,
  items: readonly ComparedItem[],
  request: Pick<CompareRequest, 'file' | 'openJudge' | 'progress'>,
): Promise<Rater> {
  if (spec === 'label') return ownLabels(items, request.file);
  const [, grades] = /^grades:(.+)$/s.exec(spec) ?? [];
  if (grades !== undefined) return { name: grades, ratings: await readRatings(grades, items) };
  const { progress = silent } = request;
  return graded(await request.openJudge(spec, progress), items, progress);
}

function statistics(pairs: readonly Disagreement[]) {
  const [a, b] = [pairs.map((pair) => pair.a), pairs.map((pair) => pair.b)];
  const labels = (ratings: readonly Rating[]) => ratings.map(({ positive }) => positive);
  const scores = (ratings: readonly Rating[]) => ratings.map(({ score }) => score);
  const table = twoByTwo(labels(a), labels(b));
  return {
    accuracy: accuracy(table),
    kappa: kappa(table),
    aucA: auc(scores(a), labels(b)),
    aucB: auc(scores(b), labels(a)),
  };
}

/** Compares. Throws InputError for a file that cannot be read, or where no completion is rated by both. */
export async function compareJudges(request: CompareRequest): Promise<JudgeComparison> {
  const items = await readCompared(request.file);
  const a = await raterOf(request.a, items, request);
  const b = await raterOf(request.b, items, request);
  const pairs = items.flatMap((item): Disagreement[] => {
    const [ofA, ofB] = [a.ratings.get(item.id), b.ratings.get(item.id)];
    return ofA?.coherent && ofB?.coherent ? [{ item, a: ofA, b: ofB }] : [];
  });
  if (pairs.length === 0)
    throw new NothingToWorkOn(
      `${request.file}: expected completions that both ${a.name} and ${b.name} rate, found none`,
    );
  const groups = grouped(pairs, ({ item }) => promptHash(item.prompt));
  const values = statistics(pairs);
  const { resamples, seed } = request;
  const intervals = bootstrap([...groups.values()], statistics, {
    seed,
    ...(resamples === undefined ? {} : { resamples }),
  });
  const measured = (name: keyof typeof values): Measured => ({ value: values[name], ...intervals[name] });
  const side = ({ name, ratings }: Rater): ComparedSide => ({
    name,
    missing: items.length - ratings.size,
    incoherent: [...ratings.values()].filter(({ coherent }) => !coherent).length,
  });
  return {
    a: side(a),
    b: side(b),
    items: items.length,
    compared: pairs.length,
    prompts: groups.size,
    table: twoByTwo(
      pairs.map((pair) => pair.a.positive),
      pairs.map((pair) => pair.b.positive),
    ),
    statistics: {
      accuracy: measured('accuracy'),
      kappa: measured('kappa'),
      aucA: measured('aucA'),
      aucB: measured('aucB'),
    },
    disagreements: pairs
      .filter((pair) => pair.a.positive !== pair.b.positive)
      .sort((x, y) => Math.abs(y.a.score - y.b.score) - Math.abs(x.a.score - x.b.score)),
  };
}
