/**
 * The training step of a sparse autoencoder as a graph. TopK as in Gao et al. 2024 ("Scaling and evaluating
 * sparse autoencoders"), with their auxiliary loss for dead latents; JumpReLU as in Rajamanoharan et al.
 * 2024 ("Jumping Ahead"). Shapes: B rows, d width, N latents.
 */
import { type AdamOptions, adam, type TrainingGraph } from '../../graph/adam.ts';
import {
  add,
  detach,
  div,
  exp,
  gather,
  greaterOrEqual,
  input,
  matmul,
  mul,
  put,
  reshape,
  scalar,
  scale,
  sqrt,
  sub,
  sum,
  sumLast,
  take,
  topIndices,
  where,
} from '../../graph/build.ts';
import type { Node } from '../../graph/node.ts';
import { simplify } from '../../graph/simplify.ts';

export const trainedKinds = ['topk', 'jumprelu'] as const;
export type TrainedKind = (typeof trainedKinds)[number];

export interface SaeGraphOptions {
  readonly kind: TrainedKind;
  /** d */
  readonly width: number;
  /** N */
  readonly latents: number;
  /** B */
  readonly batch: number;
  /** active latents of a row: exactly (topk), or on average (jumprelu) */
  readonly k: number;
  /** what rows are multiplied by, so that their mean norm is √d */
  readonly scale: number;
  /** mean Σ(x − mean)² of a scaled row; the reconstruction loss is in units of it */
  readonly variance: number;
  /** dead latents that reconstruct a row's error; 0 for none */
  readonly auxK: number;
}

/** Adam's settings here; no more decay, and epsilon as Gao et al. */
export const saeAdamOptions: AdamOptions = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 6.25e-10,
  clip: 1,
  accumulate: false,
};

/**
 * Full width of the kernel by which a threshold's gradient is estimated, in units of a scaled row's
 * coordinates.
 */
const bandwidth = 0.1;
/** Weight of (L0/k − 1)² against the normalised error. */
const sparsityWeight = 1;

const zero = scalar(0);
const one = scalar(1);
const relu = (a: Node) => where(greaterOrEqual(a, zero), a, zero);
const total = (a: Node) =>
  reshape(
    sum(
      a,
      a.shape.map((_, i) => i),
    ),
    [],
  );
const squares = (a: Node) => total(mul(a, a));

/** A value of 0 whose gradient with respect to `node` is `slope`. */
const slopeOnly = (slope: Node, node: Node) => mul(detach(slope), sub(node, detach(node)));

type Parameters = Readonly<Record<'encoder' | 'decoder' | 'encoderBias' | 'decoderBias', Node>> & {
  readonly logThreshold?: Node;
};

interface Coded {
  /** activations [B, N] */
  readonly z: Node;
  /** Σ z_i d_i, [B, d] */
  readonly sum: Node;
  /** mean number of active latents of a row, [] */
  readonly l0: Node;
  /** what is added to the loss, if anything */
  readonly penalty?: Node;
  /** whether no gradient passes from `sum` to the decoder: zᵀ ∂loss/∂sum is its gradient then */
  readonly apart: boolean;
}

/**
 * The k decoder rows of each token are gathered once, for the sum and for the gradient of z: k/N of two
 * dense products. The decoder's own gradient is a dense product still: adding rows one by one runs on one
 * thread in ONNX Runtime.
 */
function topK(pre: Node, { decoder }: Parameters, { k, width, latents, batch }: SaeGraphOptions): Coded {
  const places = topIndices(pre, k);
  const values = relu(take(pre, places));
  const rows = gather(detach(decoder), reshape(places, [batch * k]));
  const sum = matmul(reshape(values, [batch, 1, k]), reshape(rows, [batch, k, width]));
  const positive = where(greaterOrEqual(zero, values), zero, one);
  return {
    z: put(values, places, latents),
    sum: reshape(sum, [batch, width]),
    l0: scale(total(positive), 1 / batch),
    apart: true,
  };
}

/** θ = exp(logThreshold) [1, N]. Straight-through: ∂z/∂θ = −θ/ε and ∂H/∂θ = −1/ε where |pre − θ| ≤ ε/2. */
function jumpRelu(
  pre: Node,
  { decoder, logThreshold }: Parameters,
  { k, latents, batch }: SaeGraphOptions,
): Coded {
  const threshold = reshape(exp(logThreshold!), [1, latents]);
  const distance = sub(pre, threshold);
  const off = greaterOrEqual(zero, distance);
  const near = where(
    greaterOrEqual(scalar((bandwidth / 2) ** 2), mul(distance, distance)),
    scalar(-1 / bandwidth),
    zero,
  );
  const z = add(relu(where(off, zero, pre)), slopeOnly(mul(near, threshold), threshold));
  const active = add(where(off, zero, one), slopeOnly(near, threshold));
  const l0 = scale(total(active), 1 / batch);
  const excess = sub(scale(l0, 1 / k), one);
  return {
    z,
    sum: matmul(z, decoder),
    l0,
    penalty: scale(mul(excess, excess), sparsityWeight),
    apart: false,
  };
}

/** Names and shapes of what is trained. W_enc is kept by latents, [N, d]. */
export function parameterShapes({
  kind,
  width,
  latents,
}: Pick<SaeGraphOptions, 'kind' | 'width' | 'latents'>): Record<string, readonly number[]> {
  return {
    encoder: [latents, width],
    decoder: [latents, width],
    encoderBias: [latents],
    decoderBias: [width],
    ...(kind === 'jumprelu' && { logThreshold: [latents] }),
  };
}

/**
 * How badly the auxK greatest dead latents reconstruct the error e [B, d], relative to e: ‖e − ê‖²/‖e‖²,
 * times the fed `auxWeight`. `dead` [m] names m ≥ auxK latents; `deadOffset` [m] is 0, or far below 0 for
 * one named only to fill up.
 */
function auxiliary(x: Node, e: Node, p: Parameters, { auxK }: SaeGraphOptions): Node {
  const ids = input('dead', ['dead'], 'i64');
  const bias = add(gather(p.encoderBias, ids), input('deadOffset', ['dead']));
  const pre = add(matmul(sub(x, p.decoderBias), gather(p.encoder, ids), { transB: true }), bias);
  const places = topIndices(pre, auxK);
  const z = put(relu(take(pre, places)), places, 'dead');
  const found = matmul(z, gather(p.decoder, ids));
  return mul(div(squares(sub(e, found)), squares(e)), input('auxWeight', []));
}

/** Unit rows. */
function unit(rows: Node): Node {
  return div(rows, sqrt(sumLast(mul(rows, rows))));
}

/** The gradient without its part along each row. */
function tangent(gradient: Node, rows: Node): Node {
  return sub(gradient, mul(sumLast(mul(gradient, rows)), rows));
}

export interface SaeObjective {
  /**
   * `loss` [], `error` [] (Σ(x − x̂)² of the batch, scaled rows), `l0` [], `active` [1, N] (> 0 where a
   * latent was active)
   */
  readonly outputs: Readonly<Record<'loss' | 'error' | 'l0' | 'active', Node>>;
  /** the loss to differentiate: equal to `loss` */
  readonly differentiable: Node;
  /** what is trained, by name */
  readonly parameters: ReadonlyMap<string, Node>;
}

/**
 * What training lowers. Inputs: `x` [B, d] (unscaled rows), the parameters; with auxK > 0 also `dead`,
 * `deadOffset`, `auxWeight`.
 */
export function saeObjective(options: SaeGraphOptions): SaeObjective {
  const { width, batch, variance, kind } = options;
  const parameters = new Map(
    Object.entries(parameterShapes(options)).map(([name, shape]) => [name, input(name, shape)]),
  );
  const p = Object.fromEntries(parameters) as unknown as Parameters;
  const x = scale(input('x', [batch, width]), options.scale);
  // (x − b) W as x W − b W: the gradient of b then needs no second product of the batch's size
  const shift = matmul(reshape(p.decoderBias, [1, width]), p.encoder, { transB: true });
  const pre = add(matmul(x, p.encoder, { transB: true }), sub(p.encoderBias, shift));
  const coded = (kind === 'topk' ? topK : jumpRelu)(pre, p, options);
  const e = sub(x, add(coded.sum, p.decoderBias));
  const error = squares(e);
  const unitOfLoss = Math.fround(1 / (batch * variance));
  const terms = [scale(error, unitOfLoss)];
  if (coded.penalty) terms.push(coded.penalty);
  if (options.auxK > 0) terms.push(auxiliary(x, detach(e), p, options));
  const loss = terms.reduce((a, b) => add(a, b));
  const decoderSlope = () => matmul(coded.z, e, { transA: true, alpha: -2 * unitOfLoss });
  return {
    outputs: { loss, error, l0: coded.l0, active: sum(coded.z, [0]) },
    differentiable: coded.apart ? add(loss, total(slopeOnly(decoderSlope(), p.decoder))) : loss,
    parameters,
  };
}

/**
 * One step: the objective's inputs and outputs, and what `adam` takes and gives. Decoder rows stay unit
 * vectors.
 */
export function saeTrainingGraph(options: SaeGraphOptions): TrainingGraph {
  const { outputs, differentiable, parameters } = saeObjective(options);
  const { graph, state } = adam(differentiable, parameters, outputs, {
    ...saeAdamOptions,
    project: (name, value) => (name === 'decoder' ? unit(value) : value),
    projectGradient: (name, g, value) => (name === 'decoder' ? tangent(g, value) : g),
  });
  return { graph: simplify(graph), state };
}
