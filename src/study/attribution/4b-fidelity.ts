/**
 * After stage 4: how far the ranking, a first-order estimate, agrees with the removal of latents. Removes the
 * first ones and random ones on some of the study's pairs.
 */

import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../files/atomic.ts';
import { readJson } from '../../files/jsonFile.ts';
import { checked } from '../../files/schema.ts';
import { effectResolution } from '../../methods/attribution/fidelity.ts';
import { counted, type FidelityRecord, fidelitySchema, type LatentRow, resultFiles } from '../../results.ts';
import { leftToTheStudy } from '../config/schema.ts';
import { fidelitySection } from '../config/sections/fidelity.ts';
import { saidOptions } from '../open/openSae.ts';
import { pairedContrasts } from '../open/pairedContrasts.ts';
import { readLatents } from '../open/records.ts';
import { studyStage } from '../open/stage.ts';
import { stageJournal } from '../open/stageJournal.ts';
import { hashedNow, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import type { Journal } from '../store/journal.ts';
import { stageKey } from '../store/key.ts';
import type { Stage } from '../store/stageState.ts';
import { checkAttributed } from './4-attribute.ts';
import { readAttributionArrays } from './attributionFiles.ts';
import { baselineInputs } from './baseline.ts';
import { fidelityOf } from './fidelityRecord.ts';
import { aliveLatents, openRemover, type RemovalWork, spread } from './removals.ts';

const numbers = z.array(z.number());

const drawnRecord = z.object({ kind: z.literal('drawn'), id: z.string(), latents: z.array(z.int()) });
const removedRecord = z.object({
  kind: z.literal('removed'),
  id: z.string(),
  latent: z.int(),
  first_order: numbers,
  exact: numbers,
  integrated: numbers,
});
const journalRecord = z.discriminatedUnion('kind', [drawnRecord, removedRecord]);
type JournalRecord = z.output<typeof journalRecord>;

export interface StudyFidelity {
  readonly fidelity: FidelityRecord;
  readonly upToDate: boolean;
}

async function planFidelity(study: OpenStudy): Promise<Stage> {
  const { folder, config, recorder } = study;
  const baseline = await baselineInputs(study);
  const inputs = {
    ...(await study.modelHashes('subject', config.subject)),
    sae: await study.hashedSae(),
    latents: await hashedNow(join(folder, resultFiles.latents)),
    pairs: await hashedNow(join(folder, resultFiles.pairs)),
    completions: await hashedNow(join(folder, resultFiles.completions)),
    ...baseline.inputs,
  };
  const { tokens, loss } = config.attribution;
  const options = {
    ...config.fidelity,
    tokens,
    loss,
    site: config.sae.site ?? null,
    ...saidOptions(config.sae),
    all_pairs: config.pairs.per_prompt === 'all',
    ...baseline.options,
  };
  const versions = computing(recorder.versions);
  const key = stageKey({ options, inputs: hashesOf(inputs), versions });
  return { name: 'fidelity', key, inputs, options, outputs: [resultFiles.fidelity] };
}

/** The random latents, drawn once. */
async function drawn(
  { config, progress }: OpenStudy,
  work: RemovalWork,
  contrasts: Parameters<typeof aliveLatents>[1],
  top: readonly LatentRow[],
  journal: Journal<JournalRecord>,
): Promise<readonly number[]> {
  const before = journal.records.get('drawn');
  if (before?.kind === 'drawn') return before.latents;
  progress.note('Which latents are ever active on the pairs');
  const { latents: count, seed } = config.fidelity;
  const others = top.map(({ latent }) => latent);
  const latents = await aliveLatents(work, contrasts, others, { count, seed });
  await journal.append([{ kind: 'drawn', id: 'drawn', latents }]);
  return latents;
}

/** Removes the latents that the journal lacks. */
async function removeMissing(
  { config, progress }: OpenStudy,
  work: RemovalWork,
  contrasts: Parameters<typeof openRemover>[1],
  groups: readonly (readonly number[])[],
  journal: Journal<JournalRecord>,
): Promise<void> {
  const { integrated, integrated_pairs, steps } = config.fidelity;
  const all = groups.flat();
  const missing = all.filter((latent) => !journal.records.has(`${latent}`));
  if (missing.length === 0) return;
  const remover = await openRemover(work, contrasts);
  journal.begin();
  const stage = progress.stage('Removed latents', all.length, all.length - missing.length);
  const followed = new Set(groups.flatMap((group) => group.slice(0, integrated)));
  try {
    for (const latent of missing) {
      const found = await remover.remove(latent, steps, followed.has(latent) ? integrated_pairs : 0);
      await journal.append([{ kind: 'removed', id: `${latent}`, latent, ...found }]);
      stage.advance();
    }
  } finally {
    stage.end();
    await remover.release();
  }
}

async function readFidelity(folder: string): Promise<FidelityRecord> {
  const path = join(folder, resultFiles.fidelity);
  return checked(fidelitySchema, await readJson(path), path);
}

/** Measures it, or goes on with it. */
async function runFidelity(study: OpenStudy): Promise<StudyFidelity> {
  const { folder, config } = study;
  const stage = await planFidelity(study);
  if (await stageIsDone(folder, stage)) return { fidelity: await readFidelity(folder), upToDate: true };
  await checkAttributed(study);
  const contrasts = await pairedContrasts(study);
  const journal = await stageJournal(study, stage, journalRecord);
  const { model } = await study.model(config.subject);
  const { sae, layer } = await study.dictionary();
  const { tokens, loss } = config.attribution;
  const { baseline } = await readAttributionArrays(folder);
  const options = { baseline, tokenSet: tokens, loss };
  const work = { runtime: study.runtime(), model, layer, sae, options };
  const rows = await readLatents(folder);
  const top = rows.slice(0, config.fidelity.latents);
  const random = await drawn(study, work, contrasts, top, journal);
  const chosen = spread(contrasts, config.fidelity.pairs);
  await removeMissing(study, work, chosen, [top.map(({ latent }) => latent), random], journal);
  const removed = (latent: number) => journal.records.get(`${latent}`) as z.output<typeof removedRecord>;
  const { integrated, integrated_pairs, steps } = config.fidelity;
  const fidelity = fidelityOf(rows, { top: top.map(({ latent }) => latent), random }, removed, {
    site: `resid_post ${layer}`,
    tokens,
    loss,
    pairs: chosen.length,
    of: contrasts.length,
    steps: integrated > 0 ? steps : 0,
    integrated_pairs: integrated > 0 ? Math.min(integrated_pairs, chosen.length) : 0,
    resolution: effectResolution,
  });
  const { top: first, random: other } = fidelity;
  const counts = {
    latents: fidelity.latents.length,
    pairs: chosen.length,
    first_order_faults: first.faults,
    random_faults: other.faults,
  };
  await finishStage(folder, stage, { counts, seconds: { removal: journal.seconds } }, study.recorder, () =>
    replaceFile(join(folder, resultFiles.fidelity), (file) =>
      file.writeFile(`${JSON.stringify(fidelity, undefined, 1)}\n`),
    ),
  );
  return { fidelity, upToDate: false };
}

export const fidelityStage = studyStage({
  name: 'fidelity',
  about: 'how far the ranking agrees with the removal of latents, on some of the pairs',
  needs: [resultFiles.latents, resultFiles.pairs, resultFiles.completions],
  outputs: [resultFiles.fidelity],
  section: fidelitySection,
  skip: ({ config }) =>
    leftToTheStudy(config) ?? (config.fidelity.latents === 0 ? 'fidelity.latents is 0' : undefined),
  plan: planFidelity,
  run: async (study) => ({ result: await runFidelity(study) }),
  units: async ({ config }) => ({
    units: 2 * config.fidelity.latents,
    unitsIn: (record) => (journalRecord.safeParse(record).data?.kind === 'removed' ? 1 : undefined),
    bound: 'at most',
  }),
  async estimate({ config }, { prompt, token, status }) {
    const { latents, pairs, integrated, integrated_pairs, steps } = config.fidelity;
    const packed = config.pairs.per_prompt === 'all' ? config.sampling.completions : 2;
    // Half of a forward pass above the site; a step of integrated gradients goes back as well.
    const passes = 0.5 * latents * pairs + 1.5 * Math.min(integrated, latents) * integrated_pairs * steps;
    const left = status.left / Math.max(1, status.left + status.done);
    return {
      seconds: left * 2 * passes * (prompt + packed * config.sampling.max_tokens) * token,
      note: `${counted(2 * latents, 'latent')} removed on at most ${counted(pairs, 'pair')}`,
    };
  },
});
