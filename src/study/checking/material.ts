/**
 * What a check works on: some of the study's prompts, passages of natural text, and completions with labels.
 * All of it is the study's own, so that a model of a small world is not asked about the large one.
 */
import { readCorpus } from '../../files/pairs.ts';
import type { Prompt } from '../../results.ts';
import { passageIds } from '../attribution/baselineRun.ts';
import { readCompared } from '../judging/comparedFile.ts';
import { type LabelledSource, readLabelled } from '../judging/labelledFile.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { OpenStudy } from '../open/study.ts';

/** Tokens of all passages, of one passage, and prompts that are looked at. */
export const textTokens = 512;
const passageTokens = 128;
const mostPrompts = 64;
const labelledOfAKind = 8;

export interface LabelledText {
  readonly id: string;
  readonly prompt: Prompt;
  readonly completion: string;
  readonly positive: boolean;
}

export interface Material {
  /** the study's prompts in their order, discovery first; those that fit the models */
  readonly prompts: readonly {
    readonly id: string;
    readonly prompt: Prompt;
    readonly ids: readonly number[];
  }[];
  /** token ids of passages of a corpus that study.yaml names; none where it names none */
  readonly passages: readonly (readonly number[])[];
  /** as many of each label */
  readonly labelled: readonly LabelledText[];
  /** where the labels come from: a file that is there to check the judge, or the judge's own examples */
  readonly labels: 'check.labels' | 'judge' | 'none';
}

async function promptsIn(study: OpenStudy): Promise<{ id: string; prompt: Prompt }[]> {
  if (study.config.prompts === undefined) {
    const completions = await study.completions();
    return [
      ...new Map(completions.map(({ prompt_id, prompt }) => [prompt_id, { id: prompt_id, prompt }])).values(),
    ];
  }
  const { discovery, evaluation, calibration } = await study.prompts();
  return [...discovery, ...evaluation, ...calibration];
}

async function passagesIn({ config }: OpenStudy, opened: OpenModel): Promise<number[][]> {
  const { baseline, interpret } = config;
  const corpus = baseline && 'corpus' in baseline ? baseline.corpus : interpret?.corpus?.[0];
  const passages: number[][] = [];
  if (corpus === undefined) return passages;
  let left = textTokens;
  for await (const { value } of readCorpus(corpus)) {
    const ids = passageIds(value, opened.codec).slice(0, Math.min(passageTokens, left));
    if (ids.length < 2) continue;
    passages.push(ids);
    left -= ids.length;
    if (left < 2) break;
  }
  return passages;
}

const some = (texts: readonly LabelledText[]) =>
  [true, false].flatMap((label) =>
    texts.filter(({ positive }) => positive === label).slice(0, labelledOfAKind),
  );

async function labelledIn({ config }: OpenStudy): Promise<Pick<Material, 'labelled' | 'labels'>> {
  const { labels } = config.check;
  if (labels !== undefined) {
    const rated = (await readCompared(labels)).flatMap(({ rating, ...item }) =>
      rating?.coherent ? [{ ...item, positive: rating.positive }] : [],
    );
    return { labelled: some(rated), labels: 'check.labels' };
  }
  const judge = config.judge as { readonly positive?: unknown; readonly negative?: unknown };
  const isSource = (given: unknown): given is LabelledSource => typeof given === 'object' && given !== null;
  if (!isSource(judge.positive) || !isSource(judge.negative)) return { labelled: [], labels: 'none' };
  const read = async (source: LabelledSource, positive: boolean) =>
    (await readLabelled(source)).map((one) => ({ ...one, positive }));
  const both = [...(await read(judge.positive, true)), ...(await read(judge.negative, false))];
  return { labelled: some(both), labels: 'judge' };
}

/** Reads it. Throws InputError as the stages do that read the same files. */
export async function materialOf(study: OpenStudy, opened: OpenModel): Promise<Material> {
  const { codec, model } = opened;
  const asked = (await promptsIn(study)).slice(0, mostPrompts);
  const prompts = asked.map(({ id, prompt }) => ({ id, prompt, ids: codec.encodePrompt(prompt) }));
  const room = model.decoder.context - study.config.sampling.max_tokens;
  const fitting = prompts.filter(({ ids }) => ids.length > 0 && ids.length <= room);
  return { prompts: fitting, passages: await passagesIn(study, opened), ...(await labelledIn(study)) };
}
