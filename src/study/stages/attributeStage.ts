/** Stage 4: the latents behind the positives of the study's pairs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { encodePair } from '../../files/pairs.ts';
import type { TextCodec } from '../../files/textCodec.ts';
import { attribute } from '../../methods/attribute.ts';
import type { Contrast } from '../../methods/contrast.ts';
import { checkSite } from '../../models/passes.ts';
import { decodeLatents, type LatentRow } from '../../results.ts';
import { readBaseline } from '../attributeRun.ts';
import { attributionFiles, latentRows, writeAttribution } from '../attributionFiles.ts';
import { corpusBaseline, corpusTokens, withinLimits } from '../baselineRun.ts';
import { allRows, checkLength, rowCounts } from '../contrastRuns.ts';
import { jsonHash } from '../hash.ts';
import { Timings } from '../manifest.ts';
import type { OpenModel } from '../openModel.ts';
import { openSae, siteFor, trainedLayer } from '../openSae.ts';
import { type CompletionRecord, imported, type Prompt } from '../records.ts';
import { type RowStore, rowStore } from '../rowStore.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { stageKey } from '../store/key.ts';
import type { Stage } from '../store/stageState.ts';
import { finishStage, stageIsDone } from '../store/stages.ts';
import { readCompletions } from './gradeStage.ts';
import { type PairRecord, pairRecord, pairsFile } from './pairStage.ts';
import { completionsFile, idsFit } from './sampleStage.ts';
import { type Hashed, hashedNow, hashesOf, type OpenStudy } from './study.ts';
import { computing } from './units.ts';

export interface StudyAttribution {
  /** every latent, first rank first */
  readonly latents: readonly LatentRow[];
  readonly site: string;
  readonly upToDate: boolean;
}

/** The prompts of the study: of its file, or of the completions where those were imported. */
async function allPrompts(study: OpenStudy): Promise<Prompt[]> {
  const completions = await readCompletions(study.folder);
  if (completions.some(({ model }) => model === imported))
    return [...new Map(completions.map(({ prompt_id, prompt }) => [prompt_id, prompt])).values()];
  const { discovery, evaluation, others } = await study.prompts();
  return [...discovery, ...evaluation, ...others].map(({ prompt }) => prompt);
}

/** What the baseline is taken from: a file of it, a corpus, or the study's own prompts. */
async function baselineInputs(study: OpenStudy): Promise<{
  readonly inputs: Record<string, Hashed>;
  readonly options: Record<string, string | number>;
}> {
  const { baseline } = study.config;
  if (baseline === undefined)
    return {
      inputs: {},
      options: { baseline: 'prompts', baseline_prompts: jsonHash(await allPrompts(study)) },
    };
  if ('file' in baseline) return { inputs: { baseline: await study.hashed(baseline.file) }, options: {} };
  return {
    inputs: { baselineCorpus: await study.hashed(baseline.corpus) },
    options: { baseline_tokens: baseline.max_tokens },
  };
}

/** Tokens of the study's prompts, within the limits of a corpus. */
async function promptTokens(study: OpenStudy, { model, codec }: OpenModel): Promise<number[][]> {
  const { passages, add } = withinLimits({}, model);
  for (const prompt of await allPrompts(study)) if (!add(codec.encodePrompt(prompt))) break;
  return passages;
}

async function meanOf(
  study: OpenStudy,
  opened: OpenModel,
  layer: number,
  store: RowStore,
): Promise<Float32Array> {
  const { baseline } = study.config;
  const { model } = opened;
  if (baseline !== undefined && 'file' in baseline)
    return readBaseline(baseline.file, model.decoder.width, layer);
  return store.mean(async () => {
    const passages =
      baseline === undefined
        ? await promptTokens(study, opened)
        : await corpusTokens(baseline.corpus, opened, { maxTokens: baseline.max_tokens });
    return (await corpusBaseline(study.runtime(), model, layer, passages, study.progress)).mean;
  });
}

/** One contrast for each pair, or for each prompt where all its positives go with all its negatives. */
function contrastsOf(
  pairs: readonly PairRecord[],
  completions: ReadonlyMap<string, CompletionRecord>,
  codec: TextCodec,
  all: boolean,
): Contrast[] {
  // A sampled completion's own ids: the same text may be other tokens. What was imported, or edited by hand, is tokenised.
  const ownIds = (id: string, text: string) => {
    const found = completions.get(id);
    return found?.text === text && idsFit(codec, found) ? found.ids : undefined;
  };
  const idsOf = (pair: PairRecord) => {
    const positive = ownIds(pair.positive_id, pair.positive);
    const negative = ownIds(pair.negative_id, pair.negative);
    if (positive && negative) return { prompt: codec.encodePrompt(pair.prompt), positive, negative };
    const encoded = encodePair(codec, {
      ...pair,
      positiveEnded: pair.positive_ended,
      negativeEnded: pair.negative_ended,
    });
    return {
      prompt: encoded.promptIds,
      positive: positive ?? encoded.positiveIds,
      negative: negative ?? encoded.negativeIds,
    };
  };
  if (!all)
    return pairs.map((pair) => {
      const { prompt, positive, negative } = idsOf(pair);
      return { id: pair.id, prompt, positives: [positive], negatives: [negative] };
    });
  const groups = new Map<
    string,
    { prompt: number[]; positives: Map<string, number[]>; negatives: Map<string, number[]> }
  >();
  for (const pair of pairs) {
    const ids = idsOf(pair);
    const group = groups.get(pair.prompt_id) ?? {
      prompt: ids.prompt,
      positives: new Map(),
      negatives: new Map(),
    };
    group.positives.set(pair.positive_id, ids.positive);
    group.negatives.set(pair.negative_id, ids.negative);
    groups.set(pair.prompt_id, group);
  }
  return [...groups].map(([id, { prompt, positives, negatives }]) => ({
    id,
    prompt,
    positives: [...positives.values()],
    negatives: [...negatives.values()],
  }));
}

/** Where an attribution that is not finished keeps its pairs. */
export const attributeFolder = (folder: string) => join(workFolder(folder), 'attribute');

export async function attributeStage(study: OpenStudy): Promise<Stage> {
  const { folder, config, hashed, recorder } = study;
  const baseline = await baselineInputs(study);
  const inputs = {
    ...(await study.modelHashes('subject', config.subject)),
    sae: await hashed(config.sae.path),
    pairs: await hashedNow(join(folder, pairsFile)),
    completions: await hashedNow(join(folder, completionsFile)),
    ...baseline.inputs,
  };
  const options = {
    ...config.attribution,
    ...(config.sae.site !== undefined && { site: config.sae.site }),
    all_pairs: config.pairs.per_prompt === 'all',
    ...baseline.options,
  };
  const key = stageKey({
    options,
    inputs: hashesOf(inputs),
    upstream: {},
    versions: computing(recorder.versions),
  });
  return {
    name: 'attribute',
    key,
    inputs,
    options,
    outputs: [attributionFiles.latents, attributionFiles.arrays],
  };
}

/** Attributes, or goes on with it. Throws InputError where there are no pairs. */
export async function runStudyAttribution(study: OpenStudy): Promise<StudyAttribution> {
  const { folder, config, progress } = study;
  const stage = await attributeStage(study);
  const sae = await openSae(config.sae.path);
  const latentsPath = join(folder, attributionFiles.latents);
  if (await stageIsDone(folder, stage)) {
    const site = `resid_post ${config.sae.site ?? trainedLayer(sae)}`;
    return {
      latents: await decodeLatents(Uint8Array.from(await readFile(latentsPath)).buffer),
      site,
      upToDate: true,
    };
  }
  const pairs = await readJsonlAll(join(folder, pairsFile), pairRecord);
  if (pairs.length === 0)
    throw new InputError(`${join(folder, pairsFile)}: no pairs to attribute: \`culprit pair\` tells why`);
  const opened = await study.model(config.subject);
  const { model, codec } = opened;
  if (config.sae.site !== undefined) checkSite(model, config.sae.site);
  const layer = siteFor(sae, config.sae.site, model.decoder.width);
  checkSite(model, layer);
  const completions = new Map((await readCompletions(folder)).map((one) => [one.id, one]));
  const contrasts = contrastsOf(pairs, completions, codec, config.pairs.per_prompt === 'all');
  for (const contrast of contrasts) checkLength(contrast, model, join(folder, pairsFile));
  await makeWorkFolder(folder);
  const store = await rowStore(attributeFolder(folder), stage.key);
  const timings = new Timings(study.clock);
  const baseline = await timings.of('baseline', () => meanOf(study, opened, layer, store));
  const { tokens, loss, top } = config.attribution;
  const work = { model, layer, contrasts, baseline, tokens, loss };
  const rows = await timings.of('gradients', () => allRows(study.runtime(), work, store, progress));
  const result = await timings.of('scores', () => attribute(study.runtime(), rows, sae, { top }));
  const latents = latentRows(result);
  const outcome = { counts: rowCounts(rows, contrasts, sae), seconds: timings.seconds };
  await finishStage(folder, stage, outcome, study.recorder, () =>
    writeAttribution(folder, result, latents, rows),
  );
  await store.remove();
  return { latents, site: `resid_post ${layer}`, upToDate: false };
}
