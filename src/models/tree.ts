/**
 * A prompt and its completions packed as one sequence, a tree: the prompt stands once, each completion sees
 * the prompt and itself, and positions restart after the prompt. For a causal model every completion's
 * activations equal those it has alone.
 */
import { f32, i64, type Tensor, tensor } from '../tensor.ts';

export interface Branch {
  /** where the completion's tokens stand in the packed sequence */
  readonly start: number;
  readonly end: number;
}

export interface Tree {
  readonly ids: readonly number[];
  readonly positions: readonly number[];
  /** tokens of the prompt; they stand first */
  readonly prompt: number;
  readonly branches: readonly Branch[];
}

/** Packs; the prompt and every completion must have a token. Throws RangeError otherwise. */
export function packTree(prompt: readonly number[], completions: readonly (readonly number[])[]): Tree {
  if (prompt.length === 0) throw new RangeError('packTree: the prompt has no tokens');
  const ids = [...prompt];
  const positions = prompt.map((_, i) => i);
  const branches = completions.map((completion) => {
    if (completion.length === 0) throw new RangeError('packTree: a completion has no tokens');
    const start = ids.length;
    completion.forEach((id, i) => {
      ids.push(id);
      positions.push(prompt.length + i);
    });
    return { start, end: ids.length };
  });
  return { ids, positions, prompt: prompt.length, branches };
}

/** One plain sequence, as a tree without branches. */
export function sequence(ids: readonly number[]): Tree {
  return packTree(ids, []);
}

/**
 * The packed places whose logits predict each completion token, branch after branch: the prompt's last
 * token, then all but the last.
 */
export function predictors(tree: Tree): number[] {
  return tree.branches.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, i) => (i === 0 ? tree.prompt - 1 : start + i - 1)),
  );
}

/** What those logits should predict: the completions' tokens, branch after branch. */
export function targets(tree: Tree): number[] {
  return tree.branches.flatMap(({ start, end }) => tree.ids.slice(start, end));
}

/** The places of one completion's whole sequence: prompt, then branch. */
export function placesOf(tree: Tree, branch: number): number[] {
  const { start, end } = tree.branches[branch]!;
  return [...Array(tree.prompt).keys(), ...Array.from({ length: end - start }, (_, i) => start + i)];
}

/**
 * Additive attention mask [T, T]: 0 where token i may see token j (j not after i, of the prompt or of i's
 * own branch, and fewer than `window` positions back), −∞ elsewhere.
 */
export function treeMask(tree: Tree, window = Number.POSITIVE_INFINITY): Tensor<'f32'> {
  const count = tree.ids.length;
  const data = new Float32Array(count * count).fill(Number.NEGATIVE_INFINITY);
  const allow = (i: number, from: number, to: number) => {
    for (let j = from; j < to; j++)
      if (tree.positions[i]! - tree.positions[j]! < window) data[i * count + j] = 0;
  };
  for (let i = 0; i < tree.prompt; i++) allow(i, 0, i + 1);
  for (const { start, end } of tree.branches)
    for (let i = start; i < end; i++) {
      allow(i, 0, tree.prompt);
      allow(i, start, i + 1);
    }
  return tensor('f32', [count, count], data);
}

/** The feeds that every pass over a tree takes. */
export function treeFeeds(tree: Tree): Record<'ids' | 'positions' | 'mask', Tensor> {
  return {
    ids: i64([tree.ids.length], tree.ids),
    positions: f32([tree.positions.length, 1], tree.positions),
    mask: treeMask(tree),
  };
}
