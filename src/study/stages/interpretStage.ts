/** What the reported latents of a study do and seem to mean: latents/NNN.json, one a latent. Needs the attribution; takes the proof into account where there is one. */

import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { readSafetensorsHeader, readTensor } from '../../files/safetensors.ts';
import { latentGroups } from '../../methods/latentGroups.ts';
import { directionsOf, type LatentLens, type LensEnds, logitLens } from '../../methods/logitLens.ts';
import { cosines, neighbours } from '../../methods/neighbours.ts';
import { sitePass } from '../../methods/siteGradient.ts';
import {
  type CompletionRecord,
  type LatentPage,
  type LatentPair,
  type LatentRow,
  type Lens,
  pairRecord,
} from '../../results.ts';
import type { Sae } from '../../saes/sae.ts';
import { toFloat32 } from '../../tensor.ts';
import { attributionFiles } from '../attributionFiles.ts';
import { type ExplainerConfig, interpretDefaults } from '../config/interpretSchema.ts';
import { jsonHash } from '../hash.ts';
import { type CorpusScan, corpusScan } from '../interpret/corpusScan.ts';
import { explainPages, explanationsFile } from '../interpret/explainPages.ts';
import { dropPages, keepPages, pageFile, pagesBefore, readPage } from '../interpret/keptPages.ts';
import { type LatentPairsRequest, latentPairs, pairsToRun } from '../interpret/latentPairs.ts';
import { explainerOf } from '../interpret/openExplainer.ts';
import { reportedLatents } from '../interpret/reported.ts';
import { Timings } from '../manifest.ts';
import type { OpenModel } from '../openModel.ts';
import { openSae, siteFor } from '../openSae.ts';
import { rowStore } from '../rowStore.ts';
import { steeringFiles } from '../steering/steeringFiles.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import type { Stage } from '../store/stageState.ts';
import { finishStage, stageIsDone } from '../store/stages.ts';
import { baselineInputs, meanOf } from './baseline.ts';
import { contrastsOf } from './contrasts.ts';
import { readCompletions } from './gradeStage.ts';
import { pairsFile } from './pairStage.ts';
import { completionsFile } from './sampleStage.ts';
import { hashedNow, hashesOf, type OpenStudy } from './study.ts';
import { computing } from './units.ts';

export interface InterpretOptions {
  /** texts that the subject reads; where none are named, the study's own completions */
  readonly corpora: readonly string[];
  /** tokens of them, at most */
  readonly tokens: number;
  readonly passageTokens: number;
  /** latents that are reported, by Δ, beside those that steering has proven */
  readonly latents: number;
  /** what explains them; none where it is undefined */
  readonly explainer: ExplainerConfig | undefined;
}

/** As study.yaml says, or else the defaults. */
export function interpretOptions({ config }: Pick<OpenStudy, 'config'>): InterpretOptions {
  const { corpus = [], tokens, passage_tokens, latents, explainer } = config.interpret ?? interpretDefaults;
  return { corpora: corpus, tokens, passageTokens: passage_tokens, latents, explainer };
}

/** Of each list of the logit lens; nearest latents; pairs token by token. */
const listed = { lens: 20, neighbours: 10, pairs: 3 };

export interface StudyInterpretation {
  readonly pages: readonly LatentPage[];
  readonly upToDate: boolean;
  /** Why not all are explained, where they were to be: what is done is kept. */
  readonly stopped?: string;
}

const ownCompletions = "the study's completions";

async function inputsOf(study: OpenStudy, corpora: readonly string[]) {
  const { folder, config } = study;
  const proof = join(folder, steeringFiles.rows);
  const baseline = await baselineInputs(study);
  const inputs = {
    ...(await study.modelHashes('subject', config.subject)),
    sae: await study.hashed(config.sae.path),
    latents: await hashedNow(join(folder, attributionFiles.latents)),
    arrays: await hashedNow(join(folder, attributionFiles.arrays)),
    pairs: await hashedNow(join(folder, pairsFile)),
    completions: await hashedNow(join(folder, completionsFile)),
    ...(existsSync(proof) && { steering: await hashedNow(proof) }),
    ...baseline.inputs,
  };
  for (const [i, path] of corpora.entries())
    Object.assign(inputs, { [`corpus${i}`]: await study.hashed(path) });
  return { inputs, options: baseline.options };
}

/** Whether the study holds replies that were paid for: they stay when no explanation is asked for. */
async function hasReplies(folder: string): Promise<boolean> {
  const made = (await readStudyManifest(folder))?.stages.interpret?.outputs ?? {};
  return explanationsFile in made && existsSync(join(folder, explanationsFile));
}

/** The stage, and the hash of what its pages depend on beside their explanations. */
async function stageFor(
  study: OpenStudy,
  rows: readonly LatentRow[],
  options: InterpretOptions,
): Promise<Stage & { readonly evidenceKey: string }> {
  const { corpora, explainer, ...numbers } = options;
  const from = await inputsOf(study, corpora);
  const all = {
    ...numbers,
    ...from.options,
    loss: study.config.attribution.loss,
    site: study.config.sae.site ?? null,
    all_pairs: study.config.pairs.per_prompt === 'all',
  };
  const versions = computing(study.recorder.versions);
  const evidenceKey = stageKey({ options: all, inputs: hashesOf(from.inputs), upstream: {}, versions });
  const by = explainer && (await explainerOf(study, explainer).fingerprint());
  const withReplies = by !== undefined || (await hasReplies(study.folder));
  return {
    name: 'interpret',
    key: by ? jsonHash([evidenceKey, by.key]) : evidenceKey,
    journalKey: by?.key,
    evidenceKey,
    inputs: { ...from.inputs, ...by?.inputs },
    options: { ...all, evidence_key: evidenceKey, ...(by && { explainer: by.key }) },
    outputs: [...rows.map(({ latent }) => pageFile(latent)), ...(withReplies ? [explanationsFile] : [])],
  };
}

/** The stage as study.yaml has it. */
export async function interpretStage(study: OpenStudy): Promise<Stage> {
  const options = interpretOptions(study);
  return stageFor(study, await reportedLatents(study.folder, options.latents), options);
}

/** Δ of each contrast alone [P, N]. */
async function perContrastOf(folder: string): Promise<Float32Array> {
  const path = join(folder, attributionFiles.arrays);
  const found = (await readSafetensorsHeader(path)).tensors.get('delta_per_pair');
  if (found === undefined)
    throw new InputError(`${path}: expected a tensor named delta_per_pair, found none`);
  return toFloat32(await readTensor(found));
}

/** Pages that an earlier run has written of latents that are reported no more. */
async function removeOthers(folder: string, { name, outputs }: Stage): Promise<void> {
  const before = Object.keys((await readStudyManifest(folder))?.stages[name]?.outputs ?? {});
  for (const file of before.filter((one) => !outputs.includes(one)))
    await rm(join(folder, file), { force: true });
}

interface Work {
  readonly study: OpenStudy;
  readonly stage: Stage;
  readonly sae: Sae;
  readonly opened: OpenModel;
  readonly layer: number;
  readonly latents: readonly number[];
  readonly completions: readonly CompletionRecord[];
}

async function workOn(study: OpenStudy, stage: Stage, latents: readonly number[]): Promise<Work> {
  const sae = await openSae(study.config.sae.path);
  const opened = await study.model(study.config.subject);
  const layer = siteFor(sae, study.config.sae.site, opened.model.decoder.width);
  return { study, stage, sae, opened, layer, latents, completions: await readCompletions(study.folder) };
}

/** Where the latents are active: in the corpora, or in the study's own completions. */
function passagesOf(work: Work, { corpora, tokens, passageTokens }: InterpretOptions): Promise<CorpusScan> {
  const { study, stage, sae, opened, layer, latents, completions } = work;
  const { codec, model } = opened;
  const own = () =>
    completions.map(({ prompt, ids, text }) => [
      ...codec.encodePrompt(prompt),
      ...(ids ?? codec.tokenizer.encode(text)),
    ]);
  return corpusScan(study.runtime(), {
    model,
    codec,
    sae,
    layer,
    latents,
    passages: corpora.length > 0 ? { corpora } : { ids: own() },
    tokens,
    passageTokens,
    folder: join(workFolder(study.folder), 'interpret'),
    key: jsonHash([stage.key, latents]),
    clock: study.clock,
    progress: study.progress,
  });
}

/** The pairs that count most for each latent, token by token. */
async function pairsOf(work: Work): Promise<Map<number, LatentPair[]>> {
  const { study, stage, sae, opened, layer, latents, completions } = work;
  const { folder, config, progress } = study;
  const pairs = await readJsonlAll(join(folder, pairsFile), pairRecord);
  const byId = new Map(completions.map((one) => [one.id, one]));
  const store = await rowStore(join(workFolder(folder), 'interpret-mean'), stage.key);
  const baseline = await meanOf(study, opened, layer, store);
  const pass = await sitePass(study.runtime(), opened.model, layer);
  const request: LatentPairsRequest = {
    pass,
    codec: opened.codec,
    sae,
    contrasts: contrastsOf(pairs, byId, opened.codec, config.pairs.per_prompt === 'all'),
    perContrast: await perContrastOf(folder),
    baseline,
    loss: config.attribution.loss,
    count: listed.pairs,
  };
  const told = progress.stage('Pairs, token by token', pairsToRun(request, latents));
  try {
    return await latentPairs(request, latents, () => told.advance());
  } finally {
    told.end();
    await pass.release();
    await store.remove();
  }
}

/** The other latents of each one's group, itself among them; none where it stands alone. */
async function groupsOf({ sae, latents }: Work, scan: CorpusScan): Promise<number[][]> {
  const groups = latentGroups({
    cosine: cosines(await directionsOf(sae, latents), latents.length),
    both: scan.both,
    active: scan.latents.map(({ active }) => active),
  });
  return latents.map(
    (_, i) => groups.find(({ members }) => members.includes(i))?.members.map((at) => latents[at]!) ?? [],
  );
}

/** The lens with its tokens' texts. */
function withTokens({ cosine, dot }: LatentLens, textOf: (id: number) => string): Lens {
  const named = (entries: LensEnds['top']) => entries.map((entry) => ({ ...entry, token: textOf(entry.id) }));
  const ends = ({ top, bottom }: LensEnds) => ({ top: named(top), bottom: named(bottom) });
  return { cosine: ends(cosine), dot: ends(dot) };
}

async function makePages(
  work: Work,
  rows: readonly LatentRow[],
  options: InterpretOptions,
  timings: Timings,
) {
  const { study, sae, opened, layer, latents } = work;
  const { model, codec } = opened;
  study.progress.note(`Logit lens and neighbours of ${latents.length} latents`);
  const lens = await timings.of('lens', () => logitLens(study.runtime(), model, sae, latents, listed.lens));
  const near = await timings.of('lens', () => neighbours(study.runtime(), sae, latents, listed.neighbours));
  const scan = await timings.of('passages', () => passagesOf(work, options));
  const groups = await groupsOf(work, scan);
  const pairs = await timings.of('pairs', () => pairsOf(work));
  const textOf = (id: number) => codec.tokenizer.tokenText(id);
  const pages = rows.map(
    ({ latent, delta, rank, standard_error, same_sign }, i): LatentPage => ({
      latent,
      site: `resid_post ${layer}`,
      behaviour: study.config.behaviour.name,
      delta,
      rank,
      standard_error,
      same_sign,
      lens: withTokens(lens[i]!, textOf),
      neighbours: near[i]!,
      group: groups[i]!,
      corpora: options.corpora.length > 0 ? [...options.corpora] : [ownCompletions],
      passages: scan.latents[i]!,
      pairs: pairs.get(latent)!,
      explanation: null,
    }),
  );
  return { pages, scan };
}

/** The pages without explanations, found or made. */
async function evidencePages(
  study: OpenStudy,
  stage: Stage & { readonly evidenceKey: string },
  rows: readonly LatentRow[],
  options: InterpretOptions,
  timings: Timings,
): Promise<LatentPage[]> {
  const { folder } = study;
  const latents = rows.map(({ latent }) => latent);
  const before = await pagesBefore(folder, stage.evidenceKey, latents);
  if (before !== undefined) return before;
  const { pages, scan } = await makePages(
    await workOn(study, { ...stage, key: stage.evidenceKey }, latents),
    rows,
    options,
    timings,
  );
  const made = await keepPages(folder, stage.evidenceKey, pages);
  await scan.remove();
  return made;
}

/** Makes the pages, or finds them made. Throws InputError where a corpus has no tokens, and where an explainer cannot work. */
export async function runInterpret(
  study: OpenStudy,
  options: InterpretOptions,
): Promise<StudyInterpretation> {
  const { folder } = study;
  const rows = await reportedLatents(folder, options.latents);
  const stage = await stageFor(study, rows, options);
  const latents = rows.map(({ latent }) => latent);
  if (await stageIsDone(folder, stage))
    return { pages: await Promise.all(latents.map((latent) => readPage(folder, latent))), upToDate: true };
  await makeWorkFolder(folder);
  const timings = new Timings(study.clock);
  const plain = await evidencePages(study, stage, rows, options, timings);
  const explained = options.explainer && (await explainPages(study, stage, options.explainer, plain));
  const { pages, stopped } = explained ?? { pages: plain, stopped: undefined };
  const counts = { latents: latents.length, tokens: pages[0]?.passages.tokens ?? 0, ...explained?.counts };
  const seconds = { ...timings.seconds, ...(explained && { explain: explained.seconds }) };
  // What is there of a stage that was stopped stands under a key that no whole one has.
  const key = stopped === undefined ? stage.key : jsonHash([stage.key, 'stopped']);
  await finishStage(folder, { ...stage, key }, { counts, seconds }, study.recorder, async () => {
    await removeOthers(folder, stage);
    await mkdir(join(folder, 'latents'), { recursive: true });
    for (const page of pages)
      await replaceFile(join(folder, pageFile(page.latent)), (file) =>
        file.writeFile(`${JSON.stringify(page)}\n`),
      );
    await explained?.write();
  });
  await dropPages(folder);
  return { pages, upToDate: false, ...(stopped !== undefined && { stopped }) };
}
