/**
 * One step of training as graph ops: gradients of a loss, accumulated over micro-batches, clipped by their
 * global norm, applied by Adam (Kingma and Ba 2015; decoupled decay as Loshchilov and Hutter 2019).
 * Parameters and moments are inputs and outputs of equal shape, so that a runtime can keep them between
 * steps.
 */
import { f32, sizeOf, type Tensor, tensor } from '../tensor.ts';
import {
  add,
  div,
  greaterOrEqual,
  input,
  mul,
  reshape,
  scalar,
  scale,
  sqrt,
  sub,
  sum,
  where,
} from './build.ts';
import { gradient } from './gradient.ts';
import type { Graph, Node } from './node.ts';

export interface AdamOptions {
  /** decay of the mean of gradients; default 0.9 */
  readonly beta1?: number;
  /** decay of the mean of their squares; default 0.95 */
  readonly beta2?: number;
  /** default 1e-8 */
  readonly epsilon?: number;
  /** decoupled weight decay a step, times the learning rate; default 0 */
  readonly decay?: number;
  /** greatest global norm of the gradient; default 1 */
  readonly clip?: number;
  /**
   * whether a step may have several micro-batches; without, their sum is no part of the state. Default true
   */
  readonly accumulate?: boolean;
  /** changes a parameter after its step, for example back to unit rows */
  readonly project?: (name: string, value: Node) => Node;
  /** changes a parameter's gradient before clipping */
  readonly projectGradient?: (name: string, gradient: Node, value: Node) => Node;
}

/** What a training graph keeps between steps: input name → the output that replaces it. */
export type StateNames = Readonly<Record<string, string>>;

export interface TrainingGraph {
  readonly graph: Graph;
  readonly state: StateNames;
}

const kinds = ['mean', 'square', 'sum'] as const;
const stateName = (kind: (typeof kinds)[number], name: string) => `${kind}:${name}`;

/**
 * Besides the loss's own inputs the graph takes scalars: `apply` (1 on the last micro-batch of a step, else
 * 0), `rate` (learning rate), `correct1` and `correct2` (1/(1 − βᵗ) at step t). Outputs: those given,
 * `norm` (global gradient norm before clipping), and the next state.
 */
export function adam(
  loss: Node,
  parameters: ReadonlyMap<string, Node>,
  outputs: Readonly<Record<string, Node>>,
  options: AdamOptions = {},
): TrainingGraph {
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, decay = 0, clip = 1, project = (_, v) => v } = options;
  const { projectGradient = (_, g) => g, accumulate = true } = options;
  const [apply, rate, correct1, correct2] = ['apply', 'rate', 'correct1', 'correct2'].map((name) =>
    input(name, []),
  ) as [Node, Node, Node, Node];
  const names = [...parameters.keys()];
  const values = [...parameters.values()];
  const kept = (kind: (typeof kinds)[number], i: number) =>
    input(stateName(kind, names[i]!), values[i]!.shape);
  const totals = gradient(loss, values).map((g, i) => {
    const own = projectGradient(names[i]!, g, values[i]!);
    return accumulate ? add(kept('sum', i), own) : own;
  });
  const norm = sqrt(totals.map(squares).reduce((a, b) => add(a, b)));
  const limit = scalar(clip);
  const shrink = div(limit, where(greaterOrEqual(norm, limit), norm, limit));
  const next: Record<string, Node> = {};
  const state: Record<string, string> = {};
  const keep = (name: string, value: Node) => {
    next[`next:${name}`] = value;
    state[name] = `next:${name}`;
  };
  names.forEach((name, i) => {
    const value = values[i]!;
    const g = mul(totals[i]!, shrink);
    const blend = (old: Node, now: Node, beta: number) =>
      add(old, mul(mul(apply, scalar(1 - beta)), sub(now, old)));
    const mean = blend(kept('mean', i), g, beta1);
    const square = blend(kept('square', i), mul(g, g), beta2);
    const step = div(mul(mean, correct1), add(sqrt(mul(square, correct2)), scalar(epsilon)));
    const move = mul(mul(apply, rate), decay === 0 ? step : add(step, scale(value, decay)));
    keep(name, project(name, sub(value, move)));
    keep(stateName('mean', name), mean);
    keep(stateName('square', name), square);
    if (accumulate) keep(stateName('sum', name), mul(totals[i]!, sub(scalar(1), apply)));
  });
  return { graph: { outputs: { ...outputs, norm, ...next } }, state };
}

/** Σ x² as a scalar. */
function squares(x: Node): Node {
  const axes = x.shape.map((_, i) => i);
  return reshape(sum(mul(x, x), axes), []);
}

/** The state before the first step: the parameters as given, zero moments and sums. */
export function initialState(parameters: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const state: Record<string, Tensor> = {};
  for (const [name, value] of parameters) {
    state[name] = value;
    for (const kind of kinds)
      state[stateName(kind, name)] = tensor('f32', value.shape, new Float32Array(sizeOf(value.shape)));
  }
  return state;
}

/** The scalars to feed at step t (from 1). */
export function adamFeeds(
  step: number,
  rate: number,
  last: boolean,
  { beta1 = 0.9, beta2 = 0.95 }: AdamOptions = {},
): Record<string, Tensor> {
  const one = (x: number) => f32([], [x]);
  return {
    apply: one(last ? 1 : 0),
    rate: one(rate),
    correct1: one(1 / (1 - beta1 ** step)),
    correct2: one(1 / (1 - beta2 ** step)),
  };
}
