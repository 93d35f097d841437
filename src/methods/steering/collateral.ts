/**
 * What a change at a site does to a model on texts that have nothing to do with it: loss, agreement about the next
 * token, divergence. docs/method.md section 5. Knows neither latents nor what the change is for.
 */
import type { Model } from '../../models/decoder.ts';
import { residualSession, textSession } from '../../models/sessions.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64, tensor, toFloat32 } from '../../tensor.ts';
import { rowNorms, sinksOf } from '../site/sinks.ts';
import { argmax } from '../statistics/argmax.ts';
import { logNormaliser } from '../statistics/logNormaliser.ts';
import type { ResidualChange } from './forced.ts';

/** Means over tokens that have a token before them. */
export interface Collateral {
  readonly tokens: number;
  /** mean cross-entropy of the text's own tokens, nats, with the change; and without it */
  readonly loss: number;
  readonly lossBefore: number;
  /** how often both rank the same token first; undefined where the model runs in parts */
  readonly agreement: number | undefined;
  /** mean KL(unchanged ‖ changed) of the next token's distribution, nats; undefined as above */
  readonly divergence: number | undefined;
}

/** The change of one text's residuals, given the places that are no attention sinks. */
export type TextChange = (places: readonly number[]) => ResidualChange;

/** Sums over texts. */
interface Sums {
  tokens: number;
  readonly losses: number[];
  readonly same: number[];
  readonly divergences: number[];
}

export interface CollateralPass {
  /** Each change on a text of two tokens or more. */
  add(ids: readonly number[], changes: readonly TextChange[]): Promise<void>;
  /** Of each change, in the order in which `add` is given them. */
  found(): Collateral[];
  release(): Promise<void>;
}

/** KL(p ‖ q) of the distributions that two rows of logits give, nats. */
export function divergenceOf(p: Float32Array, q: Float32Array): number {
  const [sumP, sumQ] = [logNormaliser(p), logNormaliser(q)];
  let total = 0;
  for (let i = 0; i < p.length; i++) {
    const own = p[i]! - sumP;
    total += Math.exp(own) * (own - (q[i]! - sumQ));
  }
  return Math.max(0, total);
}

/** Loads the model below and above `resid_post layer`, for `changes` changes. */
export async function collateralPass(
  runtime: Runtime,
  model: Model,
  layer: number,
  changes: number,
): Promise<CollateralPass> {
  const below = await residualSession(runtime, model, [layer]);
  const above = await textSession(runtime, model, layer);
  const d = model.decoder.width;
  const zeros = () => Array<number>(changes).fill(0);
  const sums: Sums = { tokens: 0, losses: zeros(), same: zeros(), divergences: zeros() };
  let before = 0;
  let hasLogits = true;
  return {
    async add(ids, asked) {
      const feeds = treeFeeds(sequence(ids));
      const activation = toFloat32((await below.run(feeds))[`resid_post.${layer}`]!);
      const all = [...ids.keys()];
      const sinks = new Set(sinksOf(rowNorms(activation, d), all));
      const places = all.filter((place) => !sinks.has(place));
      const rows = all.slice(0, -1);
      const run = async (resid: Float32Array) => {
        const found = await above.run({
          ...feeds,
          resid: tensor('f32', [ids.length, d], resid),
          rows: i64([rows.length], rows),
          targets: i64([rows.length], ids.slice(1)),
        });
        const loss = toFloat32(found.nll!).reduce((sum, x) => sum + x, 0);
        const logits = found.logits && toFloat32(found.logits);
        const width = logits ? logits.length / rows.length : 0;
        return { loss, row: (r: number) => logits?.subarray(r * width, (r + 1) * width) };
      };
      const plain = await run(activation);
      sums.tokens += rows.length;
      before += plain.loss;
      for (const [n, change] of asked.entries()) {
        const changed = await run(change(places)(activation.slice()));
        sums.losses[n]! += changed.loss;
        for (const r of rows) {
          const [p, q] = [plain.row(r), changed.row(r)];
          if (p === undefined || q === undefined) {
            hasLogits = false;
            break;
          }
          sums.same[n]! += argmax(p) === argmax(q) ? 1 : 0;
          sums.divergences[n]! += divergenceOf(p, q);
        }
      }
    },
    found: () =>
      sums.losses.map((loss, n) => ({
        tokens: sums.tokens,
        loss: loss / sums.tokens,
        lossBefore: before / sums.tokens,
        agreement: hasLogits ? sums.same[n]! / sums.tokens : undefined,
        divergence: hasLogits ? sums.divergences[n]! / sums.tokens : undefined,
      })),
    async release() {
      await Promise.all([below.release(), above.release()]);
    },
  };
}
