/**
 * Residuals at a site of prompts and their completions, text by text, attention sinks left out. A text gives the
 * same rows, up to float32 rounding, whatever it is read beside. Runs nothing above the site.
 */
import type { Model } from '../../models/decoder.ts';
import { residualSession } from '../../models/sessions.ts';
import { packTree, placesOf, type Tree, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { toFloat32 } from '../../tensor.ts';
import type { TokenSet } from './contrast.ts';
import { rowsAt } from './residuals.ts';
import { rowNorms, sinksOf } from './sinks.ts';

/** The tokens of a set in one text, attention sinks left out. Shapes: R tokens, d residual width. */
export interface TextRows {
  /** a_t [R, d] */
  readonly rows: Float32Array;
  /** id of each, and its position in the text */
  readonly tokens: readonly { readonly id: number; readonly position: number }[];
}

export interface TextPass {
  /**
   * One reading for each completion, in order. Of the set `prompt` the prompt is read alone, and its completions share
   * what that gives. Throws RangeError where the prompt, or a completion that is to be read, has no tokens.
   */
  read(
    prompt: readonly number[],
    completions: readonly (readonly number[])[],
    tokens: TokenSet,
  ): Promise<TextRows[]>;
  release(): Promise<void>;
}

/** Tokens that are read at once: attention costs their square. */
const packedTokens = 1024;

/** Completions in groups that fit behind their prompt, one at least in each. */
function groupsOf(prompt: number, completions: readonly (readonly number[])[]): (readonly number[])[][] {
  const groups: (readonly number[])[][] = [];
  let room = 0;
  for (const completion of completions) {
    if (groups.length === 0 || completion.length > room) {
      groups.push([]);
      room = packedTokens - prompt;
    }
    groups.at(-1)!.push(completion);
    room -= completion.length;
  }
  return groups;
}

/** Of one sequence's places those of the set that are none of its sinks. */
function rowsOf(
  tree: Tree,
  activation: Float32Array,
  d: number,
  places: readonly number[],
  tokens: TokenSet,
): TextRows {
  const sinks = new Set(sinksOf(rowNorms(activation, d), places));
  const wanted = (place: number) => tokens === 'all' || place < tree.prompt === (tokens === 'prompt');
  const kept = places.filter((place) => wanted(place) && !sinks.has(place));
  return {
    rows: rowsAt(activation, d, kept),
    tokens: kept.map((place) => ({ id: tree.ids[place]!, position: tree.positions[place]! })),
  };
}

/** Loads the model up to `resid_post layer`. Throws InputError where the model has no such site. */
export async function textPass(runtime: Runtime, model: Model, layer: number): Promise<TextPass> {
  const session = await residualSession(runtime, model, [layer]);
  const d = model.decoder.width;
  const activationOf = async (tree: Tree) =>
    toFloat32((await session.run(treeFeeds(tree)))[`resid_post.${layer}`]!);
  return {
    async read(prompt, completions, tokens) {
      if (tokens === 'prompt') {
        const tree = packTree(prompt, []);
        const found = rowsOf(tree, await activationOf(tree), d, [...prompt.keys()], tokens);
        return completions.map(() => found);
      }
      const found: TextRows[] = [];
      for (const group of groupsOf(prompt.length, completions)) {
        const tree = packTree(prompt, group);
        const activation = await activationOf(tree);
        for (const b of tree.branches.keys())
          found.push(rowsOf(tree, activation, d, placesOf(tree, b), tokens));
      }
      return found;
    },
    release: () => session.release(),
  };
}
