/**
 * After the causal test: a fix. Sets of the first latents are removed or capped on the calibration prompts; the one that
 * leaves least of the behaviour in coherent text is measured on other prompts, beside sets of random latents held in the
 * same way, and on ordinary texts. docs/method.md section 5.
 */
import { join } from 'node:path';
import { isThere } from '../../files/ifThere.ts';
import { readingVersion } from '../../methods/judging/reading.ts';
import { type FixRecord, resultFiles, type SteeringRow, type TrialPart } from '../../results.ts';
import { checkAttributed } from '../attribution/4-attribute.ts';
import { readAttributionArrays } from '../attribution/attributionFiles.ts';
import { leftToTheStudy } from '../config/schema.ts';
import { type FixConfig, fixSection } from '../config/sections/fix.ts';
import { heldTokenSets } from '../config/sections/steering.ts';
import { judgeEstimate, judgeOf } from '../judging/openJudge.ts';
import { saidOptions } from '../open/openSae.ts';
import { pairedContrasts } from '../open/pairedContrasts.ts';
import { readLatents, readSteering } from '../open/records.ts';
import { type StageOutcome, studyStage } from '../open/stage.ts';
import { stageJournal } from '../open/stageJournal.ts';
import { hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { sampledWith } from '../steering/5-steer.ts';
import { checkCausalTest, withoutCausalTest } from '../steering/causalTestChecks.ts';
import { completionsIn } from '../steering/size.ts';
import { keptAside } from '../steering/trialParts.ts';
import { JudgeStopped } from '../steering/trialVerdicts.ts';
import { steeringRecord } from '../steering/work.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { jsonHash } from '../store/hash.ts';
import { stageKey } from '../store/key.ts';
import type { Stage } from '../store/stageState.ts';
import { fixFiles, readFix, writeFix } from './fixFiles.ts';
import { findFix } from './fixSearch.ts';
import { openFixWork } from './fixWork.ts';

export interface StudyFix {
  readonly record: FixRecord;
  readonly upToDate: boolean;
}

/** Rows of the causal test; none where the study has not had one. */
async function steeredRows({ folder }: OpenStudy): Promise<readonly SteeringRow[]> {
  return (await isThere(join(folder, resultFiles.steering))) ? (await readSteering(folder)).rows : [];
}

/** The section, which the stage is skipped without. */
const fixOf = ({ config }: Pick<OpenStudy, 'config'>): FixConfig => config.fix!;

async function planFix(study: OpenStudy): Promise<Stage> {
  const { folder, config, recorder } = study;
  const judge = await judgeOf(study).fingerprint();
  const now = (name: string) => hashedNow(join(folder, name));
  const hasTest = await isThere(join(folder, resultFiles.steering));
  const texts = await Promise.all((fixOf(study).text ?? []).map((path) => study.hashed(path)));
  const inputs = {
    ...(await study.modelHashes('subject', config.subject)),
    ...(await study.modelHashes('reference', config.reference)),
    sae: await study.hashedSae(),
    ...judge.inputs,
    latents: await now(resultFiles.latents),
    attribution: await now(resultFiles.attribution),
    pairs: await now(resultFiles.pairs),
    completions: await now(resultFiles.completions),
    ...(hasTest && { steering: await now(resultFiles.steering) }),
    ...Object.fromEntries(texts.map((text, n) => [`text${n + 1}`, text])),
  };
  const { text: _, ...fix } = fixOf(study);
  const { incoherence, incoherent, aside, system } = config.steering;
  const { evaluation, calibration } = await study.prompts();
  const options = {
    ...fix,
    held_tokens: heldTokenSets(config.steering)[0]!,
    site: config.sae.site ?? null,
    ...saidOptions(config.sae),
    sampling: jsonHash(sampledWith(study)),
    judge: jsonHash([judge.options, judge.threshold]),
    incoherence,
    incoherent,
    aside,
    ...(system !== undefined && { system }),
    ...(incoherence !== 'judge' && { reading: readingVersion }),
    prompts: jsonHash([evaluation, calibration].map((all) => all.map(({ id }) => id))),
  };
  const versions = computing(recorder.versions);
  const key = stageKey({ options: JSON.parse(JSON.stringify(options)), inputs: hashesOf(inputs), versions });
  return { name: 'fix', key, inputs, options: JSON.parse(JSON.stringify(options)), outputs: fixFiles };
}

/** Finds it, or goes on looking. */
async function runFix(study: OpenStudy): Promise<StageOutcome<StudyFix>> {
  const { folder, config } = study;
  const stage = await planFix(study);
  if (await stageIsDone(folder, stage)) return { result: { record: await readFix(folder), upToDate: true } };
  await checkAttributed(study);
  const contrasts = await pairedContrasts(study);
  const journal = await stageJournal(study, stage, steeringRecord);
  const dictionary = await study.dictionary();
  const attribution = await readAttributionArrays(folder);
  const fix = fixOf(study);
  const { work, close } = await openFixWork(study, dictionary, journal, fix, {
    baseline: attribution.baseline,
    most: fix.sizes.at(-1)!,
  });
  try {
    const found = await findFix(study, work, {
      fix,
      dictionary,
      attribution,
      contrasts,
      rows: await readLatents(folder),
      steered: await steeredRows(study),
      behaviour: config.behaviour.name,
    });
    const { record, trials } = found;
    const counts = {
      sets: record.search.sets.length,
      latents: record.fix?.latents.length ?? 0,
      trials: trials.length,
      completions: trials.reduce((sum, { completions }) => sum + completions.length, 0),
    };
    await finishStage(folder, stage, { counts, seconds: { fix: journal.seconds } }, study.recorder, () =>
      writeFix(study, { ...found, baseline: attribution.baseline }),
    );
    return { result: { record, upToDate: false } };
  } catch (error) {
    if (error instanceof JudgeStopped) return { stopped: { reason: error.message, spent: true } };
    throw error;
  } finally {
    await close();
  }
}

/** Other directions that are removed: gradient, two eigenvectors, two of completions, one of models. */
const comparisons = 6;

/** Completions of a fix, at most. */
function sizeOf({ config }: Pick<OpenStudy, 'config'>): number {
  const fix = config.fix!;
  const { evaluation, calibration } = config.prompts ?? { evaluation: 0, calibration: 0 };
  const sets = fix.orders.length * fix.sizes.length * fix.operations.length;
  const measured: Record<TrialPart, number> = {
    calibration: calibration * (1 + sets),
    evaluation: evaluation - keptAside(evaluation, config.steering.aside),
    aside: keptAside(evaluation, config.steering.aside),
  };
  const arms = 3 + fix.random + (fix.comparisons ? comparisons : 0);
  return fix.completions * (measured.calibration + arms * (measured.evaluation + measured.aside));
}

export const fixStage = studyStage({
  name: 'fix',
  about:
    'a fix for the behaviour: latents to hold, searched and measured, if study.yaml has a section for it',
  needs: [
    resultFiles.latents,
    resultFiles.attribution,
    resultFiles.pairs,
    resultFiles.completions,
    resultFiles.grades,
  ],
  outputs: fixFiles,
  aside: true,
  section: fixSection,
  skip: ({ config }) =>
    leftToTheStudy(config) ??
    (config.fix === undefined ? 'study.yaml has no section fix' : withoutCausalTest({ config })),
  plan: planFix,
  check: checkCausalTest,
  run: runFix,
  units: async (study) => ({ units: sizeOf(study), unitsIn: completionsIn, bound: 'at most' }),
  async estimate(study, { prompt, token, status }) {
    const { steering, sampling, prompts, fix } = study.config;
    const { max_tokens = sampling.max_tokens } = steering;
    const { left } = status;
    const perPrompt = fix!.completions;
    const asked = (prompts?.evaluation ?? 0) + (prompts?.calibration ?? 0);
    const judged = await judgeEstimate(
      study,
      {
        completions: left,
        perPrompt: Math.max(perPrompt, left / Math.max(1, asked)),
        promptTokens: prompt,
        completionTokens: max_tokens,
        tokenSeconds: token,
      },
      { first: false },
    );
    const texts = fix!.text === undefined ? 0 : 5 * fix!.text_tokens * token;
    const sampled = left * (prompt / perPrompt + max_tokens) * token;
    return {
      seconds: left > 0 ? sampled + judged.seconds + texts : 0,
      price: judged.price,
      note: `at most ${(Math.round(left / 100) * 100).toLocaleString('en')} completions`,
    };
  },
});
