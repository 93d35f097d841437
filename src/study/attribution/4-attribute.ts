/** Stage 4: the latents behind the positives of the study's pairs. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { attribute } from '../../methods/attribution/attribute.ts';
import { checkSite } from '../../models/passes.ts';
import { decodeLatents, type LatentRow, resultFiles } from '../../results.ts';
import { contrastsOf } from '../open/contrasts.ts';
import { openSae, siteFor, trainedLayer } from '../open/openSae.ts';
import { readCompletions, readPairs } from '../open/records.ts';
import { hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { stageKey } from '../store/key.ts';
import { rowStore } from '../store/rowStore.ts';
import { Timings } from '../store/runRecord.ts';
import type { Stage } from '../store/stageState.ts';
import { latentRows, writeAttribution } from './attributionFiles.ts';
import { baselineInputs, meanOf } from './baseline.ts';
import { allRows, checkLength, rowCounts } from './contrastRuns.ts';

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
    pairs: await hashedNow(join(folder, resultFiles.pairs)),
    completions: await hashedNow(join(folder, resultFiles.completions)),
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
    versions: computing(recorder.versions),
  });
  return {
    name: 'attribute',
    key,
    inputs,
    options,
    outputs: [resultFiles.latents, resultFiles.attribution],
  };
}

/** Attributes, or goes on with it. Throws InputError where there are no pairs. */
export async function runStudyAttribution(study: OpenStudy): Promise<StudyAttribution> {
  const { folder, config, progress } = study;
  const stage = await attributeStage(study);
  const sae = await openSae(config.sae.path);
  const latentsPath = join(folder, resultFiles.latents);
  if (await stageIsDone(folder, stage)) {
    const site = `resid_post ${config.sae.site ?? trainedLayer(sae)}`;
    return {
      latents: await decodeLatents(Uint8Array.from(await readFile(latentsPath)).buffer),
      site,
      upToDate: true,
    };
  }
  const pairs = await readPairs(folder);
  if (pairs.length === 0)
    throw new InputError(
      `${join(folder, resultFiles.pairs)}: no pairs to attribute: \`culprit pair\` tells why`,
    );
  const opened = await study.model(config.subject);
  const { model, codec } = opened;
  if (config.sae.site !== undefined) checkSite(model, config.sae.site);
  const layer = siteFor(sae, config.sae.site, model.decoder.width);
  checkSite(model, layer);
  const completions = new Map((await readCompletions(folder)).map((one) => [one.id, one]));
  const contrasts = contrastsOf(pairs, completions, codec, config.pairs.per_prompt === 'all');
  for (const contrast of contrasts) checkLength(contrast, model, join(folder, resultFiles.pairs));
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
