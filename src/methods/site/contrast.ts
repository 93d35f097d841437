/**
 * The unit of attribution: one prompt with its positive and negative completions, and what it gives to the
 * estimate of docs/method.md: rows (ĝ_t, a_t − ā) such that for any direction d its contribution is Δ(d) = −Σ_t
 * (ĝ_t·d) ((a_t − ā)·d).
 */
import { InputError } from '../../errors.ts';
import { assertFinite } from '../../models/finite.ts';
import { type Branch, packTree, placesOf, type Tree } from '../../models/tree.ts';
import { rowNorms, sinkFactor, sinksOf } from './sinks.ts';
import type { SitePass } from './siteGradient.ts';

export const tokenSets = ['prompt', 'completion', 'all'] as const;
/** Over which tokens δ is averaged: those of the prompt (the source's choice), of the completion, or both. */
export type TokenSet = (typeof tokenSets)[number];

export const lossKinds = ['mean', 'sum'] as const;
/** L of a completion: mean or sum of its tokens' cross-entropy, in nats. */
export type LossKind = (typeof lossKinds)[number];

/** Token ids of a prompt and its graded completions; positives show the behaviour. */
export interface Contrast {
  readonly id: string;
  readonly prompt: readonly number[];
  readonly positives: readonly (readonly number[])[];
  readonly negatives: readonly (readonly number[])[];
}

export interface ContrastOptions {
  /** ā [d] */
  readonly baseline: Float32Array;
  /** default prompt */
  readonly tokenSet?: TokenSet;
  /** default mean */
  readonly loss?: LossKind;
  /** tokens with a norm beyond this multiple of their sequence's median are left out; default 10 */
  readonly sinkFactor?: number;
}

/** What one contrast gives. Shapes: R rows, d residual width. */
export interface ContrastRows {
  readonly id: string;
  /** ĝ [R, d]: the gradient with its signs and means folded in */
  readonly gradient: Float32Array;
  /** a − ā [R, d] */
  readonly centred: Float32Array;
  /**
   * of each row: its token's id, its position in its sequence, and the completion it belongs to (−1: the
   * prompt, then positives, negatives)
   */
  readonly tokens: readonly { readonly id: number; readonly position: number; readonly branch: number }[];
  /** loss of each completion, positives then negatives, as `loss` says, in nats */
  readonly losses: readonly number[];
  /** packed tokens of the tree, and how many of them were left out as sinks */
  readonly packed: number;
  readonly sinks: number;
}

const length = ({ start, end }: Branch) => end - start;

/** +1/n⁺ for each positive branch, −1/n⁻ for each negative. */
export function signs({ positives, negatives }: Contrast): number[] {
  return [...positives.map(() => 1 / positives.length), ...negatives.map(() => -1 / negatives.length)];
}

/** Sinks of any of the tree's sequences: a prompt token that is one in any of them is left out of all. */
export function treeSinks(tree: Tree, norms: Float64Array, factor: number): Set<number> {
  return new Set(tree.branches.flatMap((_, b) => sinksOf(norms, placesOf(tree, b), factor)));
}

/**
 * The packed places of a token set, attention sinks left out: the prompt's, and each completion's own.
 * Throws InputError where a completion has none.
 */
export function placesOfSet(
  id: string,
  tree: Tree,
  sinks: ReadonlySet<number>,
  tokenSet: TokenSet,
): { prompt: number[]; branches: number[][] } {
  const kept = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => from + i).filter((place) => !sinks.has(place));
  const prompt = tokenSet === 'completion' ? [] : kept(0, tree.prompt);
  const branches = tree.branches.map(({ start, end }) => (tokenSet === 'prompt' ? [] : kept(start, end)));
  if (branches.some((places) => prompt.length + places.length === 0))
    throw new InputError(
      `pair ${id}: no token of the set '${tokenSet}' is left once attention sinks are taken out (${sinks.size} of ${tree.ids.length} tokens)`,
    );
  return { prompt, branches };
}

interface Selection {
  /** places in the packed sequence */
  readonly places: readonly number[];
  readonly sinks: number;
  /** weight of each branch's loss, a token */
  readonly branchWeights: readonly number[];
  /** weight of every selected row */
  readonly rowWeight: number;
}

/**
 * For the set `prompt` every completion's mean runs over the same tokens, so 1/|T| is a weight of the rows.
 * For the others |T| differs between completions; as g is linear in the loss, 1/|T| goes into each
 * completion's weight.
 */
function select(
  contrast: Contrast,
  tree: Tree,
  activation: Float32Array,
  options: ContrastOptions,
): Selection {
  const { tokenSet = 'prompt', loss = 'mean', sinkFactor: factor = sinkFactor, baseline } = options;
  const sinks = treeSinks(tree, rowNorms(activation, baseline.length), factor);
  const { prompt, branches } = placesOfSet(contrast.id, tree, sinks, tokenSet);
  const sizes = branches.map((places) => prompt.length + places.length);
  const folded = tokenSet !== 'prompt';
  const perBranch = signs(contrast).map(
    (sign, b) => sign / (loss === 'mean' ? length(tree.branches[b]!) : 1) / (folded ? sizes[b]! : 1),
  );
  return {
    places: [...prompt, ...branches.flat()],
    sinks: sinks.size,
    branchWeights: perBranch,
    rowWeight: folded ? 1 : 1 / prompt.length,
  };
}

function branchOf(tree: Tree, place: number): number {
  return tree.branches.findIndex(({ start, end }) => place >= start && place < end);
}

/** One forward and one backward for the contrast. Throws InputError where no token of the set is left. */
export async function contrastRows(
  pass: SitePass,
  contrast: Contrast,
  options: ContrastOptions,
): Promise<ContrastRows> {
  const { baseline, loss = 'mean' } = options;
  const d = baseline.length;
  const tree = packTree(contrast.prompt, [...contrast.positives, ...contrast.negatives]);
  let chosen: Selection | undefined;
  const what = `pair ${contrast.id}: the model gives activations or gradients`;
  const { activation, gradient, nll } = await pass.run(tree, (a) => {
    assertFinite(a, what);
    chosen = select(contrast, tree, a, options);
    return chosen.branchWeights;
  });
  assertFinite(gradient, what);
  const { places, sinks, rowWeight } = chosen!;
  const rows = (f: (place: number, i: number) => number) =>
    Float32Array.from({ length: places.length * d }, (_, at) => f(places[Math.floor(at / d)]!, at % d));
  return {
    id: contrast.id,
    gradient: rows((place, i) => gradient[place * d + i]! * rowWeight),
    centred: rows((place, i) => activation[place * d + i]! - baseline[i]!),
    tokens: places.map((place) => ({
      id: tree.ids[place]!,
      position: tree.positions[place]!,
      branch: branchOf(tree, place),
    })),
    losses: nll.map((values) => {
      const total = values.reduce((sum, x) => sum + x, 0);
      return loss === 'mean' ? total / values.length : total;
    }),
    packed: tree.ids.length,
    sinks,
  };
}
