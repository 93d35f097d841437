/** Stage 3: positives with negatives of the same prompt, and why the other prompts gave none. */
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { type Candidate, choosePairs, type WithoutPair, withoutPairReasons } from '../../methods/pair.ts';
import { type CompletionRecord, type GradeRecord, gradeRecord, promptSchema } from '../records.ts';
import { stageKey } from '../store/key.ts';
import type { Stage } from '../store/stageState.ts';
import { finishStage, stageIsDone } from '../store/stages.ts';
import { gradesFile, readCompletions } from './gradeStage.ts';
import { completionsFile } from './sampleStage.ts';
import { hashedNow, hashesOf, type OpenStudy } from './study.ts';

export const pairsFile = 'pairs.jsonl';

/** A line of pairs.jsonl: what `culprit attribute --pairs` reads, and which completions it is made of. */
export const pairRecord = z.object({
  id: z.string(),
  prompt_id: z.string(),
  prompt: promptSchema,
  positive: z.string(),
  negative: z.string(),
  positive_ended: z.boolean(),
  negative_ended: z.boolean(),
  positive_id: z.string(),
  negative_id: z.string(),
  /** the positive's score minus the negative's */
  certainty: z.number(),
});
export type PairRecord = z.output<typeof pairRecord>;

export interface PairResult {
  readonly pairs: readonly PairRecord[];
  readonly prompts: number;
  /** how many prompts gave no pair, by reason */
  readonly without: Readonly<Record<WithoutPair, number>>;
  readonly beyondLimit: number;
  readonly upToDate: boolean;
}

/** Grades by completion; InputError is not needed here: the grade stage made one for each. */
export async function readGrades(folder: string): Promise<Map<string, GradeRecord>> {
  const grades = await readJsonlAll(join(folder, gradesFile), gradeRecord);
  return new Map(grades.map((grade) => [grade.id, grade]));
}

function candidates(
  completions: readonly CompletionRecord[],
  grades: ReadonlyMap<string, GradeRecord>,
): Candidate[] {
  return completions.flatMap(({ id, prompt_id, stop, text }) => {
    const grade = grades.get(id);
    if (!grade) return [];
    const { label, score } = grade;
    // a completion without text has nothing to pair, whatever the judge made of it
    const coherent = grade.coherent && text.trim() !== '';
    return [{ id, prompt: prompt_id, label, score, coherent, finished: stop !== 'length' }];
  });
}

export async function pairStage({ folder, config, recorder }: OpenStudy): Promise<Stage> {
  const inputs = {
    completions: await hashedNow(join(folder, completionsFile)),
    grades: await hashedNow(join(folder, gradesFile)),
  };
  const { per_prompt, limit } = config.pairs;
  const options = { per_prompt, ...(limit !== undefined && { limit }) };
  const key = stageKey({
    options,
    inputs: hashesOf(inputs),
    upstream: {},
    versions: { culprit: recorder.versions.culprit! },
  });
  return { name: 'pair', key, inputs, options, outputs: [pairsFile] };
}

/** Chooses the pairs. Takes no time, so that it is done whole each time. */
export async function runPair(study: OpenStudy): Promise<PairResult> {
  const { folder, config } = study;
  const completions = new Map((await readCompletions(folder)).map((one) => [one.id, one]));
  const chosen = choosePairs(candidates([...completions.values()], await readGrades(folder)), {
    perPrompt: config.pairs.per_prompt,
    limit: config.pairs.limit,
  });
  const pairs = chosen.pairs.map(({ prompt, positive, negative, certainty }): PairRecord => {
    const [p, n] = [completions.get(positive)!, completions.get(negative)!];
    return {
      id: `${positive}-${n.index}`,
      prompt_id: prompt,
      prompt: p.prompt,
      positive: p.text,
      negative: n.text,
      positive_ended: p.stop === 'end',
      negative_ended: n.stop === 'end',
      positive_id: positive,
      negative_id: negative,
      certainty,
    };
  });
  const counted = (reason: WithoutPair) =>
    [...chosen.without.values()].filter((found) => found === reason).length;
  const without = Object.fromEntries(withoutPairReasons.map((reason) => [reason, counted(reason)]));
  const prompts = new Set([...completions.values()].map(({ prompt_id }) => prompt_id)).size;
  const stage = await pairStage(study);
  const upToDate = await stageIsDone(folder, stage);
  if (!upToDate) {
    const counts = { pairs: pairs.length, prompts, beyond_limit: chosen.beyondLimit, ...without };
    await finishStage(folder, stage, { counts, seconds: {} }, study.recorder, () =>
      replaceFile(join(folder, pairsFile), (file) =>
        file.writeFile(pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('')),
      ),
    );
  }
  return {
    pairs,
    prompts,
    without: without as Record<WithoutPair, number>,
    beyondLimit: chosen.beyondLimit,
    upToDate,
  };
}
