/** The latents of a study that its causal test steers, chosen once and kept in the journal. */

import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { selectorNamed } from '../../methods/attribution/selectors/selectors.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import { TooFewLatents } from '../../methods/steering/controls.ts';
import { resultFiles } from '../../results.ts';
import type { Sae } from '../../saes/sae.ts';
import { type AttributionArrays, readAttributionArrays } from '../attribution/attributionFiles.ts';
import { readLatents } from '../open/records.ts';
import { textOf } from '../open/stopTexts.ts';
import type { FittingDictionary, OpenStudy } from '../open/study.ts';
import { jsonHash } from '../store/hash.ts';
import type { Journal } from '../store/journal.ts';
import type { Stage } from '../store/stageState.ts';
import { chooseLatents } from './chosenLatents.ts';
import { ownDirectionNames } from './comparisonDirections.ts';
import type { ChosenRecord, SteeringRecord } from './work.ts';

/** Δ [N] and σ [N] of the study's attribution. Throws InputError where it is of another dictionary. */
export async function attributedBy(
  folder: string,
  sae: Sae,
): Promise<{ readonly delta: Float32Array; readonly sign: Int8Array }> {
  const path = join(folder, resultFiles.latents);
  const rows = await readLatents(folder);
  if (rows.length !== sae.latents)
    throw new InputError(
      `${path}: expected the ${sae.latents} latents of ${sae.where}, found ${rows.length}: run \`culprit attribute ${folder}\` first`,
    );
  const delta = new Float32Array(rows.length);
  const sign = new Int8Array(rows.length);
  for (const row of rows) {
    delta[row.latent] = row.delta;
    sign[row.latent] = row.sign;
  }
  return { delta, sign };
}

/** What `matchedControls` refuses as a line on study.yaml; any other error as it is. */
function onRandom({ file, config }: OpenStudy, error: unknown): unknown {
  if (!(error instanceof TooFewLatents)) return error;
  const { found } = error;
  return new InputError(
    found === undefined
      ? `${file}: steering.random: expected candidates that are active on the study's texts, found none: is sae.path the dictionary of this model and site?`
      : `${file}: steering.random: expected ${config.steering.random} latents that are active on the study's texts and are not candidates, found ${found}: lower steering.random to at most ${found}, or lower steering.candidates`,
  );
}

/**
 * The arrays of the study's attribution. A control that ranks by a random model holds the subject's projections
 * where the study does.
 */
async function arraysFor({ folder, config }: OpenStudy): Promise<AttributionArrays> {
  const own = await readAttributionArrays(folder);
  if (config.control?.kind !== 'random-model') return own;
  const { baseline } = await readAttributionArrays(config.control.of);
  return { ...own, baseline };
}

/**
 * The latents to steer, kept in the journal so that a run that goes on does not choose anew. Throws
 * InputError where there are too few.
 */
export async function chosenRecord(
  study: OpenStudy,
  stage: Stage,
  { sae, layer }: FittingDictionary,
  contrasts: readonly Contrast[],
  journal: Journal<SteeringRecord>,
): Promise<ChosenRecord> {
  const { config, folder, progress } = study;
  const { selectors, candidates, random, seed, gate_pairs, topic_half = false } = config.steering;
  const { inputs, options } = stage;
  const exactContrasts = selectors.some((name) => selectorNamed(name).exact) ? gate_pairs : 0;
  const own = ownDirectionNames();
  const content = jsonHash([
    ...(own.length > 0 ? [own] : []),
    ...(topic_half ? ['topic half'] : []),
    [selectors, candidates, random, seed, exactContrasts, options.prompts, config.attribution.tokens],
    [inputs.latents, inputs.attribution, inputs.pairs, inputs.completions].map((input) => input!.sha256),
  ]);
  const before = journal.records.get('chosen');
  if (before?.kind === 'chosen' && before.content === content) return before;
  const subject = await study.model(config.subject);
  const reference = await study.model(config.reference);
  const { discovery } = await study.prompts();
  const chosen = await chooseLatents({
    runtime: study.runtime(),
    subject: subject.model,
    reference: reference.model,
    sae,
    layer,
    prompts: discovery.map(({ prompt }) => subject.codec.encodePrompt(prompt)),
    contrasts,
    attribution: await arraysFor(study),
    textOf: (ids) => textOf(subject.codec, ids),
    tokenSet: config.attribution.tokens,
    delta: (await attributedBy(folder, sae)).delta,
    selectors,
    candidates,
    random,
    exactContrasts,
    topicHalf: topic_half,
    seed,
    progress,
  }).catch((error: unknown) => {
    throw onRandom(study, error);
  });
  await journal.append([{ kind: 'chosen', id: 'chosen', content, ...chosen }]);
  return { kind: 'chosen', id: 'chosen', content, ...chosen };
}
