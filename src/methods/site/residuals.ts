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

/** Rows one after another. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Items in order, gathered until they have `enough` rows; the last ones may have fewer. */
export async function* gathered<T>(
  items: Iterable<T> | AsyncIterable<T>,
  rowsOf: (item: T) => number,
  enough: number,
): AsyncGenerator<readonly T[]> {
  let [group, rows]: [T[], number] = [[], 0];
  for await (const item of items) {
    group.push(item);
    rows += rowsOf(item);
    if (rows < enough) continue;
    yield group;
    [group, rows] = [[], 0];
  }
  if (group.length > 0) yield group;
}
