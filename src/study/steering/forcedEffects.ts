/**
 * The first two stages of the funnel: what each latent does to the log-odds of the positive completions
 * against the negative ones, to first order and by running the steered model on them. Nothing is sampled.
 */

import { directionsOf } from '../../methods/attribution/score.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import {
  damage,
  type ForcedPass,
  forcedPass,
  logOddsChange,
  meanOf,
  type PreparedContrast,
  steeredBy,
  unchanged,
} from '../../methods/steering/forced.ts';
import type { SteeredTokens } from '../../methods/steering/steer.ts';
import { packTree, type Tree } from '../../models/tree.ts';
import { type ForcedRecord, type Side, signOf } from '../../results.ts';
import { jsonHash } from '../store/hash.ts';
import type { SteeringWork } from './work.ts';

const idOf = (side: Side, latent: number, dose: number) => `${side}/${latent}/${dose}/forced`;

/** The packed places that are steered. */
function covered(tokens: SteeredTokens, { prompt }: Tree): (place: number) => boolean {
  if (tokens === 'all') return () => true;
  return tokens === 'prompt' ? (place) => place < prompt : (place) => place >= prompt;
}

/** Adds weight · Σ_t g_t [d] over the places t that are covered. */
function addRows(
  sum: Float64Array,
  gradient: Float32Array,
  covers: (place: number) => boolean,
  weight: number,
): void {
  const d = sum.length;
  for (const [at, x] of gradient.entries()) if (covers(Math.floor(at / d))) sum[at % d]! += x * weight;
}

/** Mean over contrasts of Σ_t (g⁺_t − g⁻_t) [d], over the tokens that are steered. */
async function contrastiveGradient(
  { runtime, layer, sides, options }: SteeringWork,
  side: Side,
  contrasts: readonly Contrast[],
): Promise<Float64Array> {
  const { model } = sides[side].opened;
  const d = model.decoder.width;
  const pass = await sitePass(runtime, model, layer);
  const sum = new Float64Array(d);
  try {
    for (const { prompt, positives, negatives } of contrasts) {
      const completions = [...positives, ...negatives];
      const tree = packTree(prompt, completions);
      const { gradient } = await pass.run(tree, () =>
        completions.map(
          ({ length }, b) => (b < positives.length ? 1 / positives.length : -1 / negatives.length) / length,
        ),
      );
      addRows(sum, gradient, covered(options.tokens, tree), 1 / contrasts.length);
    }
  } finally {
    await pass.release();
  }
  return sum;
}

/** Latents that are missing, measured one after another; each is kept as it is known. */
async function measure(
  work: SteeringWork,
  side: Side,
  latents: readonly number[],
  content: string,
  keep: (record: ForcedRecord) => Promise<void>,
): Promise<void> {
  const { runtime, layer, sides, dictionary, contrasts, options } = work;
  const { opened, norm } = sides[side];
  const dose = signOf[side] * options.gateDose;
  const gradient = await contrastiveGradient(work, side, contrasts);
  const pass = await forcedPass(runtime, opened.model, layer);
  try {
    const losses = await lossesOf(pass, contrasts, options.tokens);
    const before = await losses(undefined);
    for (const latent of latents) {
      const unit = await directionsOf(dictionary, [latent]);
      const after = await losses(unit.map((x) => dose * norm * x));
      const along = unit.reduce((sum, x, i) => sum + x * gradient[i]!, 0);
      await keep({
        kind: 'forced',
        id: idOf(side, latent, dose),
        side,
        latent,
        dose,
        content,
        estimate: -dose * norm * along,
        log_odds: meanOf(contrasts.map((contrast, n) => logOddsChange(before[n]!, after[n]!, contrast))),
        damage: meanOf(contrasts.map((_, n) => damage(before[n]!, after[n]!))),
      });
    }
  } finally {
    await pass.release();
  }
}

/**
 * Losses of each contrast's completions with a vector [d] added at the steered tokens, or with nothing added.
 */
async function lossesOf(
  pass: ForcedPass,
  contrasts: readonly Contrast[],
  tokens: SteeredTokens,
): Promise<(added: Float32Array | undefined) => Promise<number[][]>> {
  const prepared: PreparedContrast[] = [];
  for (const contrast of contrasts) prepared.push(await pass.prepare(contrast));
  return async (added) => {
    const losses: number[][] = [];
    for (const one of prepared) {
      const change = added === undefined ? unchanged : steeredBy(added, covered(tokens, one.tree));
      losses.push(await pass.losses(one, change));
    }
    return losses;
  };
}

/** The records of these latents, from the journal where they are done. */
export async function forcedEffects(
  work: SteeringWork,
  side: Side,
  latents: readonly number[],
): Promise<Map<number, ForcedRecord>> {
  const { sides, contrasts, options, journal, progress } = work;
  const { tokens, gateDose } = options;
  const dose = signOf[side] * gateDose;
  const content = jsonHash([
    contrasts.map(({ prompt, positives, negatives }) => [prompt, positives, negatives]),
    sides[side].norm,
    ...(tokens === 'all' ? [] : [tokens]),
  ]);
  const done = (latent: number): ForcedRecord | undefined => {
    const found = journal.records.get(idOf(side, latent, dose));
    return found?.kind === 'forced' && found.content === content ? found : undefined;
  };
  const missing = latents.filter((latent) => !done(latent));
  if (missing.length > 0) {
    const stage = progress.stage(`Log-odds, ${side}`, latents.length, latents.length - missing.length);
    journal.begin();
    try {
      await measure(work, side, missing, content, async (record) => {
        await journal.append([record]);
        stage.advance();
      });
    } finally {
      stage.end();
    }
  }
  return new Map(latents.map((latent) => [latent, done(latent)!]));
}
