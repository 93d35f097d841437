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

export interface Runtime {
  /** A session for the graph with its weights bound. Throws where a weight is missing or has another shape. */
  load(graph: Graph, weights: Weights): Promise<Session>;
  /** Releases every session and whatever runs them. */
  close(): Promise<void>;
}
