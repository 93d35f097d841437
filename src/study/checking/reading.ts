/** A model read for a check: texts through it, cut at the site; what it says of completions. */
import {
  gradientOf,
  type Losses,
  lossPass,
  type Residuals,
  residualsPass,
  type TextSite,
} from '../../methods/check/textPass.ts';
import type { Model } from '../../models/decoder.ts';
import type { Runtime } from '../../runtime/runtime.ts';

export interface TextRead {
  readonly ids: readonly number[];
  readonly residuals: Residuals;
  readonly losses: Losses;
}

export interface ModelReading {
  read(ids: readonly number[]): Promise<TextRead>;
  /** Losses where the residual at the site is this one. */
  lossesFrom(ids: readonly number[], residual: Float32Array): Promise<Losses>;
  /** −ln p of each of the `last` tokens at a text's end. */
  endLosses(ids: readonly number[], last: number): Promise<Losses>;
  /** Gradient at the site of the mean loss of the `last` tokens. */
  gradient(ids: readonly number[], residual: Float32Array, last: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Weights of the mean over the last tokens [T − 1]. */
export const meanOfLast = (tokens: number, last: number): Float32Array =>
  Float32Array.from({ length: tokens - 1 }, (_, i) => (i >= tokens - 1 - last ? 1 / last : 0));

/** The model cut at `resid_post layer`; residuals are kept at `sites`, which hold the layer. */
export async function modelReading(
  runtime: Runtime,
  model: Model,
  layer: number,
  sites: readonly TextSite[],
): Promise<ModelReading> {
  const below = await residualsPass(runtime, model, sites);
  const above = await lossPass(runtime, model, layer);
  const read = async (ids: readonly number[]): Promise<TextRead> => {
    const residuals = await below.run(ids);
    return { ids, residuals, losses: await above.run(ids, residuals.get(layer)!) };
  };
  return {
    read,
    lossesFrom: (ids, residual) => above.run(ids, residual),
    endLosses: async (ids, last) => (await read(ids)).losses.slice(-last),
    gradient: (ids, residual, last) =>
      gradientOf(runtime, model, layer, { ids, residual, weights: meanOfLast(ids.length, last) }),
    async release() {
      await Promise.all([below.release(), above.release()]);
    },
  };
}
