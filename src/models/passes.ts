/**
 * The graphs that methods run on a model, cut at a site: from tokens to the residual stream there, and from
 * there to logits or to the loss and its gradient. Lengths: 'tokens' T of the packed sequence, 'rows' n of
 * the places whose logits are wanted.
 */
import { InputError } from '../errors.ts';
import { gather, input, logSumExp, matmul, mul, sub, sum, sumLast, transpose } from '../graph/build.ts';
import { gradient } from '../graph/gradient.ts';
import type { Graph, Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import { attention, type Scoring, withinWindow } from './attention.ts';
import { logitsFrom, type Model, type Pass, Scope } from './decoder.ts';

/** The mask [t, t] by window, from the positions [t, 1] of its tokens. */
export function windowMasks(mask: Node, positions: Node): (scoring: Scoring) => Node {
  const across = transpose(positions, [1, 0]);
  return ({ window }) => (window === undefined ? mask : withinWindow(mask, positions, across, window));
}

/** What a pass over a packed tree is fed, and its attention. */
export function treePass(): Pass {
  const positions = input('positions', ['tokens', 1]);
  const masked = windowMasks(input('mask', ['tokens', 'tokens']), positions);
  return {
    ids: input('ids', ['tokens'], 'i64'),
    positions,
    attend: (_, query, key, value, heads, scoring) =>
      attention(query, key, value, masked(scoring), heads, scoring),
  };
}

/** Throws InputError unless `layer` names a block of the model. */
export function checkSite(model: Model, layer: number): void {
  const last = model.decoder.blocks - 1;
  if (!Number.isInteger(layer) || layer < 0 || layer > last)
    throw new InputError(`site resid_post ${layer}: ${model.where} has blocks 0 to ${last}`);
}

export function runBlocks(model: Model, scope: Scope, x: Node, from: number, to: number, on: Pass): Node {
  let residual = x;
  for (let layer = from; layer <= to; layer++) residual = model.decoder.block(layer, residual, scope, on);
  return residual;
}

/**
 * ids, positions, mask → `resid_post.L` [T, d] for each layer asked, and where asked `embedding` [T, d], what
 * the first block reads. Blocks above the last of them are not in the graph.
 */
export function residualGraph(
  model: Model,
  layers: readonly number[],
  { embedding = false }: { readonly embedding?: boolean } = {},
): Graph {
  for (const layer of layers) checkSite(model, layer);
  const scope = new Scope(model);
  const on = treePass();
  const outputs: Record<string, Node> = {};
  let residual = model.decoder.embed(scope, on);
  if (embedding) outputs.embedding = residual;
  let done = -1;
  for (const layer of [...layers].sort((a, b) => a - b)) {
    residual = runBlocks(model, scope, residual, done + 1, layer, on);
    done = layer;
    outputs[`resid_post.${layer}`] = residual;
  }
  return simplify({ outputs });
}

export function logitsOf(model: Model, hidden: Node, scope: Scope): Node {
  return logitsFrom(model.decoder, matmul(hidden, model.decoder.unembedding(scope), { transB: true }));
}

/** ids, positions, mask, rows [n] → `logits` [n, V]. */
export function logitsGraph(model: Model): Graph {
  const scope = new Scope(model);
  const on = treePass();
  const last = runBlocks(model, scope, model.decoder.embed(scope, on), 0, model.decoder.blocks - 1, on);
  const hidden = model.decoder.finalNorm(gather(last, input('rows', ['rows'], 'i64')), scope);
  return simplify({ outputs: { logits: logitsOf(model, hidden, scope) } });
}

interface Head {
  /** the residual stream at the site, fed */
  readonly resid: Node;
  /** −ln p(target) of each row [n, 1], in nats */
  readonly nll: Node;
  /** [n, V] */
  readonly logits: Node;
}

/** From a fed residual at the site to each row's loss. Only the rows reach the unembedding. */
function head(model: Model, layer: number): Head {
  checkSite(model, layer);
  const { decoder } = model;
  const scope = new Scope(model);
  const resid = input('resid', ['tokens', decoder.width]);
  const last = runBlocks(model, scope, resid, layer + 1, decoder.blocks - 1, treePass());
  const hidden = decoder.finalNorm(gather(last, input('rows', ['rows'], 'i64')), scope);
  const logits = logitsOf(model, hidden, scope);
  const wanted = gather(decoder.unembedding(scope), input('targets', ['rows'], 'i64'));
  const target = logitsFrom(decoder, sumLast(mul(hidden, wanted)));
  return { resid, nll: sub(logSumExp(logits), target), logits };
}

/** resid [T, d], positions, mask, rows [n], targets [n] → `nll` [n, 1] and `logits` [n, V]. */
export function lossGraph(model: Model, layer: number): Graph {
  const { nll, logits } = head(model, layer);
  return simplify({ outputs: { nll, logits } });
}

/**
 * The attribution pass above the cut. resid [T, d], positions, mask, rows [n], targets [n], weights [n, 1] →
 * `nll` [n, 1] and `grad` [T, d], the gradient of Σ weights · nll with respect to resid.
 */
export function gradientGraph(model: Model, layer: number): Graph {
  const { resid, nll } = head(model, layer);
  const loss = sum(mul(nll, input('weights', ['rows', 1])), [0]);
  const [grad] = gradient(loss, [resid]);
  return simplify({ outputs: { nll, grad: grad! } });
}
