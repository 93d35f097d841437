/**
 * What some latents do along a text: the model up to the site with the SAE's encoder on top, one graph.
 * Nothing above the site is run. Shapes: T tokens, n latents.
 */
import { mul, sumLast } from '../../graph/build.ts';
import { simplify } from '../../graph/simplify.ts';
import type { Model } from '../../models/decoder.ts';
import { residualGraph } from '../../models/passes.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { activationsOn } from '../../saes/graph.ts';
import type { Sae } from '../../saes/sae.ts';
import { toFloat32 } from '../../tensor.ts';
import { sinksOf } from '../site/sinks.ts';

export interface ScannedText {
  /** activations [T, n], in units of the unit decoder direction; NaN at attention sinks */
  readonly z: Float32Array;
  readonly sinks: number;
}

export interface LatentScan {
  /** Of one text, in the order of the latents asked for. */
  run(ids: readonly number[]): Promise<ScannedText>;
  release(): Promise<void>;
}

/** Throws InputError where the model has no such site, RangeError for a latent that the SAE does not have. */
export async function latentScan(
  runtime: Runtime,
  model: Model,
  layer: number,
  sae: Sae,
  latents: readonly number[],
): Promise<LatentScan> {
  const residual = residualGraph(model, [layer]).outputs[`resid_post.${layer}`]!;
  const { z, weights } = await activationsOn(residual, sae, latents);
  const outputs = { z, squares: sumLast(mul(residual, residual)) };
  const session = await runtime.load(simplify({ outputs }), new Map([...model.weights, ...weights]));
  const n = latents.length;
  return {
    async run(ids) {
      const results = await session.run(treeFeeds(sequence(ids)));
      const norms = Float64Array.from(toFloat32(results.squares!), Math.sqrt);
      const found = toFloat32(results.z!);
      const sinks = sinksOf(norms, [...ids.keys()]);
      for (const t of sinks) found.fill(Number.NaN, t * n, (t + 1) * n);
      return { z: found, sinks: sinks.length };
    },
    release: () => session.release(),
  };
}
