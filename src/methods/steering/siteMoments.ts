/** Means of a model's residuals over texts, and of each completion's own tokens: docs/method.md section 5. */
import type { Model } from '../../models/decoder.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { residualPass } from '../site/residuals.ts';
import { rowNorms } from '../site/sinks.ts';

/** A text as token ids; from `start` on they are the completion's. */
export interface SplitText {
  readonly ids: readonly number[];
  readonly start: number;
}

/** Attention sinks are left out of all of it. d: residual width. */
export interface SiteMoments {
  /** mean residual norm, s */
  readonly norm: number;
  /** mean residual [d] */
  readonly mean: Float32Array;
  /** mean residual over each text's completion [d]; undefined where it is of sinks alone */
  readonly completions: readonly (Float32Array | undefined)[];
}

/** Adds the rows [d] at these places. */
function addRows(sum: Float64Array, activation: Float32Array, places: readonly number[]): void {
  const d = sum.length;
  for (const place of places) for (let i = 0; i < d; i++) sum[i]! += activation[place * d + i]!;
}

/** At `resid_post layer`. NaN where no token of the texts is left. */
export async function siteMoments(
  runtime: Runtime,
  model: Model,
  layer: number,
  texts: readonly SplitText[],
): Promise<SiteMoments> {
  const d = model.decoder.width;
  const pass = await residualPass(runtime, model, layer);
  const sum = new Float64Array(d);
  const completions: (Float32Array | undefined)[] = [];
  let [norm, count] = [0, 0];
  try {
    for (const { ids, start } of texts) {
      const { activation, places } = await pass.run(ids);
      const norms = rowNorms(activation, d);
      for (const place of places) norm += norms[place]!;
      count += places.length;
      addRows(sum, activation, places);
      const own = places.filter((place) => place >= start);
      const ownSum = new Float64Array(d);
      addRows(ownSum, activation, own);
      completions.push(own.length > 0 ? Float32Array.from(ownSum, (x) => x / own.length) : undefined);
    }
  } finally {
    await pass.release();
  }
  return { norm: norm / count, mean: Float32Array.from(sum, (x) => x / count), completions };
}
