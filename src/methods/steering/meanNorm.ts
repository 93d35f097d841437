/** s of docs/method.md section 5: what doses of steering are parts of. */
import type { Model } from '../../models/decoder.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { residualPass } from '../site/residuals.ts';
import { rowNorms } from '../site/sinks.ts';

/**
 * Mean residual norm at `resid_post layer` over the tokens of texts (ids each), attention sinks left out.
 * NaN where no token is left.
 */
export async function meanNorm(
  runtime: Runtime,
  model: Model,
  layer: number,
  texts: Iterable<readonly number[]>,
): Promise<number> {
  const pass = await residualPass(runtime, model, layer);
  let sum = 0;
  let count = 0;
  for (const ids of texts) {
    const { activation, places } = await pass.run(ids);
    const norms = rowNorms(activation, model.decoder.width);
    for (const t of places) sum += norms[t]!;
    count += places.length;
  }
  await pass.release();
  return sum / count;
}
