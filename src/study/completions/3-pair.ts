/** Stage 3: positives with negatives of the same prompt, and why the other prompts gave none. */

import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { quoted } from '../../files/bytes.ts';
import { isThere } from '../../files/ifThere.ts';
import {
  type Candidate,
  choosePairs,
  type WithoutPair,
  withoutPairReasons,
} from '../../methods/completions/pair.ts';
import {
  type CompletionRecord,
  type GradeRecord,
  type PairRecord,
  pairRecord,
  resultFiles,
} from '../../results.ts';
import { pairsSection } from '../config/sections/pairs.ts';
import { readCompletions, readGrades, readPairRecords } from '../open/records.ts';
import { studyStage } from '../open/stage.ts';
import { hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import type { Stage } from '../store/stageState.ts';
import { pairRecordOf } from './pairRecords.ts';

type Completions = ReadonlyMap<string, CompletionRecord>;

export interface PairResult {
  readonly pairs: readonly PairRecord[];
  readonly prompts: number;
  /** how many prompts gave no pair, by reason */
  readonly without: Readonly<Record<WithoutPair, number>>;
  readonly beyondLimit: number;
  readonly upToDate: boolean;
}

function candidates(
  completions: readonly CompletionRecord[],
  grades: ReadonlyMap<string, GradeRecord>,
): Candidate[] {
  return completions.map(({ id, prompt_id, stop, text }) => {
    const grade = grades.get(id);
    if (!grade)
      throw new InputError(
        `completion ${quoted(id)} has no grade in ${resultFiles.grades}: grade it first, with \`culprit grade\``,
      );
    const { label, score } = grade;
    // a completion without text has nothing to pair, whatever the judge made of it
    const coherent = grade.coherent && text.trim() !== '';
    return { id, prompt: prompt_id, label, score, coherent, finished: stop !== 'length' };
  });
}

async function planPairs({ folder, config }: OpenStudy): Promise<Stage> {
  const inputs = {
    completions: await hashedNow(join(folder, resultFiles.completions)),
    grades: await hashedNow(join(folder, resultFiles.grades)),
  };
  const { per_prompt, limit } = config.pairs;
  const options = { per_prompt, ...(limit !== undefined && { limit }) };
  // of nothing that computes: choosing is exact
  const fields = Object.keys(pairRecord.shape).join();
  const key = stageKey({ options, inputs: hashesOf(inputs), versions: { fields } });
  return { name: 'pair', key, inputs, options, outputs: [resultFiles.pairs] };
}

/** What a finished stage's file and its counts tell; a file that was edited by hand has no counts. */
async function finishedResult(folder: string, prompts: number): Promise<PairResult> {
  const counts = (await readStudyManifest(folder))?.stages.pair?.counts ?? {};
  const without = Object.fromEntries(withoutPairReasons.map((reason) => [reason, counts[reason] ?? 0]));
  return {
    pairs: await readPairRecords(folder),
    prompts,
    without: without as Record<WithoutPair, number>,
    beyondLimit: counts.beyond_limit ?? 0,
    upToDate: true,
  };
}

/** Chooses the pairs, unless that is done. Throws InputError for a completion without a grade. */
async function runPair(study: OpenStudy): Promise<PairResult> {
  const { folder, config } = study;
  const completions: Completions = new Map((await readCompletions(folder)).map((one) => [one.id, one]));
  const prompts = new Set([...completions.values()].map(({ prompt_id }) => prompt_id)).size;
  const stage = await planPairs(study);
  if (await stageIsDone(folder, stage)) return finishedResult(folder, prompts);
  const chosen = choosePairs(candidates([...completions.values()], await readGrades(folder)), {
    perPrompt: config.pairs.per_prompt,
    limit: config.pairs.limit,
  });
  const pairs = chosen.pairs.map((one) => pairRecordOf(one, completions, config.pairs.per_prompt === 'all'));
  const counted = (reason: WithoutPair) =>
    [...chosen.without.values()].filter((found) => found === reason).length;
  const without = Object.fromEntries(withoutPairReasons.map((reason) => [reason, counted(reason)]));
  const counts = { pairs: pairs.length, prompts, beyond_limit: chosen.beyondLimit, ...without };
  await finishStage(folder, stage, { counts, seconds: {} }, study.recorder, () =>
    replaceFile(join(folder, resultFiles.pairs), (file) =>
      file.writeFile(pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('')),
    ),
  );
  return {
    pairs,
    prompts,
    without: without as Record<WithoutPair, number>,
    beyondLimit: chosen.beyondLimit,
    upToDate: false,
  };
}

export const pairStage = studyStage({
  name: 'pair',
  about: 'positives with negatives of the same prompt',
  needs: [resultFiles.completions, resultFiles.grades],
  outputs: [resultFiles.pairs],
  section: pairsSection,
  plan: planPairs,
  run: async (study) => ({ result: await runPair(study) }),
  async units({ folder }, planned) {
    const there = planned !== undefined && (await isThere(join(folder, resultFiles.pairs)));
    return { units: there ? (await readPairRecords(folder)).length : 0 };
  },
  estimate: async () => ({ seconds: 0, note: '' }),
});
