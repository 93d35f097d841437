/**
 * Stage 5: the validation by steering. Candidates of every selector and random latents are steered on subject and reference, on prompts that nothing was found
 * on, and graded by the study's judge.
 */

import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import type { Judge } from '../../judges/judge.ts';
import { selectorNamed } from '../../methods/attribution/selectors/selectors.ts';
import { type ReadingPass, readingPass } from '../../methods/judging/reading.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import { TooFewLatents } from '../../methods/steering/controls.ts';
import { decodeLatents, resultFiles, steeredRecord, steeringFiles } from '../../results.ts';
import type { Sae } from '../../saes/sae.ts';
import { meanOf } from '../attribution/baseline.ts';
import { gradeCounts } from '../judging/2-grade.ts';
import { judgeLines } from '../judging/judgeReport.ts';
import { judgeOf } from '../judging/openJudge.ts';
import { contrastsOf } from '../open/contrasts.ts';
import type { OpenModel } from '../open/openModel.ts';
import { openSae, siteFor } from '../open/openSae.ts';
import type { StudyPrompt } from '../open/promptsFile.ts';
import { readCompletions, readGrades, readPairs } from '../open/records.ts';
import { beforeStop } from '../open/stopTexts.ts';
import { hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { promptHash } from '../store/contentHash.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { journalFile, makeWorkFolder, workFolder } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { type Journal, openJournal } from '../store/journal.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { rowStore } from '../store/rowStore.ts';
import { Timings } from '../store/runRecord.ts';
import type { Stage } from '../store/stageState.ts';
import { testCausally } from './causalTest.ts';
import { candidatesOf, chooseLatents, ranksOf } from './chosenLatents.ts';
import { readSteering, type SteeringResult, steeredOf, trialsOf, writeSteering } from './steeringFiles.ts';
import { type Sides, steeringRows, steeringSummary } from './steeringResult.ts';
import { JudgeStopped } from './trials.ts';
import {
  type ChosenRecord,
  type Grader,
  type Likelihood,
  type SteeringOptions,
  type SteeringPrompt,
  type SteeringRecord,
  steeringRecord,
  type VerdictRecord,
} from './work.ts';

export interface StudyCausalTest extends SteeringResult {
  readonly upToDate: boolean;
}

/** Why the study has no causal test; undefined where it has one. */
export function withoutCausalTest({ config }: Pick<OpenStudy, 'config'>): string | undefined {
  const { prompts } = config;
  if (prompts === undefined) return 'study.yaml names no prompts to steer on';
  const missing = (['evaluation', 'calibration'] as const).find((name) => prompts[name] === 0);
  return missing === undefined ? undefined : `prompts.${missing} is 0`;
}

const sampledWith = ({ config }: OpenStudy) => {
  const { temperature, top_p, top_k, min_p, stop, max_tokens } = config.sampling;
  return { temperature, top_p, top_k, min_p, stop, max_tokens: config.steering.max_tokens ?? max_tokens };
};

const idsAndHashes = (prompts: readonly StudyPrompt[]) =>
  prompts.map(({ id, prompt }) => [id, promptHash(prompt)]);

export async function steerStage(study: OpenStudy): Promise<Stage> {
  const { folder, config, recorder } = study;
  const judge = await judgeOf(study).fingerprint();
  const models = {
    ...(await study.modelHashes('subject', config.subject)),
    ...(await study.modelHashes('reference', config.reference)),
    sae: await study.hashed(config.sae.path),
    ...judge.inputs,
  };
  const inputs = {
    ...models,
    latents: await hashedNow(join(folder, resultFiles.latents)),
    pairs: await hashedNow(join(folder, resultFiles.pairs)),
    completions: await hashedNow(join(folder, resultFiles.completions)),
  };
  const { tokens, seed, incoherence, ...rest } = config.steering;
  const unitOptions = {
    tokens,
    seed,
    site: config.sae.site ?? null,
    sampling: jsonHash(sampledWith(study)),
    judge: jsonHash([judge.options, judge.threshold]),
    ...(incoherence !== 'judge' && { incoherence }),
  };
  const versions = computing(recorder.versions);
  const { evaluation, calibration, discovery } = await study.prompts();
  const options = {
    ...unitOptions,
    ...JSON.parse(JSON.stringify(rest)),
    behaviour: config.behaviour.name,
    attribution_tokens: config.attribution.tokens,
    prompts: jsonHash([evaluation, calibration, discovery].map(idsAndHashes)),
  };
  const key = (parts: object, from: typeof inputs | typeof models) =>
    stageKey({ options: parts, inputs: hashesOf(from), upstream: {}, versions });
  const unitKey = key(unitOptions, models);
  return {
    name: 'steer',
    key: key(options, inputs),
    journalKey: unitKey,
    inputs,
    options: { ...options, unit_key: unitKey },
    outputs: steeringFiles,
  };
}

function optionsOf(study: OpenStudy): SteeringOptions {
  const { steering, sampling } = study.config;
  const { temperature, top_k, top_p, min_p, stop = [], max_tokens } = sampledWith(study);
  return {
    doses: steering.doses,
    incoherence: steering.incoherence,
    incoherent: steering.incoherent,
    calibrationCompletions: steering.calibration_completions,
    completions: steering.completions,
    firstLook: steering.first_look,
    full: steering.full,
    gateDose: steering.gate_dose,
    gateShare: steering.gate_share,
    tokens: steering.tokens,
    sampling: { temperature, topK: top_k, topP: top_p, minP: min_p, maxTokens: max_tokens },
    stops: stop,
    textOf: (text) => beforeStop(text, stop).text,
    rows: sampling.rows,
    seed: steering.seed,
  };
}

const graderOf =
  (judge: Judge): Grader =>
  (items, onVerdict, refusals) =>
    judge.grade(items, onVerdict, undefined, refusals);

/** What was spent on the study's judge so far; a trial's cost holds that of its verdicts. */
async function spentOf(folder: string, journal: Journal<SteeringRecord>) {
  const graded = gradeCounts([...(await readGrades(folder)).values()]);
  let [calls, price] = [graded.calls!, graded.price!];
  const isInTrial = ({ trial, trial_content }: VerdictRecord) => {
    const found = journal.records.get(trial);
    return found?.kind === 'trial' && found.content === trial_content;
  };
  for (const record of journal.records.values())
    if (record.kind === 'trial' || (record.kind === 'verdict' && !isInTrial(record))) {
      calls += record.cost.calls;
      price += record.cost.price;
    }
  return { calls, price };
}

/** Opens the study's judge; tells how it did where it was trained just now. */
async function openedJudge(study: OpenStudy, journal: Journal<SteeringRecord>): Promise<Judge> {
  const { folder, progress } = study;
  const stamp = () =>
    stat(join(folder, resultFiles.judge)).then(
      ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
      () => undefined,
    );
  const before = await stamp();
  let lines: string[] = [];
  const judge = await judgeOf(study).open({
    spent: await spentOf(folder, journal),
    onReport(report) {
      lines = judgeLines(report);
    },
  });
  if ((await stamp()) !== before) lines.forEach(progress.note);
  return judge;
}

async function studyContrasts(study: OpenStudy): Promise<Contrast[]> {
  const { folder, config } = study;
  const { codec } = await study.model(config.subject);
  const completions = new Map((await readCompletions(folder)).map((one) => [one.id, one]));
  const pairs = await readPairs(folder);
  return contrastsOf(pairs, completions, codec, config.pairs.per_prompt === 'all');
}

/** Δ [N] of the study's attribution. Throws InputError where it is of another dictionary. */
async function deltaOf(folder: string, sae: Sae): Promise<Float32Array> {
  const path = join(folder, resultFiles.latents);
  const rows = await decodeLatents(Uint8Array.from(await readFile(path)).buffer);
  if (rows.length !== sae.latents)
    throw new InputError(
      `${path}: expected the ${sae.latents} latents of ${sae.where}, found ${rows.length}: run \`culprit attribute ${folder}\` first`,
    );
  const delta = new Float32Array(rows.length);
  for (const row of rows) delta[row.latent] = row.delta;
  return delta;
}

/** What `matchedControls` refuses as a line on study.yaml; any other error as it is. */
function onRandom({ file, config }: OpenStudy, error: unknown): unknown {
  if (!(error instanceof TooFewLatents)) return error;
  const { found } = error;
  return new InputError(
    found === undefined
      ? `${file}: steering.random: expected candidates that are active on the study's texts, found none: is sae.path the dictionary of this model and site?`
      : `${file}: steering.random: expected ${config.steering.random} latents that are active on the study's texts and no candidates, found ${found}: lower steering.random, to ${found} at most, or steering.candidates`,
  );
}

/** The latents to steer, kept in the journal so that a run that goes on does not choose anew. Throws InputError where there are too few, or no pairs. */
async function chosenLatents(
  study: OpenStudy,
  stage: Stage,
  layer: number,
  contrasts: readonly Contrast[],
  journal: Journal<SteeringRecord>,
): Promise<ChosenRecord> {
  const { config, folder, progress } = study;
  const { selectors, candidates, random, seed, gate_pairs } = config.steering;
  const { inputs, options } = stage;
  if (contrasts.length === 0)
    throw new InputError(
      `${join(folder, resultFiles.pairs)}: expected pairs, found none: \`culprit pair ${folder}\` tells why; then run \`culprit attribute ${folder}\` first`,
    );
  const exactContrasts = selectors.some((name) => selectorNamed(name).exact) ? gate_pairs : 0;
  const content = jsonHash([
    [selectors, candidates, random, seed, exactContrasts, options.prompts, config.attribution.tokens],
    [inputs.latents, inputs.pairs, inputs.completions].map((input) => input!.sha256),
  ]);
  const before = journal.records.get('chosen');
  if (before?.kind === 'chosen' && before.content === content) return before;
  const subject = await study.model(config.subject);
  const reference = await study.model(config.reference);
  const { discovery } = await study.prompts();
  const store = await rowStore(join(workFolder(folder), 'steer-baseline'), content);
  const sae = await openSae(config.sae.path);
  const chosen = await chooseLatents({
    runtime: study.runtime(),
    subject: subject.model,
    reference: reference.model,
    sae,
    layer,
    prompts: discovery.map(({ prompt }) => subject.codec.encodePrompt(prompt)),
    contrasts,
    baseline: () => meanOf(study, subject, layer, store),
    tokenSet: config.attribution.tokens,
    delta: await deltaOf(folder, sae),
    selectors,
    candidates,
    random,
    exactContrasts,
    seed,
    progress,
  }).catch((error: unknown) => {
    throw onRandom(study, error);
  });
  await store.remove();
  await journal.append([{ kind: 'chosen', id: 'chosen', content, ...chosen }]);
  return { kind: 'chosen', id: 'chosen', content, ...chosen };
}

/** Trials and log-odds of the finished causal test that were made under the same options: one that asks for others keeps what it has. */
async function finishedRecords(folder: string, stage: Stage): Promise<SteeringRecord[]> {
  const manifest = await readStudyManifest(folder);
  const path = join(folder, resultFiles.steered);
  // What a run was stopped at writing may be of other options than those that are recorded.
  if (manifest === undefined || manifest.writing.includes(stage.name) || !existsSync(path)) return [];
  if (manifest.stages[stage.name]?.options.unit_key !== stage.options.unit_key) return [];
  return readJsonlAll(path, steeredRecord);
}

/** Throws InputError where a prompt has no tokens for the model, or leaves no room for its completion. */
export function encodedPrompts(
  study: OpenStudy,
  { codec, model }: OpenModel,
  prompts: readonly StudyPrompt[],
): SteeringPrompt[] {
  const { max_tokens } = sampledWith(study);
  return prompts.map(({ id, row, prompt }) => {
    const ids = codec.encodePrompt(prompt);
    const where = `${study.config.prompts!.file}: row ${row}: prompt ${quoted(id)}`;
    if (ids.length === 0) throw new InputError(`${where}: the vocabulary has no token of it`);
    if (ids.length + max_tokens > model.decoder.context)
      throw new InputError(
        `${where} has ${ids.length} tokens: with ${max_tokens} tokens of a steered completion it exceeds the ${model.decoder.context} that ${model.where} takes`,
      );
    return { id, prompt, ids };
  });
}

/** Tests, or goes on with it. */
export async function runStudyCausalTest(study: OpenStudy): Promise<StudyCausalTest | { stopped: string }> {
  const { folder, config, progress, clock } = study;
  const stage = await steerStage(study);
  if (await stageIsDone(folder, stage)) return { ...(await readSteering(folder)), upToDate: true };
  await makeWorkFolder(folder);
  const timings = new Timings(clock);
  const journal = await openJournal(journalFile(folder, stage), steeringRecord, ({ id }) => id, {
    clock,
    note: progress.note,
  });
  const before = await finishedRecords(folder, stage);
  await journal.append(before.filter(({ id }) => !journal.records.has(id)));
  const [subject, reference] = [await study.model(config.subject), await study.model(config.reference)];
  const sae = await openSae(config.sae.path);
  const layer = siteFor(sae, config.sae.site, subject.model.decoder.width);
  const { calibration, evaluation } = await study.prompts();
  const prompts = {
    calibration: encodedPrompts(study, subject, calibration),
    evaluation: encodedPrompts(study, subject, evaluation),
  };
  const contrasts = await studyContrasts(study);
  const chosen = await timings.of('selectors', () => chosenLatents(study, stage, layer, contrasts, journal));
  const ranks = ranksOf(chosen.selectors);
  const judge = await openedJudge(study, journal);
  const likelihood = likelihoodUnder(study, layer);
  try {
    const { sides, gate } = await timings.of('steering', () =>
      testCausally({
        runtime: study.runtime(),
        layer,
        dictionary: sae,
        sides: {
          away: { opened: subject, norm: chosen.norm.away },
          toward: { opened: reference, norm: chosen.norm.toward },
        },
        prompts,
        contrasts: contrasts.slice(0, config.steering.gate_pairs),
        candidates: [...ranks.keys()],
        controls: chosen.controls,
        options: optionsOf(study),
        grade: graderOf(judge),
        likelihood: likelihood.of,
        journal,
        progress,
      }),
    );
    const rows = steeringRows(sides, ranks);
    const summary = steeringSummary(sides, rows, {
      behaviour: config.behaviour.name,
      site: `resid_post ${layer}`,
      norm: chosen.norm,
      gate,
      candidates: candidatesOf(chosen.selectors),
      prompts,
    });
    await finish(study, stage, { sides, rows, summary, timings });
    return { rows, summary, upToDate: false };
  } catch (error) {
    if (error instanceof JudgeStopped) return { stopped: error.message };
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
function likelihoodUnder(study: OpenStudy, layer: number): { of: Likelihood; release(): Promise<void> } {
  let loaded: Promise<ReadingPass> | undefined;
  const open = async () =>
    readingPass(study.runtime(), (await study.model(study.config.reference)).model, layer);
  return {
    async of(prompt, completions) {
      loaded ??= open();
      const readings = await (await loaded).read(prompt, completions);
      return readings.map(({ logProbability }) => logProbability);
    },
    async release() {
      await (await loaded?.catch(() => undefined))?.release();
    },
  };
}

interface Finished extends SteeringResult {
  readonly sides: Sides;
  readonly timings: Timings;
}

/** Writes the files, and records the stage as done. */
async function finish(
  { folder, recorder }: OpenStudy,
  stage: Stage,
  { sides, rows, summary, timings }: Finished,
): Promise<void> {
  const trials = trialsOf(sides);
  const counts = {
    latents: new Set(rows.map(({ latent }) => latent)).size,
    trials: trials.length,
    completions: trials.reduce((sum, { completions }) => sum + completions.length, 0),
  };
  await finishStage(folder, stage, { counts, seconds: timings.seconds }, recorder, () =>
    writeSteering(folder, { rows, summary }, steeredOf(sides)),
  );
}
