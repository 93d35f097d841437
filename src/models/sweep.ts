/**
 * Going through a model that is larger than memory: parts are loaded, run for all passes that share the sweep, and
 * released, one after another.
 */
import type { MemoryLimit, Runtime, Session } from '../runtime/runtime.ts';
import { weightBytes } from '../runtime/weightBytes.ts';
import type { Model } from './decoder.ts';
import { blocksPart, type Part } from './parts.ts';

/** Blocks `from` to `to` of a model, both among them. */
export interface BlockRun {
  readonly from: number;
  readonly to: number;
}

/**
 * The blocks `from` to `to` in runs, each as long as its weights fit the limit, of one block at least; a run ends
 * where one of `ends` does. Empty for from > to.
 */
export function blockRuns(
  model: Model,
  from: number,
  to: number,
  limit: MemoryLimit,
  ends: readonly number[] = [],
): BlockRun[] {
  const runs: BlockRun[] = [];
  let start = from;
  let held = 0;
  for (let layer = from; layer <= to; layer++) {
    const { loaded } = weightBytes(blocksPart(model, layer, layer));
    if (layer > start && held + loaded > limit.weights) {
      runs.push({ from: start, to: layer - 1 });
      start = layer;
      held = 0;
    }
    held += loaded;
    if (!ends.includes(layer) && layer < to) continue;
    runs.push({ from: start, to: layer });
    start = layer + 1;
    held = 0;
  }
  return runs;
}

/** One sweep of some passes over parts. */
export class PartSweep {
  private bytes = 0;
  private reading = 0;
  private computing = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly limit: MemoryLimit,
    private readonly passes: number,
  ) {}

  private now(): number {
    return this.limit.watch?.now() ?? 0;
  }

  /** Loads the part, runs what `work` does with it, and releases it. */
  async over(part: Part, work: (session: Session) => Promise<void>): Promise<void> {
    const start = this.now();
    const session = await this.runtime.load(part.graph, part.weights, { lean: true });
    const loaded = this.now();
    try {
      await work(session);
    } finally {
      await session.release();
    }
    this.bytes += weightBytes(part).stored;
    this.reading += loaded - start;
    this.computing += this.now() - loaded;
  }

  end(): void {
    const { passes, bytes, reading, computing } = this;
    this.limit.watch?.onSweep({ passes, bytes, reading, computing });
  }
}
