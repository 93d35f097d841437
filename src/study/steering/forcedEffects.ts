/**
 * The first two stages of the funnel: what each latent does to the log-odds of the positive completions against the negative ones, to first order and
 * by running the steered model on them. Nothing is sampled.
 */
import type { Contrast } from '../../methods/contrast.ts';
import { damage, forcedPass, logOddsChange, steeredBy, unchanged } from '../../methods/forced.ts';
import { directionsOf } from '../../methods/score.ts';
import { sitePass } from '../../methods/siteGradient.ts';
import { packTree } from '../../models/tree.ts';
import { jsonHash } from '../hash.ts';
import { type Direction, type ForcedRecord, type SteeringWork, signOf } from './work.ts';

const idOf = (direction: Direction, latent: number, dose: number) => `${direction}/${latent}/${dose}/forced`;

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Mean over contrasts of Σ_t (g⁺_t − g⁻_t) [d], over every token: what steering at all of them meets. */
async function contrastiveGradient(
  { runtime, layer, sides }: SteeringWork,
  direction: Direction,
  contrasts: readonly Contrast[],
): Promise<Float64Array> {
  const { model } = sides[direction].opened;
  const d = model.decoder.width;
  const pass = await sitePass(runtime, model, layer);
  const sum = new Float64Array(d);
  for (const { prompt, positives, negatives } of contrasts) {
    const completions = [...positives, ...negatives];
    const { gradient } = await pass.run(packTree(prompt, completions), () =>
      completions.map(
        ({ length }, b) => (b < positives.length ? 1 / positives.length : -1 / negatives.length) / length,
      ),
    );
    for (const [at, x] of gradient.entries()) sum[at % d]! += x / contrasts.length;
  }
  await pass.release();
  return sum;
}

/** The records of these latents, from the journal where they are done. */
export async function forcedEffects(
  work: SteeringWork,
  direction: Direction,
  latents: readonly number[],
): Promise<Map<number, ForcedRecord>> {
  const { runtime, layer, sides, dictionary, contrasts, options, journal, progress } = work;
  const { opened, norm } = sides[direction];
  const dose = signOf[direction] * options.gateDose;
  const content = jsonHash([
    contrasts.map(({ prompt, positives, negatives }) => [prompt, positives, negatives]),
    norm,
  ]);
  const done = (latent: number): ForcedRecord | undefined => {
    const found = journal.records.get(idOf(direction, latent, dose));
    return found?.kind === 'forced' && found.content === content ? found : undefined;
  };
  const missing = latents.filter((latent) => !done(latent));
  if (missing.length > 0) {
    const gradient = await contrastiveGradient(work, direction, contrasts);
    const pass = await forcedPass(runtime, opened.model, layer);
    const prepared = [];
    for (const contrast of contrasts) prepared.push(await pass.prepare(contrast));
    const before: number[][] = [];
    for (const one of prepared) before.push(await pass.losses(one, unchanged));
    const stage = progress.stage(`Log-odds, ${direction}`, latents.length, latents.length - missing.length);
    journal.begin();
    try {
      for (const latent of missing) {
        const unit = await directionsOf(dictionary, [latent]);
        const change = steeredBy(unit.map((x) => dose * norm * x));
        const after: number[][] = [];
        for (const one of prepared) after.push(await pass.losses(one, change));
        const along = unit.reduce((sum, x, i) => sum + x * gradient[i]!, 0);
        await journal.append([
          {
            kind: 'forced',
            id: idOf(direction, latent, dose),
            direction,
            latent,
            dose,
            content,
            estimate: -dose * norm * along,
            log_odds: mean(contrasts.map((contrast, n) => logOddsChange(before[n]!, after[n]!, contrast))),
            damage: mean(contrasts.map((_, n) => damage(before[n]!, after[n]!))),
          },
        ]);
        stage.advance();
      }
    } finally {
      stage.end();
    }
    await pass.release();
  }
  return new Map(latents.map((latent) => [latent, done(latent)!]));
}
