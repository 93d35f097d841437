/** What every runtime does: bind a graph to its weights, then run it on fed values. */
import type { Graph } from '../graph/node.ts';
import type { Tensor } from '../tensor.ts';
import type { Weights } from './onnx.ts';

export type Feeds = Readonly<Record<string, Tensor>>;

export interface Session {
  /** Values of all outputs. Feeds are copied; results are the caller's own. Feeds that the graph does not use are passed over. */
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

/** A buffer [rows, ...row] of float32 that a session reads at an input and writes, in place, at an output. */
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
}

/** A session over buffers that stay with it. */
export interface CachedSession {
  /** Runs on a window of rows and returns the outputs that are wanted. */
  run(feeds: Feeds, window: RowWindow, wanted: readonly string[]): Promise<Record<string, Tensor>>;
  /** Copies the first `places` places of row `from`, of every buffer, to other rows. */
  copyRow(from: number, to: readonly number[], places: number): Promise<void>;
  release(): Promise<void>;
}

export interface Runtime {
  /** A session for the graph with its weights bound. Throws where a weight is missing or has another shape. */
  load(graph: Graph, weights: Weights): Promise<Session>;
  /** The same, keeping values by input name between runs. */
  loadStateful(
    graph: Graph,
    weights: Weights,
    kept: Readonly<Record<string, Kept>>,
  ): Promise<StatefulSession>;
  /** A session with `rows` rows of each buffer, all zero. */
  loadCached(
    graph: Graph,
    weights: Weights,
    buffers: readonly CacheBuffer[],
    rows: number,
  ): Promise<CachedSession>;
  /** Releases every session and whatever runs them. */
  close(): Promise<void>;
}
