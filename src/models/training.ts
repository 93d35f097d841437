/**
 * The graph that trains a model: B sequences of t tokens each, next-token cross-entropy weighted token by token, and Adam's step on the chosen
 * weights.
 */
import { type AdamOptions, adam, type TrainingGraph } from '../graph/adam.ts';
import { gather, input, logSumExp, matmul, mul, reshape, sub, sum, sumLast } from '../graph/build.ts';
import { simplify } from '../graph/simplify.ts';
import { type Model, type Pass, Scope } from './decoder.ts';

export interface BatchShape {
  /** B */
  readonly sequences: number;
  /** t, of each */
  readonly length: number;
}

/**
 * Inputs: ids and targets [B·t], positions [B·t, 1], mask [t, t], weights [B·t, 1] (of each token's loss), the scalars of `adam`, and the weights for which
 * `trainable` holds, by name. Outputs: `loss` (Σ weight · nll, nats) and what `adam` gives.
 */
export function trainingGraph(
  model: Model,
  { sequences, length }: BatchShape,
  trainable: (name: string) => boolean,
  options: AdamOptions = {},
): TrainingGraph {
  const { decoder } = model;
  const tokens = sequences * length;
  const scope = new Scope(model, trainable);
  const pass: Pass = {
    ids: input('ids', [tokens], 'i64'),
    positions: input('positions', [tokens, 1]),
    sequences,
    mask: (window) => input(window === undefined ? 'mask' : `mask.${window}`, [length, length]),
  };
  let residual = decoder.embed(scope, pass);
  for (let layer = 0; layer < decoder.blocks; layer++) residual = decoder.block(layer, residual, scope, pass);
  const hidden = decoder.finalNorm(residual, scope);
  const table = decoder.unembedding(scope);
  const transform = decoder.logitTransform ?? ((x) => x);
  const logits = transform(matmul(hidden, table, { transB: true }));
  const wanted = gather(table, input('targets', [tokens], 'i64'));
  const nll = sub(logSumExp(logits), transform(sumLast(mul(hidden, wanted))));
  const loss = reshape(sum(mul(nll, input('weights', [tokens, 1])), [0]), []);
  const { graph, state } = adam(loss, scope.used, { loss }, options);
  return { graph: simplify(graph), state };
}
