/**
 * Residuals at a site over passages, attention sinks left out: what dictionaries are trained on and
 * measured by. Runs nothing above the site.
 */
import type { Model } from '../../models/decoder.ts';
import { residualSession } from '../../models/sessions.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { toFloat32 } from '../../tensor.ts';
import { rowNorms, sinksOf } from './sinks.ts';

/** One passage at the site. Shapes: T tokens, d residual width. */
export interface PassageResiduals {
  /** a [T, d] */
  readonly activation: Float32Array;
  /** places of the attention sinks */
  readonly sinks: readonly number[];
  /** places of all other tokens */
  readonly places: readonly number[];
}

export interface ResidualPass {
  run(ids: readonly number[]): Promise<PassageResiduals>;
  release(): Promise<void>;
}

/** Loads the model up to `resid_post layer`. Throws InputError where the model has no such site. */
export async function residualPass(runtime: Runtime, model: Model, layer: number): Promise<ResidualPass> {
  const session = await residualSession(runtime, model, [layer]);
  return {
    async run(ids) {
      const results = await session.run(treeFeeds(sequence(ids)));
      const activation = toFloat32(results[`resid_post.${layer}`]!);
      const all = [...ids.keys()];
      const sinks = sinksOf(rowNorms(activation, model.decoder.width), all);
      const left = new Set(sinks);
      return { activation, sinks, places: all.filter((t) => !left.has(t)) };
    },
    release: () => session.release(),
  };
}

/** The rows of x [T, d] at `places`, one after another. */
export function rowsAt(x: Float32Array, d: number, places: readonly number[]): Float32Array {
  const rows = new Float32Array(places.length * d);
  places.forEach((t, i) => {
    rows.set(x.subarray(t * d, (t + 1) * d), i * d);
  });
  return rows;
}
