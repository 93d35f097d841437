/** Where a model's projections on directions lie over texts: docs/method.md section 5. */
import type { Model } from '../../models/decoder.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { residualPass } from '../site/residuals.ts';
import { quantile } from '../statistics/bootstrap.ts';
import type { SplitText } from './siteMoments.ts';
import type { SteeredTokens } from './steer.ts';

/**
 * The `share` quantile of a_t · direction over those tokens of these texts but attention sinks, for each direction (unit
 * vectors [d]), at `resid_post layer`. NaN where no token is left.
 */
export async function projectionQuantiles(
  runtime: Runtime,
  model: Model,
  layer: number,
  {
    texts,
    tokens,
    directions,
    share,
  }: {
    readonly texts: readonly SplitText[];
    readonly tokens: SteeredTokens;
    readonly directions: readonly Float32Array[];
    readonly share: number;
  },
): Promise<number[]> {
  const d = model.decoder.width;
  const pass = await residualPass(runtime, model, layer);
  const found = directions.map((): number[] => []);
  try {
    for (const { ids, start } of texts) {
      const { activation, places: all } = await pass.run(ids);
      const places = all.filter((place) => tokens === 'all' || (tokens === 'prompt') === place < start);
      for (const [k, direction] of directions.entries())
        for (const place of places) {
          let p = 0;
          for (let i = 0; i < d; i++) p += activation[place * d + i]! * direction[i]!;
          found[k]!.push(p);
        }
    }
  } finally {
    await pass.release();
  }
  return found.map((values) =>
    values.length === 0 ? Number.NaN : quantile(Float64Array.from(values).sort(), share),
  );
}
