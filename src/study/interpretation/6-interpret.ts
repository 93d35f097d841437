/**
 * What the reported latents of a study do and seem to mean: latents/NNN.json, one a latent. Needs the
 * attribution; takes the causal test into account where there is one.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { readSafetensorsHeader, readTensor } from '../../files/safetensors.ts';
import {
  counted,
  type LatentPage,
  type LatentRow,
  pageFile,
  pagesFolder,
  resultFiles,
} from '../../results.ts';
import { toFloat32 } from '../../tensor.ts';
import { checkAttributed } from '../attribution/4-attribute.ts';
import { baselineInputs, studyBaseline } from '../attribution/baseline.ts';
import { leftToTheStudy } from '../config/schema.ts';
import {
  type ExplainerConfig,
  interpretDefaults,
  interpretSection,
  type Reader,
} from '../config/sections/interpret.ts';
import { callSeconds, replyTokens } from '../judging/callCosts.ts';
import { saidOptions } from '../open/openSae.ts';
import { meanTokens } from '../open/records.ts';
import { hasNeeds, type StageOutcome, studyStage } from '../open/stage.ts';
import { completionIds } from '../open/stopTexts.ts';
import { type Hashed, hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { rowStore } from '../store/rowStore.ts';
import { Timings } from '../store/runRecord.ts';
import type { Stage } from '../store/stageState.ts';
import { corpusSize } from './corpusScan.ts';
import { makeEvidence, type PageEvidence } from './evidence.ts';
import { explainPages, mostQuestions } from './explainPages.ts';
import { evidenceBefore, evidenceFile, keepEvidence } from './keptEvidence.ts';
import { keptRepliesFile } from './keptExplainer.ts';
import { labelFiles, readLabels } from './labels.ts';
import { explainerOf } from './openExplainer.ts';
import { readPage, writeEvidence } from './pages.ts';
import { reportedLatents } from './reported.ts';

export interface InterpretOptions {
  /** texts that are read; where none are named, the study's own completions */
  readonly corpora: readonly string[];
  /** files and folders of Neuronpedia's explanations of the dictionary's latents */
  readonly labels: readonly string[];
  /** which model reads them; pairs are the subject's in any case */
  readonly reader: Reader;
  /** tokens of them, at most */
  readonly tokens: number;
  readonly passageTokens: number;
  /** latents that are reported, by Δ, beside those that steering has confirmed */
  readonly latents: number;
  /** what explains them; none where it is undefined */
  readonly explainer: ExplainerConfig | undefined;
}

/** As study.yaml says, or else the defaults. */
export function interpretOptions({ config }: Pick<OpenStudy, 'config'>): InterpretOptions {
  const {
    corpus = [],
    labels = [],
    reader,
    tokens,
    passage_tokens,
    latents,
    explainer,
  } = config.interpret ?? interpretDefaults;
  return { corpora: corpus, labels, reader, tokens, passageTokens: passage_tokens, latents, explainer };
}

export interface StudyInterpretation {
  readonly pages: readonly LatentPage[];
  readonly upToDate: boolean;
}

/** What an interpretation that is not finished keeps, in the study's folder. */
const work = { mean: join(workFolder('.'), 'interpret-mean'), scan: join(workFolder('.'), 'interpret') };

const ownCompletions = "the study's completions";

async function inputsOf(study: OpenStudy, corpora: readonly string[], reader: Reader) {
  const { folder, config } = study;
  const causalTest = join(folder, resultFiles.steering);
  const baseline = await baselineInputs(study);
  const inputs = {
    ...(await study.modelHashes('subject', config.subject)),
    ...(reader === 'reference' && (await study.modelHashes('reference', config.reference))),
    sae: await study.hashedSae(),
    latents: await hashedNow(join(folder, resultFiles.latents)),
    arrays: await hashedNow(join(folder, resultFiles.attribution)),
    pairs: await hashedNow(join(folder, resultFiles.pairs)),
    completions: await hashedNow(join(folder, resultFiles.completions)),
    ...((await isThere(causalTest)) && { steering: await hashedNow(causalTest) }),
    ...baseline.inputs,
  };
  for (const [i, path] of corpora.entries())
    Object.assign(inputs, { [`corpus${i}`]: await study.hashed(path) });
  return { inputs, options: baseline.options };
}

/** Whether the study holds replies that were paid for: they stay when no explanation is asked for. */
async function hasReplies(folder: string): Promise<boolean> {
  const made = (await readStudyManifest(folder))?.stages.interpret?.outputs ?? {};
  return resultFiles.explanations in made && (await isThere(join(folder, resultFiles.explanations)));
}

/** The stage, and the hash of what its pages depend on beside labels and explanations. */
async function stageFor(
  study: OpenStudy,
  rows: readonly LatentRow[],
  options: InterpretOptions,
): Promise<InterpretStage> {
  const { corpora, labels, explainer, reader, ...numbers } = options;
  const from = await inputsOf(study, corpora, reader);
  const given: Record<string, Hashed> = {};
  for (const [i, path] of (await labelFiles(labels)).entries())
    given[`labels${i}`] = await study.hashed(path);
  const all = {
    ...numbers,
    reader,
    ...from.options,
    loss: study.config.attribution.loss,
    site: study.config.sae.site ?? null,
    ...saidOptions(study.config.sae),
    all_pairs: study.config.pairs.per_prompt === 'all',
  };
  const versions = computing(study.recorder.versions);
  const evidenceKey = stageKey({ options: all, inputs: hashesOf(from.inputs), versions });
  const by = explainer && (await explainerOf(study, explainer).fingerprint());
  const withReplies = by !== undefined || (await hasReplies(study.folder));
  return {
    name: 'interpret',
    key: jsonHash([evidenceKey, by?.key ?? null, hashesOf(given)]),
    journalKey: by?.key,
    evidenceKey,
    inputs: { ...from.inputs, ...given, ...by?.inputs },
    options: { ...all, evidence_key: evidenceKey, ...(by && { explainer: by.key }) },
    outputs: [
      resultFiles.pairTokens,
      ...rows.map(({ latent }) => pageFile(latent)),
      ...(withReplies ? [resultFiles.explanations] : []),
    ],
    ...(by && { kept: [keptRepliesFile(study.folder, by.key)] }),
    work: [work.mean, work.scan, evidenceFile('.')],
  };
}

/** Δ of each contrast alone [P, N]. */
async function perContrastOf(folder: string): Promise<Float32Array> {
  const path = join(folder, resultFiles.attribution);
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

type InterpretStage = Stage & { readonly evidenceKey: string };

/** Evidence of the latents, found or made. */
async function evidenceOf(
  study: OpenStudy,
  stage: InterpretStage,
  rows: readonly LatentRow[],
  { corpora, reader, tokens, passageTokens }: InterpretOptions,
  timings: Timings,
): Promise<PageEvidence> {
  const { folder, config, clock, progress } = study;
  const key = stage.evidenceKey;
  const latents = rows.map(({ latent }) => latent);
  const before = await evidenceBefore(folder, key, latents);
  if (before !== undefined) return before;
  const opened = await study.model(config.subject);
  const { codec } = opened;
  const { sae, layer } = await study.dictionary();
  const completions = await study.completions();
  const own = () =>
    completions.map((record) => [...codec.encodePrompt(record.prompt), ...completionIds(codec, record)]);
  const store = await rowStore(join(folder, work.mean), key, {
    clock,
    note: progress.note,
    check: study.recorder.check,
  });
  const made = await makeEvidence({
    runtime: study.runtime(),
    opened,
    reader: await study.model(config[reader]),
    sae,
    layer,
    rows,
    behaviour: config.behaviour.name,
    passages: corpora.length > 0 ? { corpora } : { ids: own() },
    corpora: corpora.length > 0 ? corpora : [ownCompletions],
    tokens,
    passageTokens,
    contrasts: await study.contrasts(),
    perContrast: await perContrastOf(folder),
    baseline: await timings.of('baseline', () => studyBaseline(study, opened, layer, store)),
    loss: config.attribution.loss,
    folder: join(folder, work.scan),
    key: jsonHash([key, latents]),
    clock,
    progress,
  });
  Object.assign(timings.seconds, made.seconds);
  await study.recorder.check?.();
  const kept = await keepEvidence(folder, key, made);
  await made.remove();
  await store.remove();
  return kept;
}

/** With what Neuronpedia says of them. */
async function labelled(
  study: OpenStudy,
  pages: readonly LatentPage[],
  paths: readonly string[],
): Promise<LatentPage[]> {
  const latents = pages.map(({ latent }) => latent);
  const labels = await readLabels(await labelFiles(paths), latents, (await study.sae()).latents);
  return pages.map((page) => ({ ...page, labels: labels.get(page.latent)! }));
}

/**
 * Makes the pages, or finds them made. Throws InputError where a corpus has no tokens, and where an
 * explainer cannot work.
 */
export async function runInterpret(
  study: OpenStudy,
  options: InterpretOptions,
): Promise<StageOutcome<StudyInterpretation>> {
  const { folder } = study;
  const rows = await reportedLatents(folder, options.latents);
  const stage = await stageFor(study, rows, options);
  const latents = rows.map(({ latent }) => latent);
  if (await stageIsDone(folder, stage))
    return {
      result: { pages: await Promise.all(latents.map((latent) => readPage(folder, latent))), upToDate: true },
    };
  await makeWorkFolder(folder);
  const timings = new Timings(study.clock);
  const evidence = await evidenceOf(study, stage, rows, options, timings);
  const plain = await labelled(study, evidence.pages, options.labels);
  const explained = options.explainer && (await explainPages(study, stage, options.explainer, plain));
  const { pages, stopped } = explained ?? { pages: plain, stopped: undefined };
  const counts = { latents: latents.length, tokens: pages[0]?.passages.tokens ?? 0, ...explained?.counts };
  const seconds = { ...timings.seconds, ...(explained && { explain: explained.seconds }) };
  // What is there of a stage that was stopped stands under a key that no whole one has.
  const key = stopped === undefined ? stage.key : jsonHash([stage.key, 'stopped']);
  await finishStage(folder, { ...stage, key }, { counts, seconds }, study.recorder, async () => {
    await removeOthers(folder, stage);
    await writeEvidence(folder, { pages, lines: evidence.lines });
    await explained?.write();
  });
  return {
    result: { pages, upToDate: false },
    stopped: stopped === undefined ? undefined : { reason: stopped, spent: true },
  };
}

/** Questions to an explainer, at most: confirmed latents come to those that study.yaml asks for. */
function questionsOf(study: OpenStudy): number {
  const { latents, explainer } = interpretOptions(study);
  return explainer ? latents * mostQuestions : 0;
}

/** Tokens of a question to an explainer. */
const questionTokens = 700;

function priceOf(study: OpenStudy, finished: boolean): number | undefined {
  const { explainer } = interpretOptions(study);
  if (explainer?.kind !== 'chat' || explainer.price === undefined) return undefined;
  if (finished) return 0;
  const { input, output } = explainer.price;
  return (questionsOf(study) * (questionTokens * input + replyTokens * output)) / 1e6;
}

/** Tokens of the study's own completions with their prompts, as far as they are known. */
async function ownTokens({ folder, config }: OpenStudy, prompt: number): Promise<number> {
  const { sampling, prompts } = config;
  if (prompts === undefined) return Number.POSITIVE_INFINITY;
  const completion = await meanTokens(folder, sampling.max_tokens);
  return Math.round(prompts.discovery * sampling.completions * (prompt + completion));
}

/** Tokens that are to be read: of the texts there are, as many as study.yaml allows. */
async function tokensToRead(study: OpenStudy, prompt: number): Promise<number> {
  const { corpora, tokens, reader, passageTokens } = interpretOptions(study);
  if (corpora.length === 0) return Math.min(tokens, await ownTokens(study, prompt));
  const { codec, model } = await study.model(study.config[reader]);
  return corpusSize({ codec, model, passages: { corpora }, passageTokens, tokens });
}

/** Whether the texts were read already, and what was found in them is kept. */
async function isRead(study: OpenStudy): Promise<boolean> {
  if (!(await hasNeeds(interpretStage, study))) return false;
  const options = interpretOptions(study);
  const rows = await reportedLatents(study.folder, options.latents);
  const { evidenceKey } = await stageFor(study, rows, options);
  const latents = rows.map(({ latent }) => latent);
  return (await evidenceBefore(study.folder, evidenceKey, latents)) !== undefined;
}

export const interpretStage = studyStage({
  name: 'interpret',
  about: 'what the first latents mean, if study.yaml has a section for it',
  needs: [resultFiles.latents, resultFiles.pairs, resultFiles.completions],
  outputs: [resultFiles.pairTokens, `${pagesFolder}/NNN.json`, resultFiles.explanations],
  section: interpretSection,
  skip: ({ config }) =>
    leftToTheStudy(config) ??
    (config.interpret === undefined ? 'study.yaml has no section interpret' : undefined),
  async plan(study) {
    const options = interpretOptions(study);
    return stageFor(study, await reportedLatents(study.folder, options.latents), options);
  },
  async check(study) {
    const { corpora, explainer } = interpretOptions(study);
    for (const path of corpora) await study.hashed(path);
    if (explainer) await explainerOf(study, explainer).check();
  },
  async run(study) {
    await checkAttributed(study);
    return runInterpret(study, interpretOptions(study));
  },
  async units(study) {
    const { explainer } = interpretOptions(study);
    const side = explainer?.kind === 'chat' ? explainer.concurrency : 1;
    return {
      units: questionsOf(study),
      bound: 'at most',
      abreast: { units: side, firstAlone: true },
    };
  },
  async estimate(study, { prompt, token, status }) {
    const { latents, explainer } = interpretOptions(study);
    const tokens = await tokensToRead(study, prompt);
    const questions = questionsOf(study);
    const each =
      explainer?.kind === 'chat' ? callSeconds / explainer.concurrency : 5 * questionTokens * token;
    const asked = questions > 0 ? `, at most ${counted(questions, 'question')} to the explainer` : '';
    return {
      seconds: status.left * each,
      besides: (await isRead(study)) ? 0 : tokens * token,
      price: priceOf(study, status.finished),
      note: `${counted(latents, 'latent')} in ${counted(tokens, 'token')}${asked}`,
    };
  },
});
