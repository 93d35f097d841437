/**
 * A model as parts that are run one after another, for one that is larger than memory: runs of blocks, rows of the
 * unembedding. A part's graph reads its own weights only. Lengths: 'tokens' T of the packed sequence, 'rows' n of
 * the places whose logits are wanted; d residual width, V vocabulary.
 */
import { gather, input, logSumExp, matmul, mul, param, sub, sumLast } from '../graph/build.ts';
import { gradient } from '../graph/gradient.ts';
import type { Graph, Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import type { OnnxWeights } from '../runtime/onnx.ts';
import { bytesPerElement, type StoredTensor, sizeOf, type Tensor } from '../tensor.ts';
import { logitsFrom, type Model, Scope } from './decoder.ts';
import { runBlocks, treePass } from './passes.ts';

/** A graph with the weights that it reads. */
export interface Part {
  readonly graph: Graph;
  readonly weights: OnnxWeights;
}

const residual = (model: Model, name = 'resid') => input(name, ['tokens', model.decoder.width]);

/** resid [T, d], positions, mask → `after` [T, d], the residual behind the blocks `from` to `to`. */
export function blocksPart(model: Model, from: number, to: number): Part {
  const after = runBlocks(model, new Scope(model), residual(model), from, to, treePass());
  return { graph: simplify({ outputs: { after } }), weights: model.weights };
}

/**
 * The blocks `from` to `to` run again, and back: resid [T, d] before them, positions, mask, and `upstream` [T, d],
 * the gradient with respect to what they give → `grad` [T, d], that with respect to resid.
 */
export function blocksGradientPart(model: Model, from: number, to: number): Part {
  const resid = residual(model);
  const y = runBlocks(model, new Scope(model), resid, from, to, treePass());
  const [grad] = gradient(mul(y, residual(model, 'upstream')), [resid]);
  return { graph: simplify({ outputs: { grad: grad! } }), weights: model.weights };
}

const lastRows = (resid: Node) => gather(resid, input('rows', ['rows'], 'i64'));

/** resid [T, d] behind the last block, rows [n] → `hidden` [n, d], what the unembedding reads. */
export function hiddenPart(model: Model): Part {
  const hidden = model.decoder.finalNorm(lastRows(residual(model)), new Scope(model));
  return { graph: simplify({ outputs: { hidden } }), weights: model.weights };
}

/** Rows `from` ≤ i < `to` of a matrix, where they lie. */
function rowsOf(t: Tensor | StoredTensor, from: number, to: number): Tensor | StoredTensor {
  const columns = sizeOf(t.shape.slice(1));
  const shape = [to - from, ...t.shape.slice(1)];
  if (!('file' in t)) return { ...t, shape, data: t.data.subarray(from * columns, to * columns) } as Tensor;
  const size = bytesPerElement[t.dtype];
  return { ...t, shape, offset: t.offset + from * columns * size, bytes: (to - from) * columns * size };
}

/** Reads rows `from` to `to` in place of the whole of a table. */
export class RowsScope extends Scope {
  /** the rows that were read, by the names under which the graph has them */
  readonly slices = new Map<string, Tensor | StoredTensor>();

  constructor(
    private readonly whole: Model,
    private readonly from: number,
    private readonly to: number,
  ) {
    super(whole);
  }

  override param(name: string, shape: readonly number[]): Node {
    super.param(name, shape);
    const slice = `${name}[${this.from}:${this.to}]`;
    const rows = rowsOf(this.whole.weights.get(name)!, this.from, this.to);
    this.slices.set(slice, rows);
    return param(slice, rows.shape);
  }
}

/** What is wanted of the logits over some tokens of the vocabulary. */
export type VocabularyReading = 'loss' | 'gradient' | 'logits';

/**
 * hidden [n, d] and the tokens `from` ≤ v < `to` → `lse` [n, 1], ln Σ_v exp(logit_v) over them; for a gradient
 * also `pull` [n, d], that of lse with respect to hidden; for logits these alone, `logits` [n, to − from].
 */
export function vocabularyPart(model: Model, from: number, to: number, reading: VocabularyReading): Part {
  const scope = new RowsScope(model, from, to);
  const { decoder } = model;
  const hidden = input('hidden', ['rows', decoder.width]);
  const logits = logitsFrom(decoder, matmul(hidden, decoder.unembedding(scope), { transB: true }));
  const part = (outputs: Record<string, Node>) => ({
    graph: simplify({ outputs }),
    weights: new Map([...model.weights, ...scope.slices]),
  });
  if (reading === 'logits') return part({ logits });
  const lse = logSumExp(logits);
  if (reading === 'loss') return part({ lse });
  const [pull] = gradient(lse, [hidden]);
  return part({ lse, pull: pull! });
}

/**
 * What is left of the loss once ln Σ exp(logits) is known by its gradient `pull` [n, d]: resid [T, d] behind the
 * last block, rows [n], targets [n], weights [n, 1] → `target` [n, 1], the logits of the targets, and for a
 * gradient `grad` [T, d] of Σ weights · nll with respect to resid.
 */
export function targetPart(model: Model, reading: 'loss' | 'gradient'): Part {
  const { decoder } = model;
  const scope = new Scope(model);
  const resid = residual(model);
  const hidden = decoder.finalNorm(lastRows(resid), scope);
  const wanted = gather(decoder.unembedding(scope), input('targets', ['rows'], 'i64'));
  const target = logitsFrom(decoder, sumLast(mul(hidden, wanted)));
  if (reading === 'loss') return { graph: simplify({ outputs: { target } }), weights: model.weights };
  const nll = sub(sumLast(mul(hidden, input('pull', ['rows', decoder.width]))), target);
  const [grad] = gradient(mul(nll, input('weights', ['rows', 1])), [resid]);
  return { graph: simplify({ outputs: { target, grad: grad! } }), weights: model.weights };
}
