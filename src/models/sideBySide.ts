/**
 * Texts read side by side in one run, of any lengths and without padding but within attention: prompts alone,
 * and completions behind the keys and values of prompts that were read before. A text's numbers are the same bits
 * in any company: its rows do not mix with others', and what stands behind its places adds zeros. Lengths: T
 * tokens of R texts, S the most tokens of one, C places of each (whole blocks), d residual width, V vocabulary.
 */
import { add, gather, input, logSumExp, mul, reshape, scatterAdd, sub, sumLast } from '../graph/build.ts';
import type { Graph, Node } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import { f32, i64, type Tensor, tensor } from '../tensor.ts';
import { textAttention, withinWindow } from './attention.ts';
import { logitsFrom, type Model, type Pass, Scope } from './decoder.ts';
import { checkSite, logitsOf, runBlocks } from './passes.ts';

/** Keys or values of one block: the input that takes a prompt's, the output that gives a text's own. */
export interface KeptRows {
  readonly input: string;
  readonly output: string;
  /** heads·h */
  readonly width: number;
}

interface TextsPass {
  readonly pass: Pass;
  readonly caches: readonly KeptRows[];
  /** own keys and values [T, heads·h] by output name */
  readonly fresh: Readonly<Record<string, Node>>;
}

const cacheRows = 'places·texts';

function textsPass({ behind }: { readonly behind: boolean }): TextsPass {
  const caches: KeptRows[] = [];
  const fresh: Record<string, Node> = {};
  const positions = input('positions', ['tokens', 1]);
  const mask = input('mask', ['texts', 'longest', 'places']);
  const queries = input('queries', ['tokens'], 'i64');
  const own = input('own', ['tokens'], 'i64');

  /** What a block's tokens see: their own keys or values behind the prompt's [R·C, width]. */
  function seen(kind: 'keys' | 'values', layer: number, x: Node, width: number): Node {
    const name = { input: `${kind}.${layer}`, output: `${kind}.${layer}.own`, width };
    caches.push(name);
    fresh[name.output] = x;
    const placed = scatterAdd(x, own, cacheRows);
    return behind ? add(input(name.input, [cacheRows, width]), placed) : placed;
  }

  const within = (window: number) => {
    const rows = scatterAdd(positions, queries, 'longest·texts');
    return withinWindow(
      mask,
      reshape(rows, ['texts', 'longest', 1]),
      reshape(input('placeNumbers', ['places']), [1, 1, 'places']),
      window,
    );
  };
  const pass: Pass = {
    ids: input('ids', ['tokens'], 'i64'),
    positions,
    attend(layer, query, key, value, heads, scoring) {
      const width = heads.keyValue * heads.width;
      const masked = scoring.window === undefined ? mask : within(scoring.window);
      return textAttention(
        query,
        seen('keys', layer, key, width),
        seen('values', layer, value, width),
        { mask: masked, queries },
        heads,
        scoring,
      );
    },
  };
  return { pass, caches, fresh };
}

/**
 * Of prompts: ids, positions, mask, queries, own, rows [R] (each one's last token) → `logits` [R, V] and
 * `logSumExp` [R, 1] of what comes next, and keys and values of all blocks by their output names.
 */
export function promptsGraph(model: Model): { readonly graph: Graph; readonly caches: readonly KeptRows[] } {
  const { decoder } = model;
  const scope = new Scope(model);
  const { pass, caches, fresh } = textsPass({ behind: false });
  const last = runBlocks(model, scope, decoder.embed(scope, pass), 0, decoder.blocks - 1, pass);
  const hidden = decoder.finalNorm(gather(last, input('rows', ['rows'], 'i64')), scope);
  const logits = logitsOf(model, hidden, scope);
  return { graph: simplify({ outputs: { logits, logSumExp: logSumExp(logits), ...fresh } }), caches };
}

/**
 * Of completions behind prompts: the same with keys and values of the prompts by their input names, rows [n] and
 * targets [n] → `resid` [T, d], the residual at resid_post `layer`, and `nll` [n, 1], −ln p(target) of each row.
 * Throws InputError where the model has no such site.
 */
export function completionsGraph(model: Model, layer: number): Graph {
  checkSite(model, layer);
  const { decoder } = model;
  const scope = new Scope(model);
  const { pass } = textsPass({ behind: true });
  const resid = runBlocks(model, scope, decoder.embed(scope, pass), 0, layer, pass);
  const last = runBlocks(model, scope, resid, layer + 1, decoder.blocks - 1, pass);
  const hidden = decoder.finalNorm(gather(last, input('rows', ['rows'], 'i64')), scope);
  const wanted = gather(decoder.unembedding(scope), input('targets', ['rows'], 'i64'));
  const target = logitsFrom(decoder, sumLast(mul(hidden, wanted)));
  return simplify({ outputs: { resid, nll: sub(logSumExp(logitsOf(model, hidden, scope)), target) } });
}

/** A text in a run: its tokens, and how many places of its own were taken before it. */
export interface Text {
  readonly ids: readonly number[];
  readonly behind: number;
}

/** Places are a multiple of this: a softmax over more of them adds zeros and nothing else. */
const placesBlock = 16;

/** C: the places of each text in a run of these. */
export const placesOfRun = (texts: readonly Text[]): number =>
  placesBlock * Math.ceil(Math.max(...texts.map(({ ids, behind }) => behind + ids.length)) / placesBlock);

/** A run in which no token is alone, beside itself where need be: a product of one row rounds differently. */
export const notAlone = <T extends Text>(run: readonly T[]): readonly T[] =>
  run.length === 1 && run[0]!.ids.length === 1 ? [run[0]!, run[0]!] : run;

/** Where each text's tokens begin among the T. */
export function starts(texts: readonly Text[]): number[] {
  let at = 0;
  return texts.map(({ ids }) => {
    const start = at;
    at += ids.length;
    return start;
  });
}

/** The feeds that both graphs take. Every text must have a token. */
export function textFeeds(texts: readonly Text[]): Record<string, Tensor> {
  const places = placesOfRun(texts);
  // a product of one row rounds differently
  const longest = Math.max(2, ...texts.map(({ ids }) => ids.length));
  const mask = new Float32Array(texts.length * longest * places).fill(Number.NEGATIVE_INFINITY);
  const tokens = texts.flatMap(({ ids, behind }, row) =>
    ids.map((id, i) => ({
      id,
      position: behind + i,
      query: row * longest + i,
      own: row * places + behind + i,
    })),
  );
  for (const [row, { ids, behind }] of texts.entries())
    for (let i = 0; i < longest; i++) {
      const from = (row * longest + i) * places;
      // a query of padding sees what the last token sees: nothing reads it, but it is a number
      mask.fill(0, from, from + behind + Math.min(i + 1, ids.length));
    }
  const column = (of: (token: (typeof tokens)[number]) => number) => i64([tokens.length], tokens.map(of));
  return {
    ids: column(({ id }) => id),
    positions: f32(
      [tokens.length, 1],
      tokens.map(({ position }) => position),
    ),
    queries: column(({ query }) => query),
    own: column(({ own }) => own),
    mask: tensor('f32', [texts.length, longest, places], mask),
    placeNumbers: f32([places], [...Array(places).keys()]),
  };
}
