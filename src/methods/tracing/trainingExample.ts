/**
 * What learning a text would do along directions at a site, beside how far the text lies along them: docs/method.md
 * section 11. Knows no file.
 */
import type { Tree } from '../../models/tree.ts';
import type { TokenSet } from '../site/contrast.ts';
import { rowNorms, sinksOf } from '../site/sinks.ts';
import type { SitePass } from '../site/siteGradient.ts';

/** One completion behind its prompt, read once. Shapes: R tokens of the set, d residual width. */
export interface ExampleReading {
  /** L, the mean of −ln p over the completion's tokens, in nats */
  readonly loss: number;
  /** position of each token of the set that is no attention sink */
  readonly positions: readonly number[];
  /** a_t [R, d] */
  readonly activation: Float32Array;
  /** g_t = ∂L/∂a_t [R, d] */
  readonly gradient: Float32Array;
}

/** Of a tree with one branch. Throws InputError where an activation is not finite. */
export async function readExample(pass: SitePass, tree: Tree, tokens: TokenSet): Promise<ExampleReading> {
  const learnt = tree.ids.length - tree.prompt;
  const { activation, gradient, nll } = await pass.run(tree, () => [1 / learnt]);
  const d = activation.length / tree.ids.length;
  const places = [...tree.ids.keys()];
  const sinks = new Set(sinksOf(rowNorms(activation, d), places));
  const positions = places.filter(
    (place) => !sinks.has(place) && (tokens === 'all' || place < tree.prompt === (tokens === 'prompt')),
  );
  const rowsOf = (values: Float32Array) => {
    const rows = new Float32Array(positions.length * d);
    for (const [r, place] of positions.entries())
      rows.set(values.subarray(place * d, (place + 1) * d), r * d);
    return rows;
  };
  return {
    loss: nll[0]!.reduce((sum, x) => sum + x, 0) / learnt,
    positions,
    activation: rowsOf(activation),
    gradient: rowsOf(gradient),
  };
}

/** A direction at the site whose side is known. */
export interface TracedDirection {
  /** d [width] */
  readonly direction: Float32Array;
  /** σ */
  readonly sign: 1 | -1;
}

/** Of one token: how far it lies along σ d, and its share of the push. */
export interface TokenTrace {
  /** σ (a_t − ā)·d */
  readonly activation: number;
  /** −σ g_t·d, in nats per unit of the residual stream */
  readonly push: number;
}

/** Token by token, in float64. `baseline`: ā [d]. */
export function tokensAlong(
  { activation, gradient, positions }: ExampleReading,
  { direction, sign }: TracedDirection,
  baseline: Float32Array,
): TokenTrace[] {
  const d = direction.length;
  // never -0, which JSON does not have
  const signed = (x: number) => (sign === 1 ? x : 0 - x);
  return positions.map((_, r) => {
    let [along, pushed] = [0, 0];
    for (let i = 0; i < d; i++) {
      along += (activation[r * d + i]! - baseline[i]!) * direction[i]!;
      pushed -= gradient[r * d + i]! * direction[i]!;
    }
    return { activation: signed(along), push: signed(pushed) };
  });
}

/**
 * Activation: the mean of the tokens' own. Push: P = −Σ_t σ g_t·d = −dL/dα at α = 0, where α σ d is added at every
 * token of the set: how fast the loss of the example falls along the direction. NaN and 0 where no token is left.
 */
export function exampleAlong(
  reading: ExampleReading,
  direction: TracedDirection,
  baseline: Float32Array,
): TokenTrace {
  const tokens = tokensAlong(reading, direction, baseline);
  const total = (of: (one: TokenTrace) => number) => tokens.reduce((sum, one) => sum + of(one), 0);
  return { activation: total((one) => one.activation) / tokens.length, push: total((one) => one.push) };
}
