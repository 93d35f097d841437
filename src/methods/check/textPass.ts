/**
 * A model cut at one site, for checks: residuals at some sites, the loss from the residual at the cut on, and
 * its gradient there. Texts are plain sequences of T token ids; d is the residual width.
 */
import type { Model } from '../../models/decoder.ts';
import { gradientSession, lossSession, residualSession } from '../../models/sessions.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { f32, i64, type Tensor, tensor, toFloat32 } from '../../tensor.ts';

/** resid_post of a layer, or what the first block reads. */
export type TextSite = 'embedding' | number;

export type Residuals = ReadonlyMap<TextSite, Float32Array>;

/** Each token's −ln p, in nats, from the second on [T − 1]. */
export type Losses = Float32Array;

/** Loads the model up to the last of the sites. */
export async function residualsPass(
  runtime: Runtime,
  model: Model,
  sites: readonly TextSite[],
): Promise<{ run(ids: readonly number[]): Promise<Residuals>; release(): Promise<void> }> {
  const layers = sites.filter((site) => site !== 'embedding');
  const embedding = sites.includes('embedding');
  const session = await residualSession(runtime, model, layers, { embedding });
  return {
    async run(ids) {
      const results = await session.run(treeFeeds(sequence(ids)));
      const at = (site: TextSite) => results[site === 'embedding' ? site : `resid_post.${site}`]!;
      return new Map(sites.map((site) => [site, toFloat32(at(site))]));
    },
    release: () => session.release(),
  };
}

/** What a pass from the cut on is fed: every token but the last predicts the next. */
function feedsOf(ids: readonly number[], residual: Float32Array): Record<string, Tensor> {
  const places = [...ids.keys()].slice(0, -1);
  return {
    ...treeFeeds(sequence(ids)),
    resid: tensor('f32', [ids.length, residual.length / ids.length], residual),
    rows: i64([places.length], places),
    targets: i64([places.length], ids.slice(1)),
  };
}

/** Loads the model from `resid_post layer` on. A text must have two tokens or more. */
export async function lossPass(
  runtime: Runtime,
  model: Model,
  layer: number,
): Promise<{
  run(ids: readonly number[], residual: Float32Array): Promise<Losses>;
  release(): Promise<void>;
}> {
  const session = await lossSession(runtime, model, layer);
  return {
    async run(ids, residual) {
      return toFloat32((await session.run(feedsOf(ids, residual))).nll!);
    },
    release: () => session.release(),
  };
}

/** g [T, d]: gradient of Σ_t weight_t · loss_t at `resid_post layer`; `weights` [T − 1]. */
export async function gradientOf(
  runtime: Runtime,
  model: Model,
  layer: number,
  text: { readonly ids: readonly number[]; readonly residual: Float32Array; readonly weights: Losses },
): Promise<Float32Array> {
  const session = await gradientSession(runtime, model, layer);
  const { ids, residual, weights } = text;
  const results = await session.run({
    ...feedsOf(ids, residual),
    weights: f32([weights.length, 1], weights),
  });
  await session.release();
  return toFloat32(results.grad!);
}
