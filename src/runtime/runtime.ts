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

export interface Runtime {
  /** A session for the graph with its weights bound. Throws where a weight is missing or has another shape. */
  load(graph: Graph, weights: Weights): Promise<Session>;
  /** The same, keeping values by input name between runs. */
  loadStateful(
    graph: Graph,
    weights: Weights,
    kept: Readonly<Record<string, Kept>>,
  ): Promise<StatefulSession>;
  /** Releases every session and whatever runs them. */
  close(): Promise<void>;
}
