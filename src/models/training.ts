/**
 * The graph that trains a model: B sequences of t tokens each, next-token cross-entropy weighted token by
 * token, and Adam's step on the chosen weights.
 */
import { type AdamOptions, adam, type TrainingGraph } from '../graph/adam.ts';
import {
  add,
  gather,
  input,
  logSumExp,
  matmul,
  mul,
  reshape,
  slice,
  sub,
  sum,
  sumLast,
} from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import { attention } from './attention.ts';
import { logitsFrom, type Model, type Pass, Scope } from './decoder.ts';
import { windowMasks } from './passes.ts';

export interface BatchShape {
  /** B */
  readonly sequences: number;
  /** t, of each */
  readonly length: number;
}

/**
 * Blocks after which the residual must predict the next token too, through the same final norm and
 * unembedding (early exits).
 */
export interface EarlyExits {
  /** default none */
  readonly exits?: readonly number[];
}

/**
 * Inputs: ids and targets [B·t], positions [B·t, 1], those of each sequence alike, mask [t, t], weights [B·t,
 * 1] (of each token's loss), the scalars of `adam`, and the weights for which `trainable` holds, by name. Outputs: `loss` (Σ weight ·
 * nll, nats, at the end of the model) and what `adam` gives. What is minimised is that loss plus the same
 * at each exit.
 */
export function trainingGraph(
  model: Model,
  { sequences, length, exits = [] }: BatchShape & EarlyExits,
  trainable: (name: string) => boolean,
  options: AdamOptions = {},
): TrainingGraph {
  const { decoder } = model;
  const tokens = sequences * length;
  const scope = new Scope(model, trainable);
  const positions = input('positions', [tokens, 1]);
  const masked = windowMasks(input('mask', [length, length]), slice(positions, 0, 0, length));
  const pass: Pass = {
    ids: input('ids', [tokens], 'i64'),
    positions,
    attend: (_, query, key, value, heads, scoring) =>
      attention(query, key, value, masked(scoring), heads, scoring, sequences),
  };
  const table = decoder.unembedding(scope);
  const wanted = gather(table, input('targets', [tokens], 'i64'));
  const weights = input('weights', [tokens, 1]);
  const lossAt = (residual: Node) => {
    const hidden = decoder.finalNorm(residual, scope);
    const logits = logitsFrom(decoder, matmul(hidden, table, { transB: true }));
    const nll = sub(logSumExp(logits), logitsFrom(decoder, sumLast(mul(hidden, wanted))));
    return reshape(sum(mul(nll, weights), [0]), []);
  };
  let residual = decoder.embed(scope, pass);
  const early: Node[] = [];
  for (let layer = 0; layer < decoder.blocks; layer++) {
    residual = decoder.block(layer, residual, scope, pass);
    if (exits.includes(layer)) early.push(lossAt(residual));
  }
  const loss = lossAt(residual);
  const { graph, state } = adam(early.reduce(add, loss), scope.used, { loss }, options);
  return { graph: simplify(graph), state };
}
