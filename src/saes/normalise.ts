/**
 * What some SAEs do to an activation before they encode it, and undo after decoding, as graph nodes.
 * Definitions: SAELens `sae.py`.
 */
import { add, div, greaterOrEqual, mul, scalar, scale, sqrt, sub, sumLast, where } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';

/**
 * - `none`
 * - `constant_norm_rescale`: each token scaled to norm √d; back: times its norm / √d.
 * - `layer_norm`: each token minus its mean, divided by its standard deviation (n − 1) + 1e-5; back: times
 *   the standard deviation, plus the mean.
 */
export type Normalisation = 'none' | 'constant_norm_rescale' | 'layer_norm';

/** x [T, d] as the encoder wants it; x̂_t = scale_t · ŷ_t + shift_t takes a reconstruction ŷ back. */
interface Normalised {
  readonly x: Node;
  readonly scale: Node;
  readonly shift: Node;
}

const zero = scalar(0);
const one = scalar(1);

/**
 * By its name, what it makes of x [T, d]. A token of zeros stays zero and comes back as zero (SAELens: NaN).
 */
export const normalisations: { readonly [how in Normalisation]: (x: Node, d: number) => Normalised } = {
  none: (x) => ({ x, scale: one, shift: zero }),
  constant_norm_rescale: (x, d) => {
    const size = sqrt(scale(sumLast(mul(x, x)), 1 / d));
    return { x: div(x, where(greaterOrEqual(zero, size), one, size)), scale: size, shift: zero };
  },
  layer_norm: (x, d) => {
    const shift = scale(sumLast(x), 1 / d);
    const centred = sub(x, shift);
    const deviation = sqrt(scale(sumLast(mul(centred, centred)), 1 / (d - 1)));
    return { x: div(centred, add(deviation, scalar(1e-5))), scale: deviation, shift };
  },
};
