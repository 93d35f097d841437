/** What a fix is made of and held against: latents with their directions, bounds of a cap, random sets, other directions. */
import { InputError } from '../../errors.ts';
import { directionsOf } from '../../methods/attribution/score.ts';
import {
  completionActivations,
  loadEncoder,
  pooledFrequency,
  promptActivations,
} from '../../methods/site/activations.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import { matchedControls, TooFewLatents } from '../../methods/steering/controls.ts';
import { projectionQuantiles } from '../../methods/steering/projectionQuantile.ts';
import type { LatentRow } from '../../results.ts';
import type { AttributionArrays } from '../attribution/attributionFiles.ts';
import type { FixConfig, FixOperation } from '../config/sections/fix.ts';
import type { StudyContrast } from '../open/contrasts.ts';
import type { FittingDictionary, OpenStudy } from '../open/study.ts';
import { contrastMoments, momentTexts } from '../steering/chosenLatents.ts';
import { comparisonDirections } from '../steering/comparisonDirections.ts';
import { type TestedDirection, vectorDirection } from '../steering/direction.ts';
import type { SteeringOptions } from '../steering/work.ts';
import type { Caps } from './fixArms.ts';
import type { FixLatent } from './fixSets.ts';

/** Latents by number, with direction and sign. */
export async function fixLatents(
  { sae }: FittingDictionary,
  rows: readonly LatentRow[],
  latents: Iterable<number>,
): Promise<Map<number, FixLatent>> {
  const wanted = [...new Set(latents)];
  const signs = new Map(rows.map(({ latent, sign }) => [latent, sign]));
  const directions = await directionsOf(sae, wanted);
  const d = sae.width;
  return new Map(
    wanted.map((latent, k) => [
      latent,
      { latent, sign: signs.get(latent)!, direction: directions.slice(k * d, (k + 1) * d) },
    ]),
  );
}

/** Of each latent the quantile of σ d · a under the reference, at the tokens that are held, on texts of the pairs. */
export async function capsOf(
  study: OpenStudy,
  { layer }: FittingDictionary,
  contrasts: readonly StudyContrast[],
  latents: readonly FixLatent[],
  { quantile, tokens }: { readonly quantile: number; readonly tokens: SteeringOptions['heldTokens'] },
): Promise<Caps> {
  const { model } = await study.model(study.config.reference);
  const found = await projectionQuantiles(study.runtime(), model, layer, {
    texts: momentTexts({ contrasts }),
    tokens,
    directions: latents.map(({ sign, direction }) => direction.map((x) => sign * x)),
    share: quantile,
  });
  return new Map(latents.map(({ latent }, k) => [latent, found[k]!]));
}

/** Contrasts that the frequencies of latents are counted on. */
const countedContrasts = 32;

async function frequencies(
  study: OpenStudy,
  { sae, layer }: FittingDictionary,
  contrasts: readonly StudyContrast[],
): Promise<Float32Array> {
  const { model } = await study.model(study.config.subject);
  const pass = await sitePass(study.runtime(), model, layer);
  const encoder = await loadEncoder(study.runtime(), sae);
  const some = contrasts.slice(0, countedContrasts);
  try {
    const { positive, negative } = await completionActivations(pass, encoder, some);
    const prompts = await promptActivations(
      pass,
      encoder,
      some.map(({ prompt }) => prompt),
    );
    return pooledFrequency([prompts, positive, negative]);
  } finally {
    await encoder.release();
    await pass.release();
  }
}

/**
 * Sets of as many random latents as the fix has, each latent as frequent as one of the fix's. Throws InputError where the
 * dictionary has too few latents that are active.
 */
export async function randomSets(
  study: OpenStudy,
  dictionary: FittingDictionary,
  contrasts: readonly StudyContrast[],
  fixed: readonly number[],
  { random, seed }: Pick<FixConfig, 'random' | 'seed'>,
): Promise<number[][]> {
  study.progress.note('How often each latent is active');
  const frequency = await frequencies(study, dictionary, contrasts);
  const size = fixed.length;
  try {
    const drawn = matchedControls(frequency, fixed, random * size, seed);
    return Array.from({ length: random }, (_, n) => drawn.slice(n * size, (n + 1) * size));
  } catch (error) {
    if (!(error instanceof TooFewLatents)) throw error;
    throw new InputError(
      error.found === undefined
        ? `${study.file}: fix: expected latents that are active on the study's texts, found that none of ${fixed.join(', ')} is`
        : `${study.file}: fix.random: expected ${random} sets of ${size} latents that are active on the study's texts, found ${error.found} such latents: lower fix.random or fix.sizes`,
    );
  }
}

/** Directions that need no dictionary, removed beside the fix. */
export async function otherDirections(
  study: OpenStudy,
  { sae, layer }: FittingDictionary,
  contrasts: readonly StudyContrast[],
  attribution: AttributionArrays,
  seed: number,
): Promise<TestedDirection[]> {
  study.progress.note('Directions to compare with');
  const { config } = study;
  const request = {
    runtime: study.runtime(),
    subject: (await study.model(config.subject)).model,
    reference: (await study.model(config.reference)).model,
    layer,
    contrasts,
  };
  const found = await comparisonDirections({
    runtime: study.runtime(),
    sae,
    ...attribution,
    ...(await contrastMoments(request)),
    positive: momentTexts({ contrasts }).map(({ positive }) => positive),
    seed,
  });
  return found
    .filter(({ role }) => role === 'comparison')
    .map(({ name, role, vector, sign }) => vectorDirection(name, role, vector, { sign }));
}

/** How an operation is called where a person reads. */
export const inWords = { remove: 'removed', cap: 'capped' } as const satisfies Record<FixOperation, string>;
