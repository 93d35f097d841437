/**
 * Stage 5: the causal test. Candidates of every selector, random latents and other directions are removed from
 * the subject and steered on subject and reference, on prompts that nothing was found on, and graded by the
 * study's judge.
 */

import { join } from 'node:path';
import { isThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { type ReadingPass, readingPass, readingVersion } from '../../methods/judging/reading.ts';
import { resultFiles, steeredRecord, steeringFiles } from '../../results.ts';
import { checkAttributed } from '../attribution/4-attribute.ts';
import { greedyOf, heldTokenSets, steeringSection } from '../config/sections/steering.ts';
import { judgeEstimate, judgeOf, secondJudgeSection } from '../judging/openJudge.ts';
import { saidOptions } from '../open/openSae.ts';
import { pairedContrasts } from '../open/pairedContrasts.ts';
import type { StudyPrompt } from '../open/promptsFile.ts';
import { completionsAreImported, readSteering, type SteeringResult } from '../open/records.ts';
import { hasNeeds, type StageOutcome, studyStage } from '../open/stage.ts';
import { stageJournal } from '../open/stageJournal.ts';
import { beforeStop } from '../open/stopTexts.ts';
import { hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { promptHash } from '../store/contentHash.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { jsonHash } from '../store/hash.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { Timings } from '../store/runRecord.ts';
import { type Stage, stageState } from '../store/stageState.ts';
import { type CausalTest, testCausally } from './causalTest.ts';
import { checkCausalTest, checkUnseen, steeringPrompts, withoutCausalTest } from './causalTestChecks.ts';
import { candidatesOf, ranksOf } from './chosenLatents.ts';
import { chosenRecord } from './chosenRecord.ts';
import { ownDirectionNames } from './comparisonDirections.ts';
import { directionsIn } from './directionsIn.ts';
import { changedSample, checkSecondJudge, secondJudgment, underSecondJudge } from './secondJudge.ts';
import { controlledGrader } from './shuffledGrader.ts';
import { enginesIdentity, enginesOf, enginesRecord, enginesWork } from './sideEngines.ts';
import { causalTestSize, completionsIn } from './size.ts';
import { steeredOf, trialsOf, writeSteering } from './steeringFiles.ts';
import { graderOf, openedJudge } from './steeringJudge.ts';
import { steeringRows, zonesOf } from './steeringResult.ts';
import { steeringSummary } from './steeringSummary.ts';
import { systemPrompts } from './systemMessage.ts';
import { JudgeStopped } from './trialVerdicts.ts';
import {
  type Likelihood,
  type SteeringOptions,
  type SteeringRecord,
  type SteeringWork,
  steeringRecord,
} from './work.ts';

export interface StudyCausalTest extends SteeringResult {
  readonly upToDate: boolean;
}

/** Of the records of trials: those of another form are not read. */
const recordsForm = 2;

export const sampledWith = ({ config }: OpenStudy) => {
  const { temperature, top_p, top_k, min_p, stop, max_tokens } = config.sampling;
  return { temperature, top_p, top_k, min_p, stop, max_tokens: config.steering.max_tokens ?? max_tokens };
};

const idsAndHashes = (prompts: readonly StudyPrompt[]) =>
  prompts.map(({ id, prompt }) => [id, promptHash(prompt)]);

/** Which labels the verdicts of a control get. */
async function lentLabels({ folder, config: { control } }: OpenStudy): Promise<object> {
  if (control?.kind !== 'shuffle-labels') return {};
  const { sha256 } = await hashedNow(join(folder, resultFiles.grades));
  return { labels: `shuffled by ${control.seed}`, grades: sha256 };
}

async function planSteering(study: OpenStudy): Promise<Stage> {
  const { folder, config, recorder } = study;
  const judge = await judgeOf(study).fingerprint();
  const models = {
    ...(await study.modelHashes('subject', config.subject)),
    ...(await study.modelHashes('reference', config.reference)),
    sae: await study.hashedSae(),
    ...judge.inputs,
  };
  const secondStudy = underSecondJudge(study);
  const second = secondStudy && (await judgeOf(secondStudy).fingerprint());
  const ofSecond = Object.entries(second?.inputs ?? {}).map(([name, input]) => [`second_${name}`, input]);
  const inputs = {
    ...models,
    ...Object.fromEntries(ofSecond),
    latents: await hashedNow(join(folder, resultFiles.latents)),
    attribution: await hashedNow(join(folder, resultFiles.attribution)),
    pairs: await hashedNow(join(folder, resultFiles.pairs)),
    completions: await hashedNow(join(folder, resultFiles.completions)),
  };
  const { tokens, held_tokens: _, seed, incoherence, ...rest } = config.steering;
  const [heldTokens, ...furtherHeld] = heldTokenSets(config.steering);
  const unitOptions = {
    records: recordsForm,
    tokens,
    held_tokens: heldTokens!,
    seed,
    site: config.sae.site ?? null,
    ...saidOptions(config.sae),
    sampling: jsonHash(sampledWith(study)),
    judge: jsonHash([judge.options, judge.threshold]),
    ...(incoherence !== 'judge' && { incoherence, reading: readingVersion }),
    ...(await lentLabels(study)),
    ...enginesIdentity(study),
  };
  const versions = computing(recorder.versions);
  const { evaluation, calibration, discovery } = await study.prompts();
  const options = {
    ...unitOptions,
    ...JSON.parse(JSON.stringify(rest)),
    ...(furtherHeld.length > 0 && { further_held_tokens: furtherHeld }),
    ...(second && { second_judge: jsonHash([second.options, second.threshold]) }),
    behaviour: config.behaviour.name,
    attribution_tokens: config.attribution.tokens,
    ...(ownDirectionNames().length > 0 && { own_directions: ownDirectionNames() }),
    prompts: jsonHash([evaluation, calibration, discovery].map(idsAndHashes)),
  };
  const key = (parts: object, from: typeof inputs | typeof models) =>
    stageKey({ options: parts, inputs: hashesOf(from), versions });
  const unitKey = key(unitOptions, models);
  const stage: Stage = {
    name: 'steer',
    key: key(options, inputs),
    journalKey: unitKey,
    inputs,
    options: { ...options, unit_key: unitKey },
    outputs: steeringFiles,
  };
  return { ...stage, ...enginesWork(study, stage) };
}

/** What study.yaml says of the sampling and the measures of arms. */
export function steeringOptionsOf(study: OpenStudy): SteeringOptions {
  const { steering, sampling } = study.config;
  const { temperature, top_k, top_p, min_p, stop = [], max_tokens } = sampledWith(study);
  const [heldTokens, ...furtherHeld] = heldTokenSets(steering);
  return {
    doses: steering.doses,
    incoherence: steering.incoherence,
    incoherent: steering.incoherent,
    calibrationCompletions: steering.calibration_completions,
    completions: steering.completions,
    aside: steering.aside,
    remeasured: steering.remeasured,
    patch: steering.patch,
    greedy: greedyOf(steering),
    randomSteered: steering.random_steered ?? steering.random,
    full: steering.full,
    gateDose: steering.gate_dose,
    gateShare: steering.gate_share,
    tokens: steering.tokens,
    heldTokens: heldTokens!,
    furtherHeld,
    sampling: { temperature, topK: top_k, topP: top_p, minP: min_p, maxTokens: max_tokens },
    stops: stop,
    textOf: (text) => beforeStop(text, stop).text,
    rows: sampling.rows,
    seed: steering.seed,
  };
}

/**
 * Trials and log-odds of the finished causal test that were made under the same options: one that asks for
 * others keeps what it has.
 */
async function finishedRecords(folder: string, stage: Stage): Promise<SteeringRecord[]> {
  const manifest = await readStudyManifest(folder);
  const path = join(folder, resultFiles.steered);
  // What a run was stopped at writing may be of other options than those that are recorded.
  if (manifest === undefined || manifest.writing.includes(stage.name) || !(await isThere(path))) return [];
  if (manifest.stages[stage.name]?.options.unit_key !== stage.options.unit_key) return [];
  return readJsonlAll(path, steeredRecord);
}

/** Throws InputError where a causal test would start from anything but the study's present latents. */
async function checkBefore(study: OpenStudy): Promise<void> {
  await checkAttributed(study);
  await checkCausalTest(study);
  await checkUnseen(study);
}

async function openedJournal(study: OpenStudy, stage: Stage) {
  const journal = await stageJournal(study, stage, steeringRecord);
  const before = await finishedRecords(study.folder, stage);
  await journal.append(
    before.filter(({ id }) => !journal.records.has(id)),
    'before',
  );
  return journal;
}

/** Tests, or goes on with it. */
async function runCausalTest(study: OpenStudy): Promise<StageOutcome<StudyCausalTest>> {
  const { folder, config, progress, clock } = study;
  const stage = await planSteering(study);
  if (await stageIsDone(folder, stage))
    return { result: { ...(await readSteering(folder)), upToDate: true } };
  await checkBefore(study);
  const engines = await enginesOf(study, stage);
  const timings = new Timings(clock);
  const journal = await openedJournal(study, stage);
  const [subject, reference] = [await study.model(config.subject), await study.model(config.reference)];
  const dictionary = await study.dictionary();
  const { sae, layer } = dictionary;
  const { calibration, evaluation } = await study.prompts();
  const prompts = {
    calibration: await steeringPrompts(study, config.subject, calibration),
    evaluation: await steeringPrompts(study, config.subject, evaluation),
  };
  const contrasts = await pairedContrasts(study);
  const chosen = await timings.of('selectors', () =>
    chosenRecord(study, stage, dictionary, contrasts, journal),
  );
  const judge = await openedJudge(study, journal);
  const likelihood = likelihoodUnder(study, layer);
  try {
    const work: SteeringWork = {
      runtime: study.runtime(),
      layer,
      dictionary: sae,
      encoder: config.steering.subtract ? sae : undefined,
      system: await systemPrompts(study, evaluation),
      sides: {
        away: { opened: subject, norm: chosen.norm.away, engine: engines?.away },
        toward: { opened: reference, norm: chosen.norm.toward, engine: engines?.toward },
      },
      prompts,
      contrasts: contrasts.slice(0, config.steering.gate_pairs),
      ...(await directionsIn(study, chosen, sae)),
      options: steeringOptionsOf(study),
      grade: await controlledGrader(study, graderOf(judge)),
      likelihood: likelihood.of,
      journal,
      progress,
    };
    const test = await timings.of('steering', () => testCausally(work));
    const zones = zonesOf(test, config.steering.seed);
    const rows = steeringRows({ test, zones, ranks: ranksOf(chosen.selectors), options: work.options });
    const asked = [...prompts.calibration, ...prompts.evaluation].map(
      ({ id, prompt }) => [id, prompt] as const,
    );
    const second = await timings.of('second judge', () => secondJudgment(study, test, rows, new Map(asked)));
    const found = steeringSummary(test, zones, rows, {
      behaviour: config.behaviour.name,
      site: `resid_post ${layer}`,
      work,
      candidates: candidatesOf(chosen.selectors),
      comparisons: chosen.comparisons.map(({ name, about, latent }) => ({ direction: name, about, latent })),
    });
    const summary = { ...found, ...(second && { second_judge: second }) };
    await finish(study, stage, { test, rows, summary, timings });
    return { result: { rows, summary, upToDate: false } };
  } catch (error) {
    if (error instanceof JudgeStopped) return { stopped: { reason: error.message, spent: true } };
    throw error;
  } finally {
    try {
      await likelihood.release();
    } finally {
      await judge.close();
    }
  }
}

/** Mean ln p under the unsteered reference, which is loaded when it is first asked. */
export function likelihoodUnder(
  study: OpenStudy,
  layer: number,
): { of: Likelihood; release(): Promise<void> } {
  let loaded: Promise<ReadingPass> | undefined;
  const open = async () =>
    readingPass(study.runtime(), (await study.model(study.config.reference)).model, layer);
  return {
    async of(texts) {
      loaded ??= open();
      const readings = await (await loaded).read(texts);
      return readings.map((own) => own.map(({ logProbability }) => logProbability));
    },
    async release() {
      await (await loaded?.catch(() => undefined))?.release();
    },
  };
}

interface Finished extends SteeringResult {
  readonly test: CausalTest;
  readonly timings: Timings;
}

/** Writes the files, and records the stage as done. */
async function finish(
  study: OpenStudy,
  stage: Stage,
  { test, rows, summary, timings }: Finished,
): Promise<void> {
  const { folder, recorder } = study;
  const trials = trialsOf(test);
  const counts = {
    latents: new Set(rows.flatMap(({ latent }) => latent ?? [])).size,
    directions: new Set(rows.map(({ direction }) => direction)).size,
    trials: trials.length,
    completions: trials.reduce((sum, { completions }) => sum + completions.length, 0),
  };
  const outcome = { counts, seconds: timings.seconds, ...(await enginesRecord(study, stage)) };
  await finishStage(folder, stage, outcome, recorder, () =>
    writeSteering(folder, { rows, summary }, steeredOf(test)),
  );
}

/** Whether nothing is left of it to be sampled. */
async function isDone(study: OpenStudy): Promise<boolean> {
  if (!(await hasNeeds(steerStage, study))) return false;
  return (await stageState(study.folder, await planSteering(study))).done;
}

export const steerStage = studyStage({
  name: 'steer',
  about:
    'the causal test: these latents, random ones and other directions removed from the subject and steered on subject and reference, on prompts that were not used to find them',
  needs: [
    resultFiles.latents,
    resultFiles.attribution,
    resultFiles.pairs,
    resultFiles.completions,
    resultFiles.grades,
  ],
  outputs: steeringFiles,
  section: [steeringSection, secondJudgeSection()],
  skip: withoutCausalTest,
  plan: planSteering,
  async check(study) {
    await checkCausalTest(study);
    await checkSecondJudge(study);
    if (await completionsAreImported(study.folder)) await checkUnseen(study);
    if (!(await isDone(study))) await enginesOf(study);
  },
  run: runCausalTest,
  async units({ config }) {
    const units = causalTestSize(config.steering, config.prompts).completions;
    return { units, unitsIn: completionsIn, bound: 'about' };
  },
  async estimate(study, { prompt, token, status }) {
    const { steering, prompts, sampling, pairs } = study.config;
    const { completions, max_tokens = sampling.max_tokens } = steering;
    const { left } = status;
    const packed = pairs.per_prompt === 'all' ? sampling.completions : 2;
    const { forced } = causalTestSize(steering, prompts);
    const asked = (prompts?.evaluation ?? 0) + (prompts?.calibration ?? 0);
    const work = {
      completions: left,
      // every arm asks the same prompts, which a judge that reads them keeps
      perPrompt: Math.max(completions, left / Math.max(1, asked)),
      promptTokens: prompt,
      completionTokens: max_tokens,
      tokenSeconds: token,
    };
    const judged = [await judgeEstimate(study, work, { first: false })];
    const second = underSecondJudge(study);
    const read = prompts === undefined ? 0 : prompts.discovery * sampling.completions + changedSample;
    if (second && left > 0)
      judged.push(await judgeEstimate(second, { ...work, completions: read }, { first: false }));
    const prices = judged.flatMap(({ price }) => price ?? []);
    const sampled = left * (prompt / completions + max_tokens) * token;
    const passes = forced * 0.5 * (prompt + packed * max_tokens) * token;
    return {
      seconds: left > 0 ? sampled + judged.reduce((sum, { seconds }) => sum + seconds, 0) + passes : 0,
      price: prices.length > 0 ? prices.reduce((a, b) => a + b) : undefined,
      note: `about ${(Math.round(left / 100) * 100).toLocaleString('en')} completions; the funnel decides during the run`,
    };
  },
});
