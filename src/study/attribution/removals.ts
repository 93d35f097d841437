/**
 * Latents of a study removed one after another on some of its pairs, for what first order and integrated
 * gradients make of them. Knows no file.
 */
import { type Removal, removalOn } from '../../methods/attribution/exact.ts';
import { type RemovalPath, removalPath } from '../../methods/attribution/integrated.ts';
import { directionsOf } from '../../methods/attribution/score.ts';
import {
  completionActivations,
  loadEncoder,
  pooledFrequency,
  promptActivations,
} from '../../methods/site/activations.ts';
import type { Contrast, ContrastOptions } from '../../methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../methods/site/siteGradient.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import { forcedPass } from '../../methods/steering/forced.ts';
import type { Model } from '../../models/decoder.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';

export interface RemovalWork {
  readonly runtime: Runtime;
  readonly model: Model;
  /** L of resid_post L */
  readonly layer: number;
  readonly sae: Sae;
  /** baseline, tokens, loss */
  readonly options: ContrastOptions;
}

/** What one latent's removal comes to, of each pair, in nats. */
export interface RemovedLatent {
  readonly first_order: number[];
  readonly exact: number[];
  /** on the first pairs of them; none where it was not asked for */
  readonly integrated: number[];
}

/** At most `count` of the items, as far apart as can be, the first among them. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

/** Pairs whose texts tell which latents are ever active. */
const textsRead = 32;

/**
 * `count` random latents that are active somewhere in the texts of the pairs and are none of `others`; fewer
 * where there are fewer.
 */
export async function aliveLatents(
  { runtime, model, layer, sae }: RemovalWork,
  contrasts: readonly Contrast[],
  others: readonly number[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<number[]> {
  const read = spread(contrasts, textsRead);
  const pass = await sitePass(runtime, model, layer);
  const encoder = await loadEncoder(runtime, sae);
  try {
    const { positive, negative } = await completionActivations(pass, encoder, read);
    const prompts = await promptActivations(
      pass,
      encoder,
      read.map(({ prompt }) => prompt),
    );
    const frequency = pooledFrequency([prompts, positive, negative]);
    const taken = new Set(others);
    const alive = [...frequency.keys()].filter((latent) => frequency[latent]! > 0 && !taken.has(latent));
    return shuffled(alive, generatorOf(seed)).slice(0, count);
  } finally {
    await encoder.release();
    await pass.release();
  }
}

/** Removes latents on the contrasts it was opened for. */
export interface Remover {
  /** By integrated gradients too, of so many steps on the first so many contrasts; none by default. */
  remove(latent: number, steps?: number, integratedOn?: number): Promise<RemovedLatent>;
  release(): Promise<void>;
}

/** Prepares the contrasts: two forward passes and one backward pass each. */
export async function openRemover(
  { runtime, model, layer, sae, options }: RemovalWork,
  contrasts: readonly Contrast[],
): Promise<Remover> {
  const atOnce = passesAtOnce(runtime, model);
  const forced = await forcedPass(runtime, model, layer);
  const gradients: SitePass = await sitePass(runtime, model, layer);
  const release = async () => {
    await Promise.all([forced.release(), gradients.release()]);
  };
  const prepared: (Removal & RemovalPath)[] = [];
  try {
    const prepare = async (contrast: Contrast) => ({
      ...(await removalOn(forced, contrast, options)),
      ...(await removalPath(gradients, contrast, options)),
    });
    for await (const one of inGroups(contrasts, atOnce, prepare)) prepared.push(one);
  } catch (error) {
    await release();
    throw error;
  }
  return {
    async remove(latent, steps = 0, integratedOn = 0) {
      const direction = await directionsOf(sae, [latent]);
      const found: RemovedLatent = { first_order: [], exact: [], integrated: [] };
      for (const one of prepared) found.first_order.push(one.firstOrder(direction));
      const exact = (one: Removal) => one.effect(direction);
      for await (const effect of inGroups(prepared, atOnce, exact)) found.exact.push(effect);
      const integrated = (one: RemovalPath) => one.integrated(direction, steps);
      for await (const effect of inGroups(prepared.slice(0, integratedOn), atOnce, integrated))
        found.integrated.push(effect);
      return found;
    },
    release,
  };
}
