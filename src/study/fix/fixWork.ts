/** What the arms of a fix are sampled and graded with: the causal test's own work, with the fix's counts and seed. */

import { join } from 'node:path';
import { isThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { resultFiles, steeredRecord } from '../../results.ts';
import type { FixConfig } from '../config/sections/fix.ts';
import type { FittingDictionary, OpenStudy } from '../open/study.ts';
import { likelihoodUnder, steeringOptionsOf } from '../steering/5-steer.ts';
import { steeringPrompts } from '../steering/causalTestChecks.ts';
import { graderOf, openedJudge } from '../steering/steeringJudge.ts';
import { systemPrompts } from '../steering/systemMessage.ts';
import type { SteeringRecord, SteeringWork } from '../steering/work.ts';
import { jsonHash } from '../store/hash.ts';
import type { Journal } from '../store/journal.ts';
import { packed } from '../store/packedVector.ts';

/** What the causal test has paid, where there is one. */
async function paidBefore({ folder }: OpenStudy): Promise<SteeringRecord[]> {
  const path = join(folder, resultFiles.steered);
  return (await isThere(path)) ? readJsonlAll(path, steeredRecord) : [];
}

export interface OpenFixWork {
  readonly work: SteeringWork;
  close(): Promise<void>;
}

/** `most`: latents that are held together, at most. */
export async function openFixWork(
  study: OpenStudy,
  { sae, layer }: FittingDictionary,
  journal: Journal<SteeringRecord>,
  { completions, seed }: Pick<FixConfig, 'completions' | 'seed'>,
  { baseline, most }: { readonly baseline: Float32Array; readonly most: number },
): Promise<OpenFixWork> {
  const { config, progress } = study;
  const [subject, reference] = [await study.model(config.subject), await study.model(config.reference)];
  const { calibration, evaluation } = await study.prompts();
  const judge = await openedJudge(study, journal, await paidBefore(study));
  const likelihood = likelihoodUnder(study, layer);
  const work: SteeringWork = {
    runtime: study.runtime(),
    layer,
    dictionary: sae,
    system: await systemPrompts(study, evaluation),
    // nothing is added, so that no dose needs a norm
    sides: {
      away: { opened: subject, norm: Number.NaN },
      toward: { opened: reference, norm: Number.NaN },
    },
    prompts: {
      calibration: await steeringPrompts(study, config.subject, calibration),
      evaluation: await steeringPrompts(study, config.subject, evaluation),
    },
    contrasts: [],
    candidates: [],
    controls: [],
    others: [],
    held: { baseline, subject: baseline, hash: jsonHash(packed(baseline)) },
    options: {
      ...steeringOptionsOf(study),
      completions,
      calibrationCompletions: completions,
      seed,
      heldTogether: most,
    },
    grade: graderOf(judge),
    likelihood: likelihood.of,
    journal,
    progress,
  };
  return {
    work,
    async close() {
      try {
        await likelihood.release();
      } finally {
        await judge.close();
      }
    },
  };
}
