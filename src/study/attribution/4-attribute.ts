/** Stage 4: the latents behind the positives of the study's pairs. */

import { join } from 'node:path';
import { InputError, NothingToWorkOn } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { integratedSteps } from '../../methods/attribution/integrated.ts';
import { measuredPerWanted } from '../../methods/attribution/reranking.ts';
import { counted, type LatentRow, latentColumns, resultFiles } from '../../results.ts';
import { attributionSection } from '../config/sections/attribution.ts';
import { saidOptions } from '../open/openSae.ts';
import { meanTokens, readLatents, readPairRecords } from '../open/records.ts';
import { type EstimateBasis, hasNeeds, plannedStage, type StageEstimate, studyStage } from '../open/stage.ts';
import { hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { journalProgress } from '../store/journal.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { rowStore, storedOf } from '../store/rowStore.ts';
import { Timings } from '../store/runRecord.ts';
import { type Stage, stageState } from '../store/stageState.ts';
import { attributed } from './attributed.ts';
import { writeAttribution } from './attributionFiles.ts';
import { baselineInputs, baselineSize, checkBaseline, studyBaseline } from './baseline.ts';
import { checkLength } from './contrastRuns.ts';

export interface StudyAttribution {
  /** every latent, first rank first */
  readonly latents: readonly LatentRow[];
  readonly site: string;
  /** as the manifest has them */
  readonly counts: Readonly<Record<string, number>>;
  readonly upToDate: boolean;
}

/** Where an attribution that is not finished keeps its pairs. */
const attributeWork = join(workFolder('.'), 'attribute');
const attributeFolder = (folder: string) => join(folder, attributeWork);
const removalJournal = (folder: string) => join(attributeFolder(folder), 'removal.jsonl');

async function planAttribution(study: OpenStudy): Promise<Stage> {
  const { folder, config, recorder } = study;
  const baseline = await baselineInputs(study);
  const inputs = {
    ...(await study.modelHashes('subject', config.subject)),
    sae: await study.hashedSae(),
    pairs: await hashedNow(join(folder, resultFiles.pairs)),
    completions: await hashedNow(join(folder, resultFiles.completions)),
    ...baseline.inputs,
  };
  const { rank, rank_pairs, ...attribution } = config.attribution;
  const options = {
    ...attribution,
    ...(rank !== 'first-order' && { rank, rank_pairs, rank_wanted: config.steering.candidates }),
    ...(config.sae.site !== undefined && { site: config.sae.site }),
    ...saidOptions(config.sae),
    all_pairs: config.pairs.per_prompt === 'all',
    ...(config.control?.kind === 'random-model' && { weights: `shuffled by ${config.control.seed}` }),
    ...baseline.options,
  };
  const key = stageKey({
    options,
    inputs: hashesOf(inputs),
    versions: { ...computing(recorder.versions), latents: latentColumns.join() },
  });
  return {
    name: 'attribute',
    key,
    inputs,
    options,
    outputs: [resultFiles.latents, resultFiles.attribution],
    work: [attributeWork],
  };
}

/** Why an attribution of this run's pairs cannot begin. */
async function withoutPairs({ folder }: OpenStudy): Promise<string> {
  const old = await isThere(join(folder, resultFiles.latents));
  return `there are no pairs to attribute: \`culprit pair\` says why${old ? `; ${resultFiles.latents} comes from earlier pairs` : ''}`;
}

/** Attributes, or goes on with it. Throws InputError where there are no pairs. */
async function runStudyAttribution(study: OpenStudy): Promise<StudyAttribution> {
  const { folder, config, progress } = study;
  const stage = await planAttribution(study);
  if (await stageIsDone(folder, stage)) {
    const { counts = {} } = (await readStudyManifest(folder))?.stages.attribute ?? {};
    const site = `resid_post ${await study.layer()}`;
    return { latents: await readLatents(folder), site, counts, upToDate: true };
  }
  const pairs = join(folder, resultFiles.pairs);
  const contrasts = await study.contrasts();
  if (contrasts.length === 0)
    throw new NothingToWorkOn(`${pairs}: no pairs to attribute: \`culprit pair\` says why`);
  const opened = await study.rankedModel();
  const { sae, layer } = await study.dictionary();
  const { model } = opened;
  for (const contrast of contrasts) checkLength(contrast, model, pairs);
  await makeWorkFolder(folder);
  const store = await rowStore(attributeFolder(folder), stage.key, {
    clock: study.clock,
    note: progress.note,
    check: study.recorder.check,
  });
  const timings = new Timings(study.clock);
  const baseline = await timings.of('baseline', () => studyBaseline(study, opened, layer, store));
  const { tokens, loss, top, rank, rank_pairs } = config.attribution;
  const { result, evidence, latents, from, counts } = await attributed({
    runtime: study.runtime(),
    model,
    layer,
    sae,
    contrasts,
    baseline,
    tokens,
    loss,
    top,
    rank,
    removal: {
      wanted: config.steering.candidates,
      pairs: rank_pairs,
      journal: removalJournal(folder),
      check: study.recorder.check,
    },
    store,
    timings,
    clock: study.clock,
    progress,
  });
  const outcome = { counts, seconds: timings.seconds };
  await finishStage(folder, stage, outcome, study.recorder, () =>
    writeAttribution(folder, result, evidence, latents, from),
  );
  return { latents, site: `resid_post ${layer}`, counts, upToDate: false };
}

/** Throws InputError where the study's latents are not those of the study as it is now. */
export async function checkAttributed(study: OpenStudy): Promise<void> {
  const { folder } = study;
  const latents = join(folder, resultFiles.latents);
  const { done, problem } = await stageState(folder, await plannedStage(attributeStage, study));
  if (problem !== undefined) throw new InputError(problem);
  if (!done)
    throw new InputError(
      `${latents}: expected the latents of the study as it is now, found ${(await isThere(latents)) ? 'those of other inputs or options' : 'none'}: run \`culprit attribute ${folder}\` first`,
    );
}

/** How many contrasts the study's pairs come to. */
async function contrastsIn({ folder, config }: OpenStudy): Promise<number> {
  if (!(await isThere(join(folder, resultFiles.pairs)))) return 0;
  const pairs = await readPairRecords(folder);
  if (config.pairs.per_prompt !== 'all') return pairs.length;
  return new Set(pairs.map(({ prompt_id }) => prompt_id)).size;
}

/** Seconds that re-ranking by removal will take, from the latents that were measured where some were. */
async function removalSeconds(
  { folder, config }: OpenStudy,
  isOurs: boolean,
  { pairs, pass }: { readonly pairs: number; readonly pass: number },
): Promise<number> {
  const { rank, rank_pairs } = config.attribution;
  const perPass = { 'first-order': 0, exact: 0.5, integrated: 1.5 * integratedSteps }[rank];
  if (perPass === 0) return 0;
  const { done, seconds, timed } = isOurs
    ? await journalProgress(removalJournal(folder))
    : { done: 0, seconds: 0, timed: 0 };
  const each = timed > 0 ? seconds / timed : perPass * Math.min(rank_pairs, pairs) * pass;
  return each * Math.max(0, measuredPerWanted * config.steering.candidates - done);
}

/** A gradient is taken as one and a half further passes; a baseline, as half a pass over its texts. */
async function attributeEstimate(
  study: OpenStudy,
  { prompt, token, status }: EstimateBasis,
): Promise<StageEstimate> {
  const { pairs, sampling, prompts } = study.config;
  const all = pairs.per_prompt === 'all';
  const asked = (prompts?.discovery ?? 0) * (pairs.per_prompt === 'all' ? 1 : pairs.per_prompt);
  const units = status.done + status.left;
  const most = units > 0 ? units : Math.min(pairs.limit, asked);
  const left = units > 0 ? status.left : most;
  const completion = await meanTokens(study.folder, sampling.max_tokens);
  const pass = (prompt + (all ? sampling.completions : 2) * completion) * token;
  const planned = (await hasNeeds(attributeStage, study)) ? await planAttribution(study) : undefined;
  const stored = planned && (await storedOf(attributeFolder(study.folder), planned.key));
  const baseline = stored?.mean ? 0 : ((await baselineSize(study)) / 2) * token;
  return {
    seconds: left * 2.5 * pass,
    besides: baseline + (await removalSeconds(study, stored !== undefined, { pairs: most, pass })),
    note: `at most ${counted(most, 'pair')}`,
  };
}

export const attributeStage = studyStage({
  name: 'attribute',
  about: 'the latents behind the positives',
  needs: [resultFiles.pairs, resultFiles.completions],
  outputs: [resultFiles.latents, resultFiles.attribution],
  section: attributionSection,
  plan: planAttribution,
  async check(study) {
    const { layer } = await study.dictionary();
    await checkBaseline(study, layer);
  },
  async run(study, { pair }) {
    if ((pair as { readonly pairs: readonly unknown[] } | undefined)?.pairs.length === 0)
      return { stopped: { reason: await withoutPairs(study), spent: false } };
    return { result: await runStudyAttribution(study) };
  },
  async units(study, planned) {
    if (planned === undefined) return { units: 0 };
    const units = await contrastsIn(study);
    const stored = await storedOf(attributeFolder(study.folder), planned.key);
    return { units, kept: Math.min(stored?.rows ?? 0, units), timedIn: stored?.times };
  },
  estimate: attributeEstimate,
});
