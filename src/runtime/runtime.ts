/** What every runtime does: bind a graph to its weights, then run it on fed values. */
import type { Graph } from '../graph/node.ts';
import type { Tensor } from '../tensor.ts';
import type { OnnxWeights } from './onnx.ts';

export type Feeds = Readonly<Record<string, Tensor>>;

export interface Session {
  /**
   * Values of all outputs. Feeds are copied; results are the caller's own. Feeds that the graph does not
   * use are passed over.
   */
  run(feeds: Feeds): Promise<Record<string, Tensor>>;
  /** Frees what the session holds; later runs fail. */
  release(): Promise<void>;
}

/** A value that a session keeps from run to run: fed to an input, replaced by an output. */
export interface Kept {
  readonly initial: Tensor;
  readonly output: string;
}

/** A session that keeps some values between runs; they are neither fed nor returned. */
export interface StatefulSession extends Session {
  /** The kept values as they stand, by input name. */
  state(): Promise<Record<string, Tensor>>;
}

/**
 * A buffer [rows, ...row] of float32 that a session reads at an input; new rows of it, [new tokens,
 * heads·width], come from an output.
 */
export interface CacheBuffer {
  readonly input: string;
  readonly output: string;
  /** shape of one row: [heads, places, width] */
  readonly row: readonly [heads: number, places: number, width: number];
}

/** Which rows of the buffers a run works on. */
export interface RowWindow {
  readonly first: number;
  readonly count: number;
  /**
   * of each row of the window the place where its first new token is written; every row has as many new
   * tokens
   */
  readonly starts: readonly number[];
}

/** Throws RangeError for a window that a session of so many rows does not have. */
export function checkWindow({ first, count, starts }: RowWindow, rows: number): void {
  if (first < 0 || count < 1 || first + count > rows)
    throw new RangeError(`rows ${first} to ${first + count - 1}: the session has ${rows}`);
  if (starts.length !== count) throw new RangeError(`${count} rows have ${starts.length} starts`);
}

/** A session over buffers that stay with it. */
export interface CachedSession {
  /**
   * Runs on a window of rows, writes its new rows to the buffers, and returns the outputs that are wanted
   * (float32), which hold until the next run: it may write its own over them. Throws RangeError for rows or
   * places that are not there.
   */
  run(feeds: Feeds, window: RowWindow, wanted: readonly string[]): Promise<Record<string, Tensor>>;
  /** Copies the first `places` places of row `from`, of every buffer, to other rows. */
  copyRow(from: number, to: readonly number[], places: number): Promise<void>;
  /**
   * Writes the first places of a row, of every buffer, as a run would: [new tokens, heads·width] by the name of its
   * output, from wherever they were computed. Throws RangeError for a row or places that are not there.
   */
  writeRow(row: number, fresh: Readonly<Record<string, Tensor>>): Promise<void>;
  release(): Promise<void>;
}

/** How much a pass through a model may hold at once, where the model is larger than that. */
export interface MemoryLimit {
  /** bytes of weights, as they are once they are float32 */
  readonly weights: number;
  /** bytes of what passes that share the reading of weights keep between its parts */
  readonly values: number;
  /** told of each time that weights were gone through, part by part; default nobody */
  readonly watch?: SweepWatch | undefined;
}

export interface SweepWatch {
  /** milliseconds, of a clock that only goes on */
  now(): number;
  onSweep(sweep: Sweep): void;
  /** The first run of a session that generates from weights that stay in their files: each run reads them all. */
  onMapped(run: { readonly bytes: number; readonly milliseconds: number }): void;
}

/** One going through a model's weights, part by part. */
export interface Sweep {
  /** passes that shared it */
  readonly passes: number;
  /** bytes of weights as they lie in files */
  readonly bytes: number;
  /** milliseconds that parts took to be read and made ready, and to be run */
  readonly reading: number;
  readonly computing: number;
}

export interface Runtime {
  /** default: none; whole models are loaded */
  readonly limit?: MemoryLimit | undefined;
  /**
   * A session for the graph with its weights bound. Throws where a weight is missing or has another shape. One that
   * is `lean` gives memory back after each run, which costs some percent of its time.
   */
  load(graph: Graph, weights: OnnxWeights, options?: { readonly lean?: boolean }): Promise<Session>;
  /** The same, keeping values by input name between runs. */
  loadStateful(
    graph: Graph,
    weights: OnnxWeights,
    kept: Readonly<Record<string, Kept>>,
  ): Promise<StatefulSession>;
  /** A session with `rows` rows of each buffer, all zero. */
  loadCached(
    graph: Graph,
    weights: OnnxWeights,
    buffers: readonly CacheBuffer[],
    rows: number,
  ): Promise<CachedSession>;
  /** Releases every session and whatever runs them. */
  close(): Promise<void>;
}
