/**
 * What some latents do along a text: the model up to the site with the SAE's encoder on top, one graph
 * where the encoder fits in memory. Nothing above the site is run. Shapes: T tokens, n latents.
 */
import { mul, sumLast } from '../../graph/build.ts';
import { simplify } from '../../graph/simplify.ts';
import type { Model } from '../../models/decoder.ts';
import { residualGraph } from '../../models/passes.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { heldValues, isReadInBlocks, openLatents } from '../../saes/encoder.ts';
import { activationsOn } from '../../saes/graph.ts';
import type { Sae } from '../../saes/sae.ts';
import { toFloat32 } from '../../tensor.ts';
import { joined, type PassageResiduals, residualPass } from '../site/residuals.ts';
import { sinksOf } from '../site/sinks.ts';

export interface ScannedText {
  /** activations [T, n], in units of the unit decoder direction; NaN at attention sinks */
  readonly z: Float32Array;
  readonly sinks: number;
}

export interface LatentScan {
  /**
   * Tokens to gather for one call: 1 where the encoder stays in memory, else as many as are worth reading it from
   * disk.
   */
  readonly tokensAtOnce: number;
  /** Of some texts, each in the order of the latents asked for. */
  runAll(texts: readonly (readonly number[])[]): Promise<ScannedText[]>;
  /** Of one text. */
  run(ids: readonly number[]): Promise<ScannedText>;
  release(): Promise<void>;
}

/**
 * Opens the scan; `held` as openLatents has it. Throws InputError where the model has no such site, RangeError for a
 * latent that the SAE does not have.
 */
export async function latentScan(
  runtime: Runtime,
  model: Model,
  layer: number,
  sae: Sae,
  latents: readonly number[],
  held = heldValues,
): Promise<LatentScan> {
  const isSmall = sae.kind.separate || !isReadInBlocks(sae, held);
  const isOneGraph = isSmall && passesAtOnce(runtime, model) === 1;
  const scan = await (isOneGraph ? fused : behind)(runtime, model, layer, sae, latents, held);
  return { ...scan, run: async (ids) => (await scan.runAll([ids]))[0]! };
}

type Opened = Omit<LatentScan, 'run'>;

/** About as many tokens as a text has. */
const passageTokens = 256;

/** z [T, n] with its sinks marked. */
function marked(z: Float32Array, sinks: readonly number[], n: number): ScannedText {
  for (const t of sinks) z.fill(Number.NaN, t * n, (t + 1) * n);
  return { z, sinks: sinks.length };
}

/** The model and the encoder in one graph, text by text. */
async function fused(
  runtime: Runtime,
  model: Model,
  layer: number,
  sae: Sae,
  latents: readonly number[],
): Promise<Opened> {
  const residual = residualGraph(model, [layer]).outputs[`resid_post.${layer}`]!;
  const { z, weights } = await activationsOn(residual, sae, latents);
  const outputs = { z, squares: sumLast(mul(residual, residual)) };
  const session = await runtime.load(simplify({ outputs }), new Map([...model.weights, ...weights]));
  return {
    tokensAtOnce: 1,
    async runAll(texts) {
      const found: ScannedText[] = [];
      for (const ids of texts) {
        const { z, squares } = await session.run(treeFeeds(sequence(ids)));
        const norms = Float64Array.from(toFloat32(squares!), Math.sqrt);
        found.push(marked(toFloat32(z!), sinksOf(norms, [...norms.keys()]), latents.length));
      }
      return found;
    },
    release: () => session.release(),
  };
}

/** The encoder behind the model, once for all texts of a call. */
async function behind(
  runtime: Runtime,
  model: Model,
  layer: number,
  sae: Sae,
  latents: readonly number[],
  held: number,
): Promise<Opened> {
  const pass = await residualPass(runtime, model, layer);
  const encoder = await openLatents(runtime, sae, latents, held);
  return {
    tokensAtOnce: Math.max(encoder.rowsAtOnce, passesAtOnce(runtime, model) * passageTokens),
    async runAll(texts) {
      const read: PassageResiduals[] = [];
      for await (const one of inGroups(texts, passesAtOnce(runtime, model), pass.run)) read.push(one);
      const z = await encoder.encode(joined(read.map(({ activation }) => activation)));
      let from = 0;
      return read.map(({ activation, sinks }) => {
        const tokens = activation.length / model.decoder.width;
        const own = z.slice(from, from + tokens * latents.length);
        from += own.length;
        return marked(own, sinks, latents.length);
      });
    },
    release: async () => {
      await Promise.all([pass.release(), encoder.release()]);
    },
  };
}
