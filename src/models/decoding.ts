/**
 * The graph that generates: one or more new tokens a row, over a cache of keys and values that it reads,
 * and new keys and values to be written there. The same graph reads a prompt (one row, many new tokens) and
 * takes a step (many rows, one new token each). Lengths: 'rows' R, 'new' S tokens of each, R·S of all, C
 * places of the cache, d residual width, V vocabulary.
 */
import {
  add,
  constant,
  gather,
  greaterOrEqual,
  input,
  logSumExp,
  matmul,
  mul,
  reshape,
  scalar,
  softmax,
  sub,
  sumLast,
  take,
  where,
} from '../graph/build.ts';
import type { Graph, Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import { f32 } from '../tensor.ts';
import { cachedAttention, type Heads, withinWindow } from './attention.ts';
import { type Model, type Pass, Scope } from './decoder.ts';
import { checkSite, logitsOf, runBlocks } from './passes.ts';

/** The length of all new tokens: a product is named by its factors in order, so that shapes still compare. */
const tokens = 'new·rows';

/**
 * One cache: the input that is fed with it [R, heads, C, h], and the output of the new tokens' rows [R·S,
 * heads·h] that are to be written there.
 */
export interface CacheName {
  readonly input: string;
  readonly output: string;
  readonly heads: number;
  readonly width: number;
}

export interface DecodingGraph {
  readonly graph: Graph;
  readonly caches: readonly CacheName[];
}

/** What is asked of the logits: work on V values a row and a step that nobody reads is not in the graph. */
export const logitReadings = {
  greedy: ['logits', 'logSumExp'],
  plain: ['probabilities'],
  tempered: ['probabilities', 'logits', 'logSumExp'],
} as const;
export type LogitReading = keyof typeof logitReadings;

export interface DecodingOptions {
  /** C: the longest sequence */
  readonly places: number;
  /** default tempered */
  readonly reading?: LogitReading;
  /**
   * layer L: a_t + steer at resid_post L, at every token of a row, by the input `steer` [R, d]; default no
   * such input
   */
  readonly steerAt?: number;
  /**
   * K: how many projections of each row are held within bounds at that site, before `steer` is added:
   * inputs `directions` and `duals` [R, K, d], `low` and `high` [R, 1, K]. a_t + Σ_k (min(max(p_k, low_k),
   * high_k) − p_k) dual_k with p_k = a_t · direction_k. A token whose |a_t|² exceeds the row's `sinkSquare`
   * [R, 1, 1] is left as it is. Default 0: no such inputs.
   */
  readonly projections?: number;
  /**
   * How far each of n latents moves x [R·S, d], the residual at that site: [R·S, n]. Then each row has one of
   * them taken away before all else: inputs `subtracted` [R·S, 1], a latent's place among the n, and
   * `subtractedDirection` [R, 1, d], of zeros for none. `sinkSquare` spares tokens of this too. Default: no such
   * inputs.
   */
  readonly contributions?: (x: Node) => Node;
  /**
   * Only the part up to that site, whose output is `resid` [R·S, d] in place of what is asked of the logits, or only
   * the part from it on, which takes `resid` in place of `ids`: one after the other they give what the whole gives.
   * Each has the caches of its own blocks. Default: the whole.
   */
  readonly part?: 'below' | 'above';
}

/** Whether each token of x [R, S, d] is no attention sink [R, S, 1]. */
const isNoSink = (x: Node): Node => greaterOrEqual(input('sinkSquare', ['rows', 1, 1]), sumLast(mul(x, x)));

/** x [R·S, d] less what one latent of each row moves it by, [R, S, d]. */
function subtracted(x: Node, d: number, contributions: (x: Node) => Node): Node {
  const rows = reshape(x, ['rows', 'new', d]);
  const own = take(contributions(x), input('subtracted', [tokens, 1], 'i64'));
  const size = where(isNoSink(rows), reshape(own, ['rows', 'new', 1]), scalar(0));
  return sub(rows, mul(size, input('subtractedDirection', ['rows', 1, d])));
}

/** x [R, S, d] with its projections held within bounds. */
function bounded(x: Node, d: number, projections: number): Node {
  const basis = (name: string) => input(name, ['rows', projections, d]);
  const bound = (name: string) => input(name, ['rows', 1, projections]);
  const p = matmul(x, basis('directions'), { transB: true });
  const [low, high] = [bound('low'), bound('high')];
  const raised = where(greaterOrEqual(p, low), p, low);
  const held = where(greaterOrEqual(high, raised), raised, high);
  return add(x, matmul(sub(where(isNoSink(x), held, p), p), basis('duals')));
}

/**
 * Inputs: ids [R, S], positions [R·S, 1] (a token's is its place in the cache), past [R, C] (0 where a row has a token already, −∞ elsewhere),
 * fresh [S, S] (0 where a new token may see another, −∞ elsewhere), ends [R] (each row's last new token
 * among the R·S), the caches, and where asked inverseTemperature [R, 1], `steer` and what holds
 * projections. Outputs: the caches' new rows, and of `logits` [R, V] at each row's last token, their
 * `logSumExp` [R, 1] and `probabilities` [R, V] = softmax(logits · inverseTemperature) what the reading
 * says; a plain one has no temperature.
 */
export function decodingGraph(
  model: Model,
  { places, reading = 'tempered', steerAt, projections = 0, contributions, part }: DecodingOptions,
): DecodingGraph {
  const { decoder } = model;
  if (steerAt !== undefined) checkSite(model, steerAt);
  const scope = new Scope(model);
  const past = input('past', ['rows', places]);
  const fresh = input('fresh', ['new', 'new']);
  const outputs: Record<string, Node> = {};
  const caches: CacheName[] = [];
  const inRows = (x: Node, width: number) => reshape(x, ['rows', 'new', width]);

  function cache(kind: 'keys' | 'values', layer: number, fresh: Node, heads: Heads): Node {
    const name: CacheName = {
      input: `${kind}.${layer}`,
      output: `${kind}.${layer}.new`,
      heads: heads.keyValue,
      width: heads.width,
    };
    caches.push(name);
    outputs[name.output] = fresh;
    return input(name.input, ['rows', heads.keyValue, places, heads.width]);
  }

  const positions = input('positions', [tokens, 1]);
  const placeOf = constant(f32([1, 1, places], [...Array(places).keys()]));
  const within = (window: number) => {
    const queries = reshape(positions, ['rows', 'new', 1]);
    return {
      past: withinWindow(reshape(past, ['rows', 1, places]), queries, placeOf, window),
      fresh: withinWindow(fresh, queries, reshape(positions, ['rows', 1, 'new']), window),
    };
  };
  const pass: Pass = {
    ids: reshape(input('ids', ['rows', 'new'], 'i64'), [tokens]),
    positions,
    attend(layer, query, key, value, heads, scoring) {
      const keys = cache('keys', layer, key, heads);
      const values = cache('values', layer, value, heads);
      const seen = scoring.window === undefined ? { past, fresh } : within(scoring.window);
      return cachedAttention(query, key, value, { keys, values, ...seen }, heads, scoring);
    },
  };
  const d = decoder.width;
  function steered(x: Node): Node {
    const rows = contributions ? subtracted(x, d, contributions) : inRows(x, d);
    const held = projections > 0 ? bounded(rows, d, projections) : rows;
    return reshape(add(held, reshape(input('steer', ['rows', d]), ['rows', 1, d])), [tokens, d]);
  }
  const upToSite = () => runBlocks(model, scope, decoder.embed(scope, pass), 0, steerAt ?? -1, pass);
  if (part === 'below') {
    outputs.resid = upToSite();
    return { graph: simplify({ outputs }), caches };
  }
  let residual = part === 'above' ? input('resid', [tokens, d]) : upToSite();
  if (steerAt !== undefined) residual = steered(residual);
  residual = runBlocks(model, scope, residual, (steerAt ?? -1) + 1, decoder.blocks - 1, pass);
  const hidden = decoder.finalNorm(gather(residual, input('ends', ['rows'], 'i64')), scope);
  const logits = logitsOf(model, hidden, scope);
  const scaled = () => (reading === 'plain' ? logits : mul(logits, input('inverseTemperature', ['rows', 1])));
  const made = {
    logits: () => logits,
    logSumExp: () => logSumExp(logits),
    probabilities: () => softmax(scaled()),
  };
  for (const name of logitReadings[reading]) outputs[name] = made[name]();
  return { graph: simplify({ outputs }), caches };
}
