/** Stage 4: the latents behind the positives of the study's pairs. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { attribute } from '../../methods/attribute.ts';
import { checkSite } from '../../models/passes.ts';
import { decodeLatents, type LatentRow, pairRecord } from '../../results.ts';
import { attributionFiles, latentRows, writeAttribution } from '../attributionFiles.ts';
import { allRows, checkLength, rowCounts } from '../contrastRuns.ts';
import { Timings } from '../manifest.ts';
import { openSae, siteFor, trainedLayer } from '../openSae.ts';
import { rowStore } from '../rowStore.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { stageKey } from '../store/key.ts';
import type { Stage } from '../store/stageState.ts';
import { finishStage, stageIsDone } from '../store/stages.ts';
import { baselineInputs, meanOf } from './baseline.ts';
import { contrastsOf } from './contrasts.ts';
import { readCompletions } from './gradeStage.ts';
import { pairsFile } from './pairStage.ts';
import { completionsFile } from './sampleStage.ts';
import { hashedNow, hashesOf, type OpenStudy } from './study.ts';
import { computing } from './units.ts';

export interface StudyAttribution {
  /** every latent, first rank first */
  readonly latents: readonly LatentRow[];
  readonly site: string;
  readonly upToDate: boolean;
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
