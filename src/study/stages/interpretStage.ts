/** What the reported latents of a study do and seem to mean: latents/NNN.json, one a latent. Needs the attribution; takes the proof into account where there is one. */

import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { readSafetensorsHeader, readTensor } from '../../files/safetensors.ts';
import { latentGroups } from '../../methods/latentGroups.ts';
import { type LatentLens, type LensEnds, logitLens } from '../../methods/logitLens.ts';
import { cosines, neighbours } from '../../methods/neighbours.ts';
import { directionsOf } from '../../methods/score.ts';
import { sitePass } from '../../methods/siteGradient.ts';
import {
  type CompletionRecord,
  type LatentPage,
  type LatentRow,
  type Lens,
  pairRecord,
} from '../../results.ts';
import type { Sae } from '../../saes/sae.ts';
import { toFloat32 } from '../../tensor.ts';
import { attributionFiles } from '../attributionFiles.ts';
import { jsonHash } from '../hash.ts';
import { type CorpusScan, corpusScan } from '../interpret/corpusScan.ts';
import { labelFiles, readLabels } from '../interpret/labels.ts';
import { type LatentPairsRequest, type PairsInTokens, pairsInTokens } from '../interpret/latentPairs.ts';
import { pageFile, readPage } from '../interpret/pages.ts';
import { pairTokensFile } from '../interpret/pairTokens.ts';
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
  /** files and folders of Neuronpedia's explanations of the dictionary's latents */
  readonly labels: readonly string[];
  /** tokens of them, at most */
  readonly tokens: number;
  readonly passageTokens: number;
  /** latents that are reported, by Δ, beside those that steering has proven */
  readonly latents: number;
}

export const interpretDefaults = { tokens: 200_000, passageTokens: 256, latents: 20 };

/** Of each list of the logit lens; nearest latents; pairs token by token. */
const listed = { lens: 20, neighbours: 10, pairs: 3 };

export interface StudyInterpretation {
  readonly pages: readonly LatentPage[];
  readonly upToDate: boolean;
}

const ownCompletions = "the study's completions";

async function inputsOf(study: OpenStudy, { corpora, labels }: InterpretOptions) {
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
  for (const [i, path] of (await labelFiles(labels)).entries())
    Object.assign(inputs, { [`labels${i}`]: await study.hashed(path) });
  return { inputs, options: baseline.options };
}

async function stageFor(
  study: OpenStudy,
  rows: readonly LatentRow[],
  options: InterpretOptions,
): Promise<Stage> {
  const { corpora, labels, ...numbers } = options;
  const from = await inputsOf(study, options);
  const all = {
    ...numbers,
    ...from.options,
    loss: study.config.attribution.loss,
    site: study.config.sae.site ?? null,
    all_pairs: study.config.pairs.per_prompt === 'all',
  };
  const versions = computing(study.recorder.versions);
  return {
    name: 'interpret',
    key: stageKey({ options: all, inputs: hashesOf(from.inputs), upstream: {}, versions }),
    inputs: from.inputs,
    options: all,
    outputs: [pairTokensFile, ...rows.map(({ latent }) => pageFile(latent))],
  };
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

/** The pairs token by token. */
async function pairsOf(work: Work): Promise<PairsInTokens> {
  const { study, stage, sae, opened, layer, latents, completions } = work;
  const { folder, config, progress } = study;
  const pairs = await readJsonlAll(join(folder, pairsFile), pairRecord);
  const byId = new Map(completions.map((one) => [one.id, one]));
  const store = await rowStore(join(workFolder(folder), 'interpret-mean'), stage.key);
  const baseline = await meanOf(study, opened, layer, store);
  const runtime = study.runtime();
  const pass = await sitePass(runtime, opened.model, layer);
  const request: LatentPairsRequest = {
    runtime,
    pass,
    codec: opened.codec,
    sae,
    contrasts: contrastsOf(pairs, byId, opened.codec, config.pairs.per_prompt === 'all'),
    perContrast: await perContrastOf(folder),
    baseline,
    loss: config.attribution.loss,
    count: listed.pairs,
  };
  const told = progress.stage('Pairs, token by token', request.contrasts.length);
  try {
    return await pairsInTokens(request, latents, () => told.advance());
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
  const labels = await readLabels(await labelFiles(options.labels), latents, sae.latents);
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
      pairs: pairs.byLatent.get(latent)!,
      labels: labels.get(latent)!,
    }),
  );
  return { pages, lines: pairs.lines, scan };
}

/** Makes the pages, or finds them made. Throws InputError where a corpus has no tokens. */
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
  const { pages, lines, scan } = await makePages(await workOn(study, stage, latents), rows, options, timings);
  const counts = { latents: latents.length, tokens: pages[0]?.passages.tokens ?? 0 };
  await finishStage(folder, stage, { counts, seconds: timings.seconds }, study.recorder, async () => {
    await removeOthers(folder, stage);
    await replaceFile(join(folder, pairTokensFile), (file) =>
      file.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
    );
    await mkdir(join(folder, 'latents'), { recursive: true });
    for (const page of pages)
      await replaceFile(join(folder, pageFile(page.latent)), (file) =>
        file.writeFile(`${JSON.stringify(page)}\n`),
      );
  });
  await scan.remove();
  return { pages, upToDate: false };
}
