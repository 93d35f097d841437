/** An SAE's graph run once on a runtime, whole or block by block. */
import type { Runtime } from '../../src/runtime/runtime.ts';
import { openEncoder } from '../../src/saes/encoder.ts';
import { saeGraph } from '../../src/saes/graph.ts';
import type { Sae } from '../../src/saes/sae.ts';
import { tensor, toFloat32 } from '../../src/tensor.ts';

export interface GraphResult {
  /** [T, N], of unit directions */
  readonly z: Float32Array;
  /** [T, d] */
  readonly reconstruction: Float32Array;
  /** [N] */
  readonly fired: Float32Array;
}

/** What the graph of an SAE makes of x [T, d]. */
export async function runGraph(runtime: Runtime, sae: Sae, x: Float32Array): Promise<GraphResult> {
  const { graph, weights } = await saeGraph(sae);
  const session = await runtime.load(graph, weights);
  const found = await session.run({ x: tensor('f32', [x.length / sae.width, sae.width], x) });
  await session.release();
  const values = (name: keyof GraphResult) => toFloat32(found[name]!);
  return { z: values('z'), reconstruction: values('reconstruction'), fired: values('fired') };
}

/** The same by blocks of a quarter of `held` values. */
export async function runBlocks(
  runtime: Runtime,
  sae: Sae,
  x: Float32Array,
  held: number,
): Promise<GraphResult & { readonly total: Float64Array }> {
  const latents = [...Array(sae.latents).keys()];
  const encoder = await openEncoder(runtime, sae, { latents, reconstruction: true, held });
  const { z, reconstruction, fired, total } = await encoder.encode(x);
  await encoder.release();
  return { z, reconstruction: reconstruction!, fired: Float32Array.from(fired), total };
}
